"""Faults of processes: killed, paused, starved of CPU or memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from harness import wait
from harness.cluster.readiness import Readiness, is_ready
from harness.errors import ExecFailed, InjectionFailed, ObservationError
from harness.faults.base import Bench
from harness.faults.injector import Process, container_id
from harness.faults.timer import TIMER_S, Armed, answers
from harness.sut.names import REDIS_SET, kind_of

#: The process dies at once; its successor answers 0.3 s later the first time, and then only after the kubelet's
#: back-off: 10 s, 20, 40, 80, 160, until the container has run for ten minutes or the pod is a new one (80 s seen).
NEW_PROCESS_S = 180.0
READY_S = 180.0
EFFECT_S = 10.0

#: Busy work in Lua that takes some tens of milliseconds of CPU: an idle server is not slower at 1 % (faults.md §B).
BUSY = "EVAL 'local i=0 while i<1000000 do i=i+1 end return i' 0"
BUSY_S = 20.0
#: Memory for a moment only, in no key: nothing reaches the data set or the replicas.
GROWTH = "EVAL 'return #string.rep(\"x\",268435456)' 0"
GROWTH_S = 20.0


def await_another_process(bench: Bench, seat: str, run_id: str) -> str:
    """Return the run id of the process on `seat` once it is not `run_id`. Raises WaitTimeout."""
    return wait.eventually(
        partial(bench.sut.run_id, seat),
        lambda found: found != run_id,
        seconds=NEW_PROCESS_S,
        what=f"another process on {seat}",
    )


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
        self._run_id = bench.sut.run_id(self.seat)
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
        await_another_process(bench, self.seat, self._run_id)

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


class KilledTwice(ProcessKilled):
    """The server process is killed, and its successor as soon as it answers: now the kubelet backs off.

    The kubelet's back-off starts with the second end of a container within ten minutes and is 10 s at least (16 s
    measured), which is longer than down-after.
    """

    def inject(self, bench: Bench) -> None:
        """Kill, wait for the successor, kill that."""
        container = kind_of(self.seat).container
        first = container_id(bench.sut.cluster.get("Pod", self.seat), container)
        super().inject(bench)
        self._run_id = await_another_process(bench, self.seat, self._run_id)
        # Kubernetes hears of the new container later than whoever asks the server.
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=lambda pods: bool(pods) and container_id(pods[0], container) not in ("", first),
            seconds=EFFECT_S,
            what=f"the next container on {self.seat}",
        )
        self._process = bench.injector.found(self.seat, container)
        super().inject(bench)

    def await_effect(self, bench: Bench) -> None:
        """Return when the kubelet says that it backs off."""
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=partial(_is_waiting, container=kind_of(self.seat).container, reason="CrashLoopBackOff"),
            seconds=EFFECT_S,
            what=f"the kubelet backing off from {self.seat}",
        )


class Paused(Armed):
    """The server process stands still: connections are still accepted, and nothing is answered.

    `by` signal: SIGSTOP to the main process, whose threads all stop. `by` freezer: the container's whole cgroup, also
    what a probe starts in it. A liveness probe may restart the container meanwhile; then the fault has ended early and
    healing finds nothing to continue: `restarted` says so.
    """

    def __init__(self, seat: str, *, by: Literal["signal", "freezer"] = "signal", timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.kind = "stopped" if by == "signal" else "frozen"
        self.restarted = False
        self._run_id = ""

    def plan(self, bench: Bench) -> dict[str, Any]:
        """Nothing more: the process is found by pod and container."""
        return {}

    def prepare(self, bench: Bench) -> None:
        """Note the container, and the process by its run id."""
        super().prepare(bench)
        self._run_id = bench.sut.run_id(self.seat)

    def await_effect(self, bench: Bench) -> None:
        """Return when all its threads are stopped, as the kernel says."""
        wait.eventually(
            partial(self.look, bench),
            lambda seen: seen.get("states") == "T" or seen.get("frozen"),
            seconds=EFFECT_S,
            what=f"the process of {self.seat} stopped",
        )

    def await_healed(self, bench: Bench) -> None:
        """Return when the seat answers: the same process, or the one that replaced it."""
        self.restarted = answers(bench, self.seat) != self._run_id


class CpuStarved(Armed):
    """The container may use only a small share of one CPU.

    An idle server is not slower for it, so the effect is shown with work: it is held back, by the kernel's count.
    """

    kind = "limited"

    def __init__(self, seat: str, *, percent: float = 5.0, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.percent = percent

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The share of one CPU, in percent."""
        return {"cpu_percent": self.percent}

    def await_effect(self, bench: Bench) -> None:
        """Return when the kernel has held the container back while it worked."""
        before = wait.eventually(
            lambda: self.look(bench).get("throttled"),
            lambda throttled: throttled is not None,
            seconds=EFFECT_S,
            what=f"a CPU quota of {self.seat}",
        )
        keep_busy(bench, self.seat)
        wait.eventually(
            partial(self.look, bench),
            lambda seen: int(seen.get("throttled", 0)) > int(before or 0) + 1,
            seconds=EFFECT_S,
            what=f"{self.seat} held back by its CPU quota",
        )


class OutOfMemory(Armed):
    """The container's memory limit is what it uses now, and the server grows: the kernel kills it, OOMKilled.

    The container that follows has the limit of its manifest again. For Redis only: a Sentinel cannot be made to grow.
    """

    kind = "limited"

    def __init__(self, seat: str, *, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self._restarts = 0

    def plan(self, bench: Bench) -> dict[str, Any]:
        """As little memory as it uses."""
        return {"memory": "used"}

    def prepare(self, bench: Bench) -> None:
        """Note the container and how often it was restarted."""
        if kind_of(self.seat).stateful_set != REDIS_SET:
            raise InjectionFailed(f"{self.seat} is no Redis: nothing makes it grow")
        super().prepare(bench)
        pod = bench.sut.cluster.get("Pod", self.seat)
        self._restarts = status_of(pod, kind_of(self.seat).container)["restartCount"]

    def inject(self, bench: Bench) -> None:
        """Tighten the limit, then let the server grow beyond it; it dies of that without an answer."""
        super().inject(bench)
        try:
            bench.sut.ask(self.seat, GROWTH, seconds=GROWTH_S)
        except (ExecFailed, ObservationError):
            return

    def await_effect(self, bench: Bench) -> None:
        """Return when Kubernetes says that the container was OOMKilled."""
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=self._was_killed,
            seconds=NEW_PROCESS_S,
            what=f"{self.seat} OOMKilled",
        )

    def _was_killed(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        for pod in pods:
            status = status_of(pod, kind_of(self.seat).container)
            ends = [status.get(when, {}).get("terminated") or {} for when in ("state", "lastState")]
            reasons = [end.get("reason", "") for end in ends]
            newer = status["restartCount"] > self._restarts or "terminated" in status.get("state", {})
            if newer and "OOMKilled" in reasons:
                return Readiness()
            return Readiness((f"{status['restartCount'] - self._restarts} restarts since, ended by {reasons}",))
        return Readiness((f"there is no pod {self.seat}",))


def keep_busy(bench: Bench, seat: str) -> None:
    """Let the server on `seat` work for a moment; a Sentinel has no scripts, it is asked many things instead."""
    work = [BUSY] if kind_of(seat).stateful_set == REDIS_SET else ["INFO"] * 200
    bench.sut.ask(seat, *work, seconds=BUSY_S)


def _is_waiting(pods: Sequence[dict[str, Any]], container: str, reason: str) -> Readiness:
    waits = [status_of(pod, container).get("state", {}).get("waiting", {}).get("reason") for pod in pods]
    return Readiness() if reason in waits else Readiness((f"it waits for {waits}, not for {reason}",))


def status_of(pod: dict[str, Any], container: str) -> dict[str, Any]:
    """Return what Kubernetes says of a container of a pod; no restarts, and nothing more, when it says nothing yet."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return next((dict(each) for each in statuses if each["name"] == container), {"restartCount": 0})
