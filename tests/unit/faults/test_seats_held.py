"""Seats emptied abruptly: nobody may end in good order between the deletion of its pod and its kill."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from harness.errors import InjectionFailed
from harness.faults import SeatsEmpty
from harness.faults.injector import Process

SEATS = ("redis-0", "redis-sentinel-0")


class Machine:
    """Pods whose processes obey SIGTERM at once, as a Sentinel does, unless they stand still."""

    def __init__(self) -> None:
        self.alive = set(SEATS)
        self.frozen: set[str] = set()
        self.killed: list[str] = []

    def found(self, seat: str, _container: str) -> Process:
        return Process(seat, "node", 1)

    def freeze(self, process: Process) -> None:
        self.frozen.add(process.seat)

    def kill(self, process: Process) -> None:
        if process.seat not in self.alive:
            raise InjectionFailed(f"kill -KILL for {process.seat}: No such process")
        self.alive.remove(process.seat)
        self.killed.append(process.seat)

    def delete(self, _kind: str, seat: str, **_: Any) -> None:
        self.alive -= {seat} - self.frozen


def gather(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    return [call() for call in calls]


def test_a_process_that_would_end_by_itself_is_killed_all_the_same() -> None:
    """What is called abrupt is."""
    machine = Machine()
    cluster = SimpleNamespace(
        apply=lambda _: None, wait_for=lambda *_, **__: None, gather=gather, delete=machine.delete
    )
    pods = {seat: {"metadata": {"name": seat, "uid": f"uid-{seat}"}} for seat in SEATS}
    sut = SimpleNamespace(cluster=cluster, pod_objects=lambda: pods)
    bench: Any = SimpleNamespace(sut=sut, injector=machine)
    fault = SeatsEmpty(SEATS, abruptly=True)
    fault.prepare(bench)

    fault.inject(bench)

    assert machine.killed == list(SEATS)
