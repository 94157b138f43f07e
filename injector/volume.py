"""A seat's volume replaced by a small one that truly enforces its size.

A tmpfs, not a file system in a loop device: it enforces its size as truly, needs no device (which a node shares with
the machine under it, and which outlives a power cut), no mkfs and no reserve for root, and is gone when the node is.
The pod must be away while the volume is exchanged; its data moves along, there and back.
"""

from __future__ import annotations

import os
from typing import Any

from injector.errors import InjectorError
from injector.node import STATE, Node, run
from injector.records import Record

COPY_S = 60.0


class SmallVolume:
    """The plan: ``path`` (the volume's directory on the node), ``mib``."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """Where the small volume is kept. Raises InjectorError when the data would not fit."""
        path = record.plan["path"]
        if not node.path(path).is_dir():
            raise InjectorError(f"there is no directory {path} on this node")
        used = int(run(["du", "-sm", str(node.path(path))]).split()[0])
        if 2 * used > record.plan["mib"]:
            raise InjectorError(f"{path} holds {used} MiB: too much for {record.plan['mib']} MiB")
        return {"aside": f"{STATE}/{record.id}/volume"}

    def inject(self, node: Node, record: Record) -> None:
        """Mount it aside, copy the data, lay it over the directory."""
        path, aside = record.plan["path"], record.facts["aside"]
        owner = node.path(path).stat()
        node.path(aside).mkdir(parents=True, exist_ok=True)
        if aside not in node.mount_points():
            size = f"size={record.plan['mib']}m,mode={owner.st_mode & 0o7777:o}"
            identity = f"uid={owner.st_uid},gid={owner.st_gid}"
            run(node.in_mounts(["mount", "-t", "tmpfs", "-o", f"{size},{identity}", f"e2e-{record.id}", aside]))
        _copy(node, path, aside)
        record.facts["covered"] = True
        record.save(node)
        run(node.in_mounts(["mount", "--bind", aside, path]))

    def undo(self, node: Node, record: Record) -> None:
        """Uncover the directory and copy what was written meanwhile back into it."""
        path, aside = record.plan["path"], record.facts["aside"]
        while path in node.mount_points():
            run(node.in_mounts(["umount", path]))
        if aside in node.mount_points():
            if record.facts.get("covered"):  # else the copy there may be half of one
                _copy(node, aside, path)
            run(node.in_mounts(["umount", aside]))

    def left(self, node: Node, record: Record) -> list[str]:
        """What is still mounted."""
        places = (record.plan["path"], record.facts["aside"])
        return [f"a small volume at {place}" for place in places if place in node.mount_points()]

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """Its size and what is free (MiB)."""
        size = os.statvfs(node.path(record.plan["path"]))
        return {"mib": size.f_frsize * size.f_blocks >> 20, "free_mib": size.f_frsize * size.f_bfree >> 20}


def _copy(node: Node, source: str, target: str) -> None:
    """Make `target` hold what `source` holds, and nothing else."""
    run(["find", str(node.path(target)), "-mindepth", "1", "-delete"], seconds=COPY_S)
    run(["cp", "-a", f"{node.path(source)}/.", str(node.path(target))], seconds=COPY_S)
