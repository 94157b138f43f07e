"""Packets held back or lost on their way out of a pod, by a program that the kernel asks about each of them.

For kernels without netem. The rule says --queue-bypass: when the program is not there, packets pass as if there were no
rule, so the fault cannot outlive it.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from injector.daemon import started, stopped
from injector.errors import InjectorError
from injector.filtered import comment, delete_tagged, iptables, network, present, tagged
from injector.node import Node, Process
from injector.records import Record, folder_of, seconds_left

STATUS = "queue.json"


class Queued:
    """The plan: ``pod``, ``delay_ms``, ``jitter_ms``, ``loss`` (share, 0 to 1)."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The network's inode, and the queue's number, which only this fault uses there."""
        if not record.plan["delay_ms"] and not record.plan["loss"]:
            raise InjectorError("neither a delay nor a loss is asked for")
        return {"network": network(node, record)[1], "queue": 1 + int(record.id, 16) % 65000}

    def inject(self, node: Node, record: Record) -> None:
        """Start the program, then lead the packets to it."""
        pid = present(node, record)
        daemon = started(node, pid, self._program(node, record), tag=record.id)
        record.facts["daemon"] = asdict(daemon)
        record.save(node)
        target = ["-j", "NFQUEUE", "--queue-num", str(record.facts["queue"]), "--queue-bypass"]
        iptables(node, pid, ["-I", "OUTPUT", "!", "-o", "lo", *comment(record.id), *target])

    def undo(self, node: Node, record: Record) -> None:
        """Delete the rule, then end the program: what it still holds passes at once."""
        pid = node.networks().get(record.facts["network"])
        if pid is not None:
            delete_tagged(node, pid, record.id)
        stopped(node, self._daemon(record), tag=record.id)

    def left(self, node: Node, record: Record) -> list[str]:
        """The rule or the program."""
        pid = node.networks().get(record.facts["network"])
        found = [] if pid is None else [f"rule {rule}" for rule in tagged(node, pid, record.id)]
        daemon = self._daemon(record)
        if daemon is not None and node.is_alive(daemon):
            found.append(f"process {daemon.pid} runs")
        return found

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """Whether the program runs, and what it has counted."""
        daemon = self._daemon(record)
        seen: dict[str, Any] = {"alive": daemon is not None and node.is_alive(daemon)}
        with suppress(FileNotFoundError):
            seen |= json.loads((folder_of(node, record.id) / STATUS).read_text())
        return seen

    def _daemon(self, record: Record) -> Process | None:
        told = record.facts.get("daemon")
        return Process(**told) if told else None

    def _program(self, node: Node, record: Record) -> list[str]:
        plan = record.plan
        return [
            *(sys.executable, "-m", "injector.nfqueue", "--fault", record.id, "--queue", str(record.facts["queue"])),
            *("--delay-ms", str(plan["delay_ms"]), "--jitter-ms", str(plan["jitter_ms"]), "--loss", str(plan["loss"])),
            *("--seconds", str(seconds_left(record)), "--status", str(folder_of(node, record.id) / STATUS)),
        ]
