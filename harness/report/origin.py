"""Where a run came from: the suite's commit, the command that started it, the command that repeats one test."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

GIT_SECONDS = 5.0


def suite_commit(checkout: Path) -> str:
    """Return the commit of the suite's checkout, with a word about uncommitted changes; never raises."""
    try:
        commit = _git(checkout, "rev-parse", "--short=12", "HEAD")
        changed = _git(checkout, "status", "--porcelain", "--untracked-files=no")
    except FileNotFoundError:
        return "unknown (git is not installed)"
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return "unknown (not a git checkout)"
    return f"{commit} with uncommitted changes" if changed else commit


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


def _git(checkout: Path, *arguments: str) -> str:
    command = ["git", "-C", str(checkout), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=GIT_SECONDS).stdout.strip()
