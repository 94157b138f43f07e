"""Running other programs: output to a log, errors in one line."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from airgap.errors import AirgapError

_running: set[subprocess.Popen[bytes]] = set()
_running_lock = threading.Lock()


class CommandFailed(AirgapError):
    """A program could not be started, ended with a non-zero status or ran out of time."""


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run to the end, everything printed appended to ``log``.

    ``timeout`` in seconds. ``env`` is added to the environment. Raises
    CommandFailed with the program's last line.
    """
    with log.open("ab") as sink:
        sink.write(f"+ {shlex.join(map(str, command))}\n".encode())
        sink.flush()
        start = sink.tell()
        status = _wait(_start(command, sink.fileno(), sink.fileno(), cwd, env), command, timeout)
    if status != 0:
        raise CommandFailed(f"{Path(command[0]).name} ended with status {status}{_last_line(log, start)}")


def output(
    command: Sequence[str | Path], *, timeout: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """What the program prints; raises CommandFailed with its last line of stderr."""
    process = _start(command, subprocess.PIPE, subprocess.PIPE, cwd, env)
    try:
        printed, complained = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise CommandFailed(f"{Path(command[0]).name} did not end within {timeout:.0f} s") from None
    finally:
        _forget(process)
    if process.returncode != 0:
        lines = complained.decode(errors="replace").strip().splitlines() or ["no message"]
        raise CommandFailed(f"{Path(command[0]).name} ended with status {process.returncode}: {lines[-1][:300]}")
    return printed.decode(errors="replace")


def stop_all() -> None:
    """Kill every program still running: the caller is leaving."""
    with _running_lock:
        processes = list(_running)
    for process in processes:
        _kill(process)


def _start(
    command: Sequence[str | Path], out: int, err: int, cwd: Path | None, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    try:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,  # compilers start children: they are killed as a group
        )
    except OSError as error:
        raise CommandFailed(f"{command[0]} cannot be started: {error.strerror}") from error
    with _running_lock:
        _running.add(process)
    return process


def _wait(process: subprocess.Popen[bytes], command: Sequence[str | Path], timeout: float) -> int:
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise CommandFailed(f"{Path(command[0]).name} did not end within {timeout:.0f} s") from None
    finally:
        if process.poll() is None:
            _kill(process)
        _forget(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _forget(process: subprocess.Popen[bytes]) -> None:
    with _running_lock:
        _running.discard(process)


def _last_line(log: Path, start: int) -> str:
    with log.open("rb") as source:
        source.seek(start)
        lines = [line.strip() for line in source.read().decode(errors="replace").splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""
