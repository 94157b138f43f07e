"""The checkout's own programs: which of their files go into an image."""

from __future__ import annotations

import shutil
from pathlib import Path


def sources(program: Path) -> list[str | Path]:
    """What a step that copies the program depends on: its Python files, by relative name and content."""
    described: list[str | Path] = []
    for path in _files(program):
        described += [str(path.relative_to(program)), path]
    return described


def copy_sources(program: Path, target: Path) -> None:
    """Copy the program's Python files to ``target/<its name>``, which is made even if there are none yet."""
    (target / program.name).mkdir(parents=True)
    for path in _files(program):
        place = target / program.name / path.relative_to(program)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)


def _files(program: Path) -> list[Path]:
    return sorted(path for path in program.rglob("*.py") if "__pycache__" not in path.parts)
