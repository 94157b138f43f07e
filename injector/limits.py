"""Limits of a container's cgroup, changed and put back. The kubelet does not put them back itself while it runs."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from injector.cgroups import Cgroups
from injector.errors import InjectorError
from injector.node import Node
from injector.records import Record

PERIOD_US = 100_000
MIB = 1 << 20
#: How much above what is in use a memory limit may have to be, before the kernel accepts it.
HEADROOM = 64


class Limited:
    """The plan: ``pod``, ``container``, and ``cpu_percent`` of one CPU, or ``memory``: as little as it uses now."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The limit's file and its old value."""
        cgroups = Cgroups(node)
        controller = "cpu" if "cpu_percent" in record.plan else "memory"
        folder = cgroups.container(record.plan["pod"], record.plan["container"], controller)
        names = {
            ("cpu", 1): "cpu.cfs_quota_us",
            ("cpu", 2): "cpu.max",
            ("memory", 1): "memory.limit_in_bytes",
            ("memory", 2): "memory.max",
        }
        file = folder / names[controller, cgroups.version]
        return {"controller": controller, "file": str(file), "old": file.read_text().strip()}

    def inject(self, node: Node, record: Record) -> None:
        """Write the new value."""
        file = Path(record.facts["file"])
        if record.facts["controller"] == "cpu":
            quota = str(int(PERIOD_US * record.plan["cpu_percent"] / 100))
            file.write_text(f"{quota} {PERIOD_US}" if file.name == "cpu.max" else quota)
            return
        _tighten(file)

    def undo(self, node: Node, record: Record) -> None:
        """Write the old value; a container that was replaced took its cgroup along, its successor has the old one."""
        file = Path(record.facts["file"])
        if file.exists():
            file.write_text(record.facts["old"])

    def left(self, node: Node, record: Record) -> list[str]:
        """The new value."""
        file, old = Path(record.facts["file"]), record.facts["old"]
        now = file.read_text().strip() if file.exists() else old
        return [] if now == old else [f"{file.name} is {now} instead of {old}"]

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """The value now, and how often the container had to wait for the CPU."""
        file = Path(record.facts["file"])
        if not file.exists():
            return {"alive": False}
        told: dict[str, Any] = {"alive": True, "limit": file.read_text().strip(), "old": record.facts["old"]}
        if record.facts["controller"] == "cpu":
            lines = (file.parent / "cpu.stat").read_text().splitlines()
            told["throttled"] = int(dict(line.split() for line in lines)["nr_throttled"])
        return told


def _tighten(limit: Path) -> None:
    """Set a memory limit as low as the kernel takes it: it refuses (EBUSY) what it cannot free, in version 1.

    What can be written back and read again (page cache) does not count as used. Raises InjectorError.
    """
    for spare in range(1, HEADROOM):
        try:
            limit.write_text(str(_anonymous(limit.parent) + spare * MIB))
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        else:
            return
    raise InjectorError(f"{limit}: the kernel takes no limit within {HEADROOM} MiB of what is in use")


def _anonymous(folder: Path) -> int:
    """Return how many bytes the processes of a cgroup hold that no file backs."""
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int(stat.get("total_rss", stat.get("anon", stat.get("rss", "0"))))
