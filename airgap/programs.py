"""Running a program from an unpacked root file system on this machine, whatever this machine's libraries are."""

from __future__ import annotations

from pathlib import Path

from airgap.errors import AirgapError


def loader(root: Path) -> list[str | Path]:
    """The words before a program of ``root``: its own dynamic loader with its own libraries."""
    # Not by /lib64: that link is absolute and would lead to this machine's loader.
    loaders = sorted(root.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"))
    if len(loaders) != 1:
        raise AirgapError(f"{len(loaders)} dynamic loaders in {root} instead of one")
    return [loaders[0], "--library-path", loaders[0].parent]
