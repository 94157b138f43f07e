"""An append-only file damaged while its server is stopped, which is then killed: it starts with the damage."""

from __future__ import annotations

import base64
import os
import signal
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from injector.disk import matching
from injector.errors import InjectorError, Missing
from injector.node import Node, run, until
from injector.processes import main_process, noted, send
from injector.records import Record

#: What stands where a command should begin: Redis calls it a bad file format (aof.c, loadSingleAppendOnlyFile).
GARBAGE = b"\x00 not a command \x00"
COMMAND_BEGINS = b"\r\n*"
#: A server cut short within this many bytes loses its last command or some of them, and starts.
SHORTEST = 256


class Damaged:
    """The plan: ``pod``, ``container``, ``path`` (a pattern), ``where``: tail (cut off) or middle (overwritten).

    A tail that was cut off is not put back: the server has appended to the file since. A middle is, as long as the
    file is the same: a server does not start on it, and whoever repaired it replaced or shortened it.
    """

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The process and the file."""
        found = matching(node, [f"{record.plan['path']}$"])
        if not found:
            raise InjectorError(f"there is no file {record.plan['path']}")
        size = node.path(found[0]).stat().st_size
        if size < SHORTEST:
            raise InjectorError(f"{found[0]} has {size} bytes: too few to be damaged; write something first")
        return {"process": asdict(main_process(node, record)), "file": found[0]}

    def inject(self, node: Node, record: Record) -> None:
        """Stop, damage, kill: so that nothing is written in between."""
        process, file = noted(record), node.path(record.facts["file"])
        send(node, process, signal.SIGSTOP)
        with file.open("r+b") as opened:
            content = opened.read()
            if record.plan["where"] == "tail":
                record.facts |= {"size": len(content) - record.plan["bytes"], "inode": file.stat().st_ino}
                record.save(node)
                opened.truncate(record.facts["size"])
            else:
                at, old = _middle(content)
                kept = base64.b64encode(old).decode()
                record.facts |= {"size": len(content), "at": at, "old": kept, "inode": file.stat().st_ino}
                record.save(node)
                opened.seek(at)
                opened.write(GARBAGE)
            opened.flush()
            os.fsync(opened.fileno())
        send(node, process, signal.SIGKILL)
        until(lambda: not node.is_alive(process))

    def undo(self, node: Node, record: Record) -> None:
        """Continue or end what was stopped; put back the middle if it is still the damaged file."""
        process = noted(record)
        if node.state_of(process) == "T":
            with suppress(Missing):
                send(node, process, signal.SIGKILL if "size" in record.facts else signal.SIGCONT)
        if self.left(node, record):
            with node.path(record.facts["file"]).open("r+b") as opened:
                opened.seek(record.facts["at"])
                opened.write(base64.b64decode(record.facts["old"]))

    def left(self, node: Node, record: Record) -> list[str]:
        """The damage in the middle."""
        return [f"{record.facts['file']} is damaged"] if "at" in record.facts and _is_damaged(node, record) else []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """Whether the process is gone, and what was done to the file."""
        told: dict[str, Any] = {name: record.facts[name] for name in ("file", "size", "at") if name in record.facts}
        return {"alive": node.is_alive(noted(record)), **told}


def repaired(node: Node, record: Record) -> str:
    """Run redis-check-aof --fix on the manifest beside the file; return its last line. Raises CommandFailed."""
    folder = node.path(record.facts["file"]).parent
    manifests = sorted(folder.glob("*.manifest"))
    if len(manifests) != 1:
        raise InjectorError(f"there are {len(manifests)} manifests in {folder}")
    said = run(["redis-check-aof", "--fix", str(manifests[0])], typed="y\n")
    return said.strip().splitlines()[-1]


def _middle(content: bytes) -> tuple[int, bytes]:
    """Return where the command after the middle begins, and what stands there.

    Inside an argument, damage would be another value, and nobody could tell.
    """
    found = content.find(COMMAND_BEGINS, len(content) // 2)
    at = found + 2
    if found < 0 or at + len(GARBAGE) >= len(content):
        raise InjectorError("the append-only file has no command behind its middle; write something first")
    return at, content[at : at + len(GARBAGE)]


def _is_damaged(node: Node, record: Record) -> bool:
    file = node.path(record.facts["file"])
    if not file.exists():
        return False
    stat = file.stat()
    if stat.st_ino != record.facts["inode"] or stat.st_size != record.facts["size"]:
        return False
    with file.open("rb") as opened:
        opened.seek(record.facts["at"])
        return opened.read(len(GARBAGE)) == GARBAGE
