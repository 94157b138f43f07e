"""A Docker engine: the one that answers, else one of our own.

Ours is started without a service manager and outlives this process; its pids
and logs lie in the state folder, so that only it is ever stopped.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from airgap import commands, hostpackages
from airgap.bundle import Bundle
from airgap.errors import AirgapError
from airgap.runner import Progress

SOCKET = "unix:///var/run/docker.sock"
STATE = Path("/run/redis-sentinel-e2e-engine")
CONTAINERD_SOCKET = STATE / "containerd.sock"
RUNTIME = Path(__file__).parent / "runtime.py"
PATIENCE = 60.0
"""Seconds until an engine that was started must answer; it takes about two."""

CAP_SYS_RESOURCE = 24
"""Number in linux/capability.h."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine in use; ``started`` says whether this call started it."""

    started: bool
    socket: str


def ensure_engine(*, progress: Progress) -> Engine:
    """An engine that answers.

    Raises AirgapError in one line where none answers and none can be started.
    """
    socket = os.environ.get("DOCKER_HOST", SOCKET)
    if _answers():
        return Engine(False, socket)
    if "DOCKER_HOST" in os.environ:
        raise AirgapError(f"no Docker engine answers at DOCKER_HOST={socket}: start it, or unset DOCKER_HOST")
    if os.geteuid() != 0:
        raise AirgapError("no Docker engine answers and this user cannot start one: start Docker, or run as root")
    hostpackages.install(hostpackages.ENGINE, progress)
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _answers():
            return Engine(False, socket)
        began = time.monotonic()
        progress(f"docker: starting an engine (logs in {STATE})")
        _start()
        progress(f"docker: answers after {time.monotonic() - began:.1f} s")
    return Engine(True, socket)


def stop_engine() -> None:
    """Stop the engine that ensure_engine started; any other is left alone."""
    for name in ("dockerd", "containerd"):
        pid = _own(name)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            _await_end(pid, name)
        (STATE / f"{name}.pid").unlink(missing_ok=True)


def load_node_image(bundle: Bundle, *, progress: Progress) -> str:
    """The node image's reference, known to the engine."""
    return load_image(bundle.node_image.reference, bundle.node_image.archive, progress=progress)


def load_image(reference: str, archive: Path, *, progress: Progress) -> str:
    """Load an archive into the engine unless it is there already."""
    if not _succeeds(["docker", "image", "inspect", "--format", "ok", reference]):
        began = time.monotonic()
        try:
            commands.output(["docker", "load", "--quiet", "--input", archive], timeout=300)
        except commands.CommandFailed as error:
            raise AirgapError(f"the Docker engine does not take {reference}: {error}") from error
        progress(f"docker: loaded {reference} in {time.monotonic() - began:.1f} s")
    return reference


def _answers() -> bool:
    return shutil.which("docker") is not None and _succeeds(["docker", "info", "--format", "ok"])


def _succeeds(command: list[str]) -> bool:
    try:
        commands.output(command, timeout=20)
    except commands.CommandFailed:
        return False
    return True


def _start() -> None:
    stop_engine()
    containerd = [*("containerd", "--address", str(CONTAINERD_SOCKET), "--root", str(_data("containerd")))]
    _spawn("containerd", [*containerd, "--state", str(STATE / "containerd")])
    # dockerd waits for containerd by itself, the pid file of an engine that was killed does not stop ours.
    _spawn(
        "dockerd",
        [
            *("dockerd", "--containerd", str(CONTAINERD_SOCKET), "--host", SOCKET),
            *("--pidfile", str(STATE / "docker.pid"), "--exec-root", str(STATE / "docker")),
            *(_without_missing_capability()),
        ],
    )
    deadline = time.monotonic() + PATIENCE
    while not _answers():
        for name in ("containerd", "dockerd"):
            if _own(name) is None:
                raise AirgapError(f"{name} ended at once: {_last_line(name)}; log: {STATE / f'{name}.log'}")
        if time.monotonic() > deadline:
            raise AirgapError(f"dockerd does not answer within {PATIENCE:.0f} s; log: {STATE / 'dockerd.log'}")
        time.sleep(0.1)


def _data(name: str) -> Path:
    return Path("/var/lib/redis-sentinel-e2e") / name


def _without_missing_capability() -> list[str]:
    """A privileged container asks for every capability; where one cannot be had, the runtime is told not to ask."""
    if _bounding_set() >> CAP_SYS_RESOURCE & 1:
        return []
    wrapper = STATE / "runtime"
    shutil.copy(RUNTIME, wrapper)
    wrapper.chmod(0o755)
    return ["--add-runtime", f"without-sys-resource={wrapper}", "--default-runtime", "without-sys-resource"]


def _bounding_set() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return int(line.split()[1], 16)
    return -1


def _spawn(name: str, command: list[str]) -> None:
    with (STATE / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    _, started = _state_and_start(process.pid)
    (STATE / f"{name}.pid").write_text(f"{process.pid} {started}")


def _own(name: str) -> int | None:
    """Pid of the program that we started, if it still runs: a pid alone may be somebody else's by now."""
    try:
        pid, started = (STATE / f"{name}.pid").read_text().split()
        state, start = _state_and_start(int(pid))
    except (OSError, ValueError):
        return None
    return int(pid) if start == started and state != "Z" else None


def _state_and_start(pid: int) -> tuple[str, str]:
    """State letter and start time of a process: fields 3 and 22 of proc(5)'s stat."""
    fields = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()
    return fields[0], fields[19]


def _await_end(pid: int, name: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while _own(name) == pid:
        if time.monotonic() > deadline:
            raise AirgapError(f"{name} (pid {pid}) does not end; log: {STATE / f'{name}.log'}")
        time.sleep(0.05)


def _last_line(name: str) -> str:
    lines = (STATE / f"{name}.log").read_text(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "no message"
