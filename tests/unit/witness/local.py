"""A witness as a process of this machine, spoken to by plain HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from harness.errors import WitnessError
from harness.workload import Deployment, WitnessClient, Workload
from tests.unit.processes import LOOPBACK, Topology, free_port, wait_until

PROJECT = Path(__file__).resolve().parents[3]


class Refused(WitnessError):
    """The witness answered with an error status; `status` and the line that it sent."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(f"{status}: {line}")
        self.status = status
        self.line = line


class LocalWitness:
    """One witness process with a journal directory of its own, which outlives it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.journals = directory / "journals"
        self.port = free_port()
        self.client = WitnessClient(self.request)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it serves."""
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "witness", "--bind", LOOPBACK, "--port", str(self.port)]
        command += ["--journal-dir", str(self.journals)]
        with (self.directory / "witness.log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=log)
        wait_until(lambda: self.client.healthz()["ok"], 20, f"the witness (log: {self.directory / 'witness.log'})")
        return self

    def request(self, method: str, path: str, body: bytes | None) -> bytes:
        """The transport of the client. Raises Refused for an error answer."""
        request = urllib.request.Request(f"http://{LOOPBACK}:{self.port}{path}", method=method, data=body)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError as exc:
            with exc:
                raise Refused(exc.code, exc.read().decode()) from exc

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing ended."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=10)

    def pause(self) -> None:
        """SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def terminate(self) -> int:
        """SIGTERM, as Kubernetes does; the exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=15)

    def close(self) -> None:
        """End it, whatever its state."""
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def workload_on(self, topology: Topology) -> Workload:
        """What a drill would use, on local processes."""
        return Workload(self.client, deployment_of(topology), self.directory / "history")


def deployment_of(topology: Topology) -> Deployment:
    """The topology's addresses as the witness takes them."""
    return Deployment(seats=topology.seats, sentinels=topology.sentinel_addresses)


@contextmanager
def running_witness(directory: Path) -> Iterator[LocalWitness]:
    """A witness for the length of a block."""
    witness = LocalWitness(directory)
    try:
        yield witness.start()
    finally:
        witness.close()
