"""Running programs of this machine (docker, k3d, kubectl): with a time limit, and without leaving one behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ToolMissing

#: How long a program that was told to end (SIGTERM) may take before it is killed.
FAREWELL_S = 5.0
LONGEST_LINE = 400


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended; `status` is None when it did not end in time and was stopped."""

    argv: tuple[str, ...]
    status: int | None
    stdout: str
    stderr: str
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it ended with status 0."""
        return self.status == 0

    def telling(self, *markers: str) -> str:
        """Return the one line that best says why it failed: the last with one of `markers` in it, else the last."""
        lines = [line.strip() for line in (self.stderr + "\n" + self.stdout).splitlines() if line.strip()]
        marked = [line for line in lines if any(marker in line for marker in markers)]
        said = [line.strip() for line in self.stderr.splitlines() if line.strip()] or lines
        line = (marked or said or ["it said nothing"])[-1][:LONGEST_LINE]
        return line if self.status is not None else f"has not ended after {self.seconds:.0f} s; last line: {line}"


def run_program(
    argv: Sequence[str | Path],
    *,
    seconds: float,
    environ: Mapping[str, str] | None = None,
    log: Path | None = None,
    stdin: str = "",
) -> Ran:
    """Run a program to its end, or stop it after `seconds`; what it said is appended to `log` as well.

    `environ` is added to this process's environment. Raises ToolMissing when the program is not there. Whatever ends
    this call early (Ctrl-C too) ends the program and its children first.
    """
    words = tuple(str(word) for word in argv)
    if shutil.which(words[0]) is None:
        raise ToolMissing(f"{words[0]} is not on the PATH: install it")
    # A session of its own: Ctrl-C in the terminal reaches us only, and we end it in our own order.
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, **(environ or {})},
        start_new_session=True,
    )
    status: int | None = None
    try:
        stdout, stderr = process.communicate(stdin, timeout=seconds)
        status = process.returncode
    except subprocess.TimeoutExpired:
        _end(process)
        stdout, stderr = process.communicate()
    except BaseException:
        _end(process)
        raise
    ran = Ran(words, status, stdout, stderr, seconds)
    if log is not None:
        _write(log, ran)
    return ran


def _end(process: subprocess.Popen[str]) -> None:
    for number, patience in ((signal.SIGTERM, FAREWELL_S), (signal.SIGKILL, FAREWELL_S)):
        try:
            os.killpg(process.pid, number)
            process.wait(patience)
        except ProcessLookupError:
            process.wait(patience)
            return
        except subprocess.TimeoutExpired:
            continue
        else:
            return


def _write(log: Path, ran: Ran) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    ended = f"exit status {ran.status}" if ran.status is not None else f"stopped after {ran.seconds:.0f} s"
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(ran.argv)}\n{ran.stdout}{ran.stderr}# {ended}\n")
