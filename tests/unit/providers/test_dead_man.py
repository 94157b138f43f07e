"""The dead man's timer acts when its process is gone, and does not when it was disarmed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ProviderError
from harness.providers.dead_man import Timers

PROJECT = Path(__file__).resolve().parents[3]

#: A runner that arms a timer and is then busy for ever.
RUNNER = """
import sys, time
from pathlib import Path
from harness.providers.dead_man import Timers
Timers(Path(sys.argv[1])).arm("agent-0", ["touch", sys.argv[2]], seconds=1)
print("armed", flush=True)
time.sleep(600)
"""


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_timer_outlives_a_runner_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL to the runner and its whole process group does not reach it: it undoes the fault and leaves no mark."""
    healed = tmp_path / "healed"
    command = [sys.executable, "-c", RUNNER, str(tmp_path / "timers"), str(healed)]
    runner = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT, start_new_session=True)
    assert runner.stdout is not None
    assert runner.stdout.readline() == b"armed\n"

    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
    runner.stdout.close()

    assert within(5, healed.exists)
    assert not list((tmp_path / "timers").iterdir())


def test_disarmed_timer_does_nothing(tmp_path: Path) -> None:
    """Disarming tells whether there was anything, and the command is not run afterwards."""
    timers, healed = Timers(tmp_path / "timers"), tmp_path / "healed"
    timers.arm("agent-0", ["touch", str(healed)], seconds=1)
    timers.arm("agent-1", ["touch", str(tmp_path / "other")], seconds=1)

    assert timers.disarm("agent-0")
    assert not timers.disarm("agent-0")
    assert within(5, (tmp_path / "other").exists), "the other node's timer is its own"
    assert not healed.exists()


def test_timer_that_cannot_be_armed_is_an_error(tmp_path: Path) -> None:
    """No mark, no timer: then the fault must not be injected either."""
    (tmp_path / "timers").write_text("in the way")

    with pytest.raises(ProviderError, match="no dead man's timer could be armed for agent-0"):
        Timers(tmp_path / "timers").arm("agent-0", ["true"], seconds=1)
