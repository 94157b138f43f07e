from __future__ import annotations

import time
from pathlib import Path

import pytest

from harness.errors import ToolMissing
from harness.programs import run_program


def test_program_is_run_with_its_own_environment_and_input() -> None:
    """Output, errors and status are told apart, and added variables arrive."""
    ran = run_program(
        ["sh", "-c", 'cat; echo "$GREETING" >&2; exit 3'], seconds=5, environ={"GREETING": "hi"}, stdin="in"
    )

    assert (ran.stdout, ran.stderr, ran.status, ran.ok) == ("in", "hi\n", 3, False)


def test_program_that_takes_too_long_is_stopped_with_its_children(tmp_path: Path) -> None:
    """After the limit nothing of it runs on, and its last line is told."""
    pid_file = tmp_path / "pid"
    started = time.monotonic()

    ran = run_program(["sh", "-c", f"echo working >&2; sleep 30 & echo $! >{pid_file}; wait"], seconds=0.3)

    assert time.monotonic() - started < 4
    assert ran.status is None
    assert ran.telling() == "has not ended after 0 s; last line: working"
    assert _has_ended(int(pid_file.read_text()))


def _has_ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_missing_program_is_named() -> None:
    """A program that is not installed is told as such, with what to do."""
    with pytest.raises(ToolMissing, match=r"^no-such-program is not on the PATH: install it$"):
        run_program(["no-such-program"], seconds=1)


def test_telling_line_prefers_what_is_marked() -> None:
    """The line with a marker says more than the last one."""
    ran = run_program(["sh", "-c", "echo 'error: bad thing' >&2; echo bye >&2; exit 1"], seconds=5)

    assert ran.telling("error") == "error: bad thing"
    assert ran.telling() == "bye"


def test_what_a_program_said_is_kept(tmp_path: Path) -> None:
    """The log says what was run, what it said and how it ended."""
    log = tmp_path / "deep" / "log"

    run_program(["sh", "-c", "echo out; echo err >&2"], seconds=5, log=log)

    assert log.read_text() == "$ sh -c echo out; echo err >&2\nout\nerr\n# exit status 0\n"
