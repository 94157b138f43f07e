"""Processes stopped, frozen or killed."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from injector.cgroups import Cgroups
from injector.errors import InjectorError, Missing
from injector.node import Node, Process, until
from injector.records import Record


class Stopped:
    """The main process of a container has SIGSTOP: all its threads stand still, its sockets still accept.

    Only what this fault stopped is continued: the process is noted by its number and its start time.
    """

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The process."""
        process = main_process(node, record)
        if node.state_of(process) == "T":
            raise InjectorError(f"process {process.pid} is stopped already, by somebody else")
        return {"process": asdict(process)}

    def inject(self, node: Node, record: Record) -> None:
        """Stop it."""
        send(node, noted(record), signal.SIGSTOP)

    def undo(self, node: Node, record: Record) -> None:
        """Continue it, if it still lives: a liveness probe may have replaced it meanwhile."""
        process = noted(record)
        with suppress(Missing):
            send(node, process, signal.SIGCONT)
        until(lambda: not self.left(node, record))

    def left(self, node: Node, record: Record) -> list[str]:
        """Whether it is stopped."""
        process = noted(record)
        return [f"process {process.pid} is stopped"] if node.state_of(process) == "T" else []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """The states of its threads."""
        process = noted(record)
        return {"alive": node.is_alive(process), "states": "".join(sorted(set(node.thread_states(process))))}


class Frozen:
    """All processes of a container are frozen by their cgroup; also what the kubelet starts in it for a probe."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The control file and the values to write."""
        cgroups = Cgroups(node)
        container = cgroups.container(record.plan["pod"], record.plan["container"], "freezer")
        if cgroups.version == 2:
            return {"file": str(container / "cgroup.freeze"), "freeze": "1", "thaw": "0"}
        return {"file": str(container / "freezer.state"), "freeze": "FROZEN", "thaw": "THAWED"}

    def inject(self, node: Node, record: Record) -> None:
        """Freeze."""
        _write(record, "freeze")
        until(lambda: _frozen(record))

    def undo(self, node: Node, record: Record) -> None:
        """Thaw; a container that was replaced took its cgroup along."""
        if Path(record.facts["file"]).exists():
            _write(record, "thaw")
            until(lambda: not _frozen(record))

    def left(self, node: Node, record: Record) -> list[str]:
        """Whether it is frozen."""
        return [f"{record.facts['file']} is frozen"] if _frozen(record) else []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """Whether it is frozen, and whether it is there at all."""
        return {"alive": Path(record.facts["file"]).exists(), "frozen": _frozen(record)}


class Killed:
    """The main process of a container gets SIGKILL. Nothing is to be undone: the kubelet starts another one."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The process."""
        return {"process": asdict(main_process(node, record))}

    def inject(self, node: Node, record: Record) -> None:
        """Kill it and see it gone."""
        process = noted(record)
        with suppress(Missing):
            send(node, process, signal.SIGKILL)
        until(lambda: not node.is_alive(process))

    def undo(self, node: Node, record: Record) -> None:
        """Do nothing."""

    def left(self, node: Node, record: Record) -> list[str]:
        """Nothing."""
        return []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """Whether the process lives."""
        return {"alive": node.is_alive(noted(record))}


def main_process(node: Node, record: Record) -> Process:
    """Return the main process of the container that the plan names. Raises Missing."""
    return Cgroups(node).main_process(record.plan["pod"], record.plan["container"])


def noted(record: Record) -> Process:
    """Return the process that the record is about."""
    return Process(**record.facts["process"])


def send(node: Node, process: Process, number: signal.Signals) -> None:
    """Signal this very process. Raises Missing when it is gone, even if its number was given again."""
    if not node.is_alive(process):
        raise Missing(f"process {process.pid} is gone")
    try:
        os.kill(process.pid, number)
    except ProcessLookupError as error:
        raise Missing(f"process {process.pid} is gone") from error


def _write(record: Record, which: str) -> None:
    Path(record.facts["file"]).write_text(record.facts[which])


def _frozen(record: Record) -> bool:
    file = Path(record.facts["file"])
    try:
        if file.name == "freezer.state":
            return file.read_text().strip() == "FROZEN"
        events = dict(line.split() for line in file.with_name("cgroup.events").read_text().splitlines())
    except FileNotFoundError:
        return False
    return events.get("frozen") == "1"
