"""Where a run came from: the suite's commit, the command that started it, the command that repeats one test."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.errors import ToolMissing
from harness.programs import Ran, run_program

GIT_SECONDS = 5.0


def suite_commit(checkout: Path) -> str:
    """Return the commit of the suite's checkout, with a word about uncommitted changes; never raises."""
    try:
        commit = _git(checkout, "rev-parse", "--short=12", "HEAD")
        changed = _git(checkout, "status", "--porcelain", "--untracked-files=no")
    except ToolMissing:
        return "unknown (git is not installed)"
    if not commit.ok or not changed.ok:
        return "unknown (not a git checkout)"
    told = commit.stdout.strip()
    return f"{told} with uncommitted changes" if changed.stdout.strip() else told


def run_command(arguments: Sequence[str]) -> str:
    """Return the command line that started this run, as one would type it."""
    return shlex.join(["pytest", *arguments])


def rerun_command(test: str, arguments: Sequence[str], selections: Sequence[str], seed: int | None) -> str:
    """Return the command that runs one test again: the run's long options, its seed, and this test alone.

    `selections` are those of the run's `arguments` that name tests; they are left out, as are -k and -m.
    """
    options = [option for option in _options(arguments, selections) if not option.startswith("--chaos-seed")]
    seeded = [f"--chaos-seed={seed}"] if seed is not None else []
    return shlex.join(["pytest", test, *options, *seeded])


def _options(arguments: Sequence[str], selections: Sequence[str]) -> list[str]:
    kept: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("--"):
            continue
        has_value = "=" not in argument and rest and not rest[0].startswith("-") and rest[0] not in selections
        kept.append(f"{argument}={rest.pop(0)}" if has_value else argument)
    return kept


def _git(checkout: Path, *arguments: str) -> Ran:
    return run_program(["git", "-C", checkout, *arguments], seconds=GIT_SECONDS)
