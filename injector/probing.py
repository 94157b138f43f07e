"""An observer in a pod's network, or in the node's: whether an instance is heard there, by old and new connections."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from injector.daemon import started, stopped
from injector.errors import InjectorError
from injector.filtered import network, present
from injector.node import Node, Process
from injector.records import Record, folder_of, seconds_left

STATUS = "probe.json"


class Probing:
    """The plan: ``pod`` (None: the node), ``host`` and ``port`` of the instance, ``patience_ms`` for an answer."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The network's inode."""
        return {"network": network(node, record)[1]}

    def inject(self, node: Node, record: Record) -> None:
        """Start the program; it has its first connection then."""
        plan = record.plan
        argv = [
            *(sys.executable, "-m", "injector.probe", "--fault", record.id),
            *("--host", plan["host"], "--port", str(plan["port"]), "--patience-ms", str(plan["patience_ms"])),
            *("--bytes", str(plan.get("bytes", 0)), "--seconds", str(seconds_left(record))),
            *("--status", str(folder_of(node, record.id) / STATUS)),
        ]
        daemon = started(node, present(node, record), argv, tag=record.id)
        record.facts["daemon"] = asdict(daemon)
        record.save(node)

    def undo(self, node: Node, record: Record) -> None:
        """End the program."""
        stopped(node, _daemon(record), tag=record.id)

    def left(self, node: Node, record: Record) -> list[str]:
        """The program."""
        daemon = _daemon(record)
        return [f"process {daemon.pid} runs"] if daemon is not None and node.is_alive(daemon) else []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """What the program has seen so far."""
        daemon = _daemon(record)
        if daemon is None or not node.is_alive(daemon):
            raise InjectorError(f"{record.about}: the observer has ended")
        told: dict[str, Any] = json.loads((folder_of(node, record.id) / STATUS).read_text())
        return told


def _daemon(record: Record) -> Process | None:
    told = record.facts.get("daemon")
    return Process(**told) if told else None
