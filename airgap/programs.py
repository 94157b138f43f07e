"""Running a program from an unpacked root file system on this machine, whatever this machine's libraries are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from airgap.errors import AirgapError


def loader(root: Path) -> list[str | Path]:
    """The words before a program of ``root``: its own dynamic loader with its own libraries."""
    # Not by /lib64: that link is absolute and would lead to this machine's loader.
    loaders = sorted(root.glob("usr/lib/*-linux-gnu/ld-linux-*.so.*"))
    if len(loaders) != 1:
        raise AirgapError(f"{len(loaders)} dynamic loaders in {root} instead of one")
    return [loaders[0], "--library-path", loaders[0].parent]


def is_dynamic(path: Path) -> bool:
    """Whether a file is a program that a dynamic loader starts: those name it right after their headers."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as content:
        head = content.read(4096)
    return head.startswith(b"\x7fELF") and b"/ld-linux" in head


def missing_libraries(root: Path, program: Path) -> list[str]:
    """Names of the shared libraries that a program of ``root`` would not find there; the program must be dynamic."""
    listed = subprocess.run([*loader(root), "--list", program], capture_output=True, text=True, timeout=20, check=False)
    # What the loader found among this machine's own libraries is missing in the image.
    found = re.findall(r"^\s*(\S+) => (\S+)", listed.stdout, re.MULTILINE)
    unknown = re.findall(r"error while loading shared libraries: (\S+): cannot open", listed.stderr)
    return [name for name, place in found if not Path(place).is_relative_to(root)] + unknown
