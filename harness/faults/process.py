"""Faults of processes: killed in place."""

from __future__ import annotations

from functools import partial

from harness import wait
from harness.cluster.readiness import is_ready
from harness.errors import InjectionFailed
from harness.faults.base import Bench
from harness.faults.injector import Process
from harness.sut.names import kind_of

#: The process dies at once; its successor answers 0.3 s (first kill) to tens of seconds (kubelet's back-off) later.
NEW_PROCESS_S = 60.0
READY_S = 60.0


class ProcessKilled:
    """The server process of a pod gets SIGKILL from its node; the kubelet starts the container again, in place.

    Sent from inside the container, the signal would do nothing: the kernel protects PID 1 from its own name space
    (pid_namespaces(7); sentinel-facts.md §5.1).
    """

    def __init__(self, seat: str) -> None:
        self.seat = seat
        self._pod_uid = ""
        self._run_id = ""
        self._process: Process | None = None

    @property
    def target(self) -> str:
        """The seat."""
        return self.seat

    @property
    def by_hand(self) -> str:
        """Nothing: the kubelet starts the container again."""
        return f"wait until {self.seat} is Ready; kubectl describe pod {self.seat} says what keeps it"

    def prepare(self, bench: Bench) -> None:
        """Note the process by its run id, and the pod by its UID."""
        self._run_id = self._running(bench)
        pod = bench.sut.cluster.get("Pod", self.seat)
        self._pod_uid = pod["metadata"]["uid"]
        self._process = bench.injector.found(self.seat, kind_of(self.seat).container)

    def inject(self, bench: Bench) -> None:
        """Kill the process."""
        if self._process is None:
            raise InjectionFailed(f"the process of {self.seat} was not looked up before it was to be killed")
        bench.injector.kill(self._process)

    def await_effect(self, bench: Bench) -> None:
        """Return when another process answers on the same seat."""
        wait.eventually(
            partial(self._running, bench),
            lambda run_id: run_id != self._run_id,
            seconds=NEW_PROCESS_S,
            what=f"another process on {self.seat}",
        )

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: the kubelet starts the container again."""

    def await_healed(self, bench: Bench) -> None:
        """Return when the same pod is Ready again."""
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=lambda pods: len(pods) == 1 and pods[0]["metadata"]["uid"] == self._pod_uid and is_ready(pods[0]),
            seconds=READY_S,
            what=f"{self.seat} Ready in the same pod",
        )

    def _running(self, bench: Bench) -> str:
        """Return the run id of the process that answers now, Redis or Sentinel."""
        return bench.sut.run_id(self.seat)
