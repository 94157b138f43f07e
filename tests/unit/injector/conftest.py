"""Nodes for the injector's tests: made-up trees, real processes, real network namespaces where the machine has them."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from airgap.hostpackages import UNIT_TESTS_OF_ROOT
from injector import faults
from injector.node import Node

POD = "0f6c1b1e-8f64-4a51-9d0a-3f1f5a0d7c11"
CONTAINER = "4c1d7f0a9be2"
CONTROLLERS = ("pids", "cpu", "memory", "freezer")


@dataclass(frozen=True)
class Fenced(Node):
    """Sees its own container's processes and what was started for it, and no other of the machine.

    Other tests, and a cluster that runs on this machine, must not be swept.
    """

    held: set[int] = field(default_factory=set)

    def pids(self) -> Iterator[int]:
        yield from (pid for pid in super().pids() if pid in self.held or self._is_ours(pid))

    def networks(self) -> dict[int, int]:
        """Not the machine's own: rules and buckets of a cluster's faults are none of a test's business."""
        own = self.network_of(os.getpid())
        return {network: pid for network, pid in super().networks().items() if network != own}

    def in_mounts(self, argv: Sequence[str]) -> list[str]:
        return [str(self.path(word)) if word.startswith("/") else word for word in argv]

    def mount_points(self) -> list[str]:
        points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
        return [point.removeprefix(str(self.root)) for point in points if point.startswith(str(self.root))]

    def _is_ours(self, pid: int) -> bool:
        return any(str(self.root) in word for word in self.command_line(pid))


@dataclass
class MadeUp:
    """A node whose files are a test's own and whose processes are this machine's."""

    node: Fenced

    @property
    def cgroups(self) -> Path:
        return self.node.root / "sys/fs/cgroup"

    def container(self, controller: str = "pids") -> Path:
        return self.cgroups / controller / "kubepods/burstable" / f"pod{POD}" / CONTAINER

    def holds(self, *pids: int) -> None:
        """Let the container have these processes."""
        self.node.held.update(pids)
        for controller in CONTROLLERS:
            (self.container(controller) / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in pids))

    def plan(self, kind: str, seconds: float = 60.0, **more: Any) -> dict[str, Any]:
        """Return what the harness would ask for."""
        who = {"id": secrets.token_hex(4), "kind": kind, "about": f"{kind}(redis-0)", "seconds": seconds}
        return {**who, "pod": POD, "container": CONTAINER, **more}


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[MadeUp]:
    """A node with an empty container, cgroup version 1. Whatever is left on record at the end is healed."""
    made = MadeUp(Fenced(root=tmp_path))
    for controller in CONTROLLERS:
        made.container(controller).mkdir(parents=True)
        (made.cgroups / controller / "cgroup.procs").touch()
    made.holds()
    yield made
    faults.heal_all(made.node)


@pytest.fixture
def main_process() -> Iterator[int]:
    """A process that is number 1 of a PID namespace, as a container's is; its number out here."""
    argv = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "sleep", "300"]
    outer = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        inner = soon(lambda: _child_of(outer.pid))
        if inner is None:
            pytest.skip("this machine gives no PID namespace (unshare --pid)")
        yield inner
    finally:
        outer.send_signal(signal.SIGCONT)
        outer.kill()
        outer.wait()


@pytest.fixture
def networks() -> Iterator[tuple[str, str]]:
    """Two network namespaces joined by a pair of devices called eth0: 10.99.0.1 and 10.99.0.2; their names."""
    missing = [program for program in UNIT_TESTS_OF_ROOT if not shutil.which(program)]
    if os.geteuid() != 0 or missing:
        programs = " ".join(UNIT_TESTS_OF_ROOT)
        pytest.skip(f"network namespaces need root and {programs}; `make test` as root installs them")
    left, right = (f"e2e-{secrets.token_hex(3)}" for _ in range(2))
    if subprocess.run(["ip", "netns", "add", left], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine gives no network namespaces (ip netns add)")
    try:
        _ip("netns", "add", right)
        _ip("link", "add", "eth0", "netns", left, "type", "veth", "peer", "name", "eth0", "netns", right)
        for number, name in enumerate((left, right), start=1):
            _ip("-netns", name, "addr", "add", f"10.99.0.{number}/24", "dev", "eth0")
            _ip("-netns", name, "link", "set", "eth0", "up")
            _ip("-netns", name, "link", "set", "lo", "up")
        yield left, right
    finally:
        for name in (left, right):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def inside() -> Iterator[Callable[[str, list[str]], subprocess.Popen[str]]]:
    """Starts programs in a network namespace and ends them with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(network: str, argv: list[str]) -> subprocess.Popen[str]:
        nsenter = ["nsenter", f"--net=/run/netns/{network}", "--", *argv]
        started.append(subprocess.Popen(nsenter, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def soon(look: Callable[[], Any], seconds: float = 5.0) -> Any:
    """Return what a look gives once it is something, or what it gave last."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return seen


def _child_of(pid: int) -> int | None:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = [int(child) for child in children if Path(f"/proc/{child}/comm").read_text().strip() == "sleep"]
    return found[0] if found else None


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
