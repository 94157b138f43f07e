"""Files that cannot be written, and disks that are full."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from injector.errors import InjectorError
from injector.node import Node
from injector.records import Record

# linux/fs.h; the same numbers on amd64 and arm64.
GET_FLAGS, SET_FLAGS = 0x80086601, 0x40086602
IMMUTABLE = 0x10

BALLAST = "ballast"
CHUNK = 1 << 20


class Immutable:
    """Files or directories are immutable: not even root writes them. The plan: ``paths``, patterns on the node."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The files, without those that are immutable already: they are not this fault's."""
        found = [path for path in matching(node, record.plan["paths"]) if not is_immutable(node.path(path))]
        if not found:
            raise InjectorError(f"nothing at {record.plan['paths']} that could be made immutable")
        return {"paths": found}

    def inject(self, node: Node, record: Record) -> None:
        """Set the flag."""
        for path in record.facts["paths"]:
            set_immutable(node.path(path), on=True)

    def undo(self, node: Node, record: Record) -> None:
        """Take the flag away."""
        for path in record.facts["paths"]:
            if node.path(path).exists():
                set_immutable(node.path(path), on=False)

    def left(self, node: Node, record: Record) -> list[str]:
        """What still has it."""
        paths = [path for path in record.facts["paths"] if node.path(path).exists()]
        return [f"{path} is immutable" for path in paths if is_immutable(node.path(path))]

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """What has it."""
        return {"immutable": [path for path in record.facts["paths"] if is_immutable(node.path(path))]}


class Filled:
    """A small file system is full to the last byte. The plan: ``path`` (a directory in it), ``at_most_mib``.

    Only one that truly enforces a small size: a node's own disk is everybody's.
    """

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """Where the ballast will lie. Raises InjectorError for a file system that is not small."""
        folder = node.path(record.plan["path"])
        size = os.statvfs(folder)
        mib = size.f_frsize * size.f_blocks >> 20
        if mib > record.plan["at_most_mib"]:
            raise InjectorError(f"the file system of {record.plan['path']} has {mib} MiB: too large to be filled")
        return {"ballast": f"{record.plan['path']}/.{BALLAST}-{record.id}", "mib": mib}

    def inject(self, node: Node, record: Record) -> None:
        """Write until nothing is left, first in large pieces, then in small ones."""
        with node.path(record.facts["ballast"]).open("ab", buffering=0) as ballast:
            for piece in (CHUNK, 4096, 1):
                _fill(ballast.fileno(), piece)

    def undo(self, node: Node, record: Record) -> None:
        """Remove the ballast; a volume that is gone took it along."""
        node.path(record.facts["ballast"]).unlink(missing_ok=True)

    def left(self, node: Node, record: Record) -> list[str]:
        """The ballast."""
        return [record.facts["ballast"]] if node.path(record.facts["ballast"]).exists() else []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """How many bytes are free."""
        size = os.statvfs(node.path(record.plan["path"]))
        return {"free": size.f_frsize * size.f_bfree, "mib": record.facts["mib"]}


def matching(node: Node, patterns: Sequence[str]) -> list[str]:
    """Return the paths on the node that match; of each pattern the one that sorts last if it ends with ``$``."""
    found: list[str] = []
    for pattern in patterns:
        newest = pattern.endswith("$")
        hits = [_absolute(node, hit) for hit in node.root.glob(pattern.removesuffix("$").lstrip("/"))]
        hits.sort(key=lambda hit: (node.path(hit).stat().st_mtime, hit))
        found += hits[-1:] if newest else hits
    return found


def is_immutable(path: Path) -> bool:
    """Whether a file has the flag (chattr(1), +i)."""
    with _opened(path) as fd:
        return bool(_flags(fd) & IMMUTABLE)


def set_immutable(path: Path, *, on: bool) -> None:
    """Give a file the flag, or take it. Raises OSError where the file system has none."""
    with _opened(path) as fd:
        flags = _flags(fd)
        fcntl.ioctl(fd, SET_FLAGS, struct.pack("l", flags | IMMUTABLE if on else flags & ~IMMUTABLE))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)


def _flags(fd: int) -> int:
    return int(struct.unpack("l", fcntl.ioctl(fd, GET_FLAGS, struct.pack("l", 0)))[0])


def _absolute(node: Node, path: Path) -> str:
    return f"/{path.relative_to(node.root)}"


def _fill(fd: int, piece: int) -> None:
    while True:
        try:
            os.write(fd, bytes(piece))
        except OSError as error:
            if error.errno == errno.ENOSPC:
                return
            raise
