"""The node as the injector's pod sees it: its file system through process 1, its processes through /proc.

``/proc/1/root`` rather than a hostPath volume: mounts made later on the node are seen through it, and are not in a
volume, which was bound when the pod started (measured: a file deleted under /host was still there on the node).
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from injector.errors import CommandFailed, Missing

#: Not /run: a node that is stopped and started again loses that, and keeps, say, an immutable file.
STATE = "/var/lib/redis-e2e"

COMMAND_S = 10.0

#: The kernel needs this long at most for what a signal or the freezer orders; both are seen after some milliseconds.
DONE_S = 2.0
STEP_S = 0.002

#: The node's root directory, as every process with the node's PID namespace sees it.
ROOT = Path("/proc/1/root")


@dataclass(frozen=True, slots=True)
class Process:
    """A process for good: a number is given again, a number with its start time (clock ticks since boot) is not."""

    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class Node:
    """Where things are on the node. Tests give it trees of their own."""

    root: Path = ROOT
    proc: Path = Path("/proc")

    @property
    def state(self) -> Path:
        """The directory of the faults' records, on the node's own disk."""
        return self.path(STATE)

    def path(self, absolute: str) -> Path:
        """Return where a path of the node is found from here."""
        return self.root / absolute.lstrip("/")

    # Processes

    def process(self, pid: int) -> Process:
        """Return the process that has this number now. Raises Missing."""
        return Process(pid, int(self._stat(pid)[19]))

    def state_of(self, process: Process) -> str:
        """Return the kernel's letter for what it does (proc(5): R, S, T …); empty when it is gone."""
        try:
            stat = self._stat(process.pid)
        except Missing:
            return ""
        return stat[0] if int(stat[19]) == process.started and stat[0] not in "ZX" else ""

    def thread_states(self, process: Process) -> list[str]:
        """Return the letter of each of its threads."""
        tasks = self.proc / str(process.pid) / "task"
        try:
            return [_fields(task / "stat")[0] for task in tasks.iterdir()]
        except (OSError, Missing):
            return []

    def is_alive(self, process: Process) -> bool:
        """Whether it still runs, or is stopped."""
        return self.state_of(process) != ""

    def pids(self) -> Iterator[int]:
        """Yield the numbers of all processes."""
        for entry in self.proc.iterdir():
            if entry.name.isdigit():
                yield int(entry.name)

    def command_line(self, pid: int) -> list[str]:
        """Return its arguments; empty when it is gone."""
        try:
            raw = (self.proc / str(pid) / "cmdline").read_bytes()
        except OSError:
            return []
        return [word.decode("utf-8", "replace") for word in raw.split(b"\0") if word]

    def number_inside(self, pid: int) -> int:
        """Return its number in its own PID namespace. Raises Missing."""
        try:
            status = (self.proc / str(pid) / "status").read_text()
        except OSError as error:
            raise Missing(f"process {pid} is gone") from error
        line = next((line for line in status.splitlines() if line.startswith("NSpid:")), "")
        return int(line.split()[-1]) if line else pid

    def network_of(self, pid: int) -> int:
        """Return the inode of its network namespace, which tells namespaces apart. Raises Missing."""
        try:
            return (self.proc / str(pid) / "ns" / "net").stat().st_ino
        except OSError as error:
            raise Missing(f"process {pid} is gone") from error

    def networks(self) -> dict[int, int]:
        """Return the oldest process of each network namespace, by the namespace's inode.

        The oldest of a pod is the one that holds its network; a younger one may be a probe that ends this moment.
        """
        found: dict[int, Process] = {}
        for pid in self.pids():
            try:
                inode, process = self.network_of(pid), self.process(pid)
            except Missing:
                continue
            if inode not in found or process.started < found[inode].started:
                found[inode] = process
        return {inode: process.pid for inode, process in found.items()}

    def in_network(self, pid: int, argv: Sequence[str]) -> list[str]:
        """Return the command that runs `argv` of this image in the network namespace of a process."""
        return ["nsenter", f"--net={self.proc / str(pid) / 'ns' / 'net'}", "--", *argv]

    def in_mounts(self, argv: Sequence[str]) -> list[str]:
        """Return the command that runs a program of the node in its mount namespace."""
        return ["nsenter", f"--mount={self.proc / '1' / 'ns' / 'mnt'}", "--", *argv]

    def mount_points(self) -> list[str]:
        """Return where something is mounted on the node (proc(5), mountinfo), once for each mount."""
        lines = (self.proc / "1" / "mountinfo").read_text().splitlines()
        return [line.split()[4] for line in lines]

    def _stat(self, pid: int) -> list[str]:
        return _fields(self.proc / str(pid) / "stat")


def _fields(stat: Path) -> list[str]:
    """Return the fields of a stat file from the state on: the name before it may hold spaces and brackets."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError as error:
        raise Missing(f"process {stat.parent.name} is gone") from error


def run(argv: Sequence[str], *, seconds: float = COMMAND_S, typed: str = "") -> str:
    """Run a command with `typed` as its input; return its output. Raises CommandFailed with its own last words."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=seconds, input=typed)
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{' '.join(argv)}: has not ended after {seconds:.0f} s") from error
    except OSError as error:
        raise CommandFailed(f"{' '.join(argv)}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise CommandFailed(f"{' '.join(argv)}: exit status {done.returncode}: {said}")
    return done.stdout


def until(condition: Callable[[], object]) -> bool:
    """Return whether the condition came true in DONE_S."""
    deadline = time.monotonic() + DONE_S
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(STEP_S)
    return True
