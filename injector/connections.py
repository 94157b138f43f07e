"""Established connections cut at one stroke, by the kernel's own means (ss -K, CONFIG_INET_DIAG_DESTROY)."""

from __future__ import annotations

from typing import Any

from injector.errors import InjectorError
from injector.filtered import network, present
from injector.node import Node, run
from injector.records import Record


class Cut:
    """The plan: ``pod``, ``port`` (the server's). Nothing is to be undone: whoever was cut connects again."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The network's inode, and how many connections there are. Raises InjectorError when there is none to cut."""
        pid, inode = network(node, record)
        there = _established(node, pid, record.plan["port"])
        if not there:
            raise InjectorError(f"no connection to port {record.plan['port']} is established: nothing would be cut")
        return {"network": inode, "before": there}

    def inject(self, node: Node, record: Record) -> None:
        """Cut them. What ss prints is what it has cut; that it could not is told by its silence alone."""
        port = f"sport = :{record.plan['port']}"
        printed = run(node.in_network(present(node, record), ["ss", "-K", "-tnH", "state", "established", port]))
        record.facts["cut"] = len(printed.splitlines())
        record.save(node)
        if not record.facts["cut"]:
            raise InjectorError("this kernel cuts no connections (it needs CONFIG_INET_DIAG_DESTROY)")

    def undo(self, node: Node, record: Record) -> None:
        """Do nothing."""

    def left(self, node: Node, record: Record) -> list[str]:
        """Nothing."""
        return []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """How many there were, and how many were cut."""
        return {"before": record.facts["before"], "cut": record.facts.get("cut", 0)}


def _established(node: Node, pid: int, port: int) -> int:
    listed = run(node.in_network(pid, ["ss", "-tnH", "state", "established", f"sport = :{port}"]))
    return len(listed.splitlines())
