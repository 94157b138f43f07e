"""The dead man's timer: undoes a node fault when the process that injected it can no longer do so.

A shell that waits in the background, on this machine or on a node, for as long as its mark (a file) exists. Taking the
mark away disarms it within a second, so no process is ever killed by a number that may belong to another by now.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from harness.errors import ProviderError
from harness.programs import run_program

#: Arguments: seconds, mark, command. Whoever removes the mark acts: the timer at its end, or the heal before it.
SCRIPT = """
seconds=$1 mark=$2; shift 2
mkdir -p "${mark%/*}" && echo "$*" >"$mark" || exit 1
(
  while [ "$seconds" -gt 0 ] && [ -e "$mark" ]; do sleep 1; seconds=$((seconds - 1)); done
  rm "$mark" && exec "$@"
) </dev/null >/dev/null 2>&1 &
"""
ARMED_S = 5.0


def arming(seconds: float, mark: str | Path, command: Sequence[str]) -> list[str]:
    """Return the command that arms a timer and ends: after `seconds` (whole ones) `command` is run once."""
    return ["sh", "-c", SCRIPT, "dead-man", str(round(seconds)), str(mark), *command]


class Timers:
    """The timers of this machine for the nodes of one cluster; their marks lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def arm(self, node: str, command: Sequence[str], *, seconds: float) -> None:
        """Have `command` run in `seconds`, unless it is disarmed, whatever becomes of this process. ProviderError."""
        mark = self._folder / f"{node}.{uuid4().hex[:8]}"
        armed = run_program(arming(seconds, mark, command), seconds=ARMED_S)  # in a session of its own: it outlives us
        if not armed.ok:
            raise ProviderError(f"no dead man's timer could be armed for {node}: {armed.telling()}")

    def disarm(self, node: str) -> bool:
        """Disarm what is armed for a node; whether there was anything."""
        marks = list(self._folder.glob(f"{node}.*"))
        for mark in marks:
            mark.unlink(missing_ok=True)
        return bool(marks)
