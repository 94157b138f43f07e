"""Faults of the Sentinel that leads: it dies at a chosen step of the promotion. Who that is only the votes decide.

So each is armed on every Sentinel and hits the one that gets there: inject it into a deployment whose primary was just
lost. `hit` says whom it was.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

from harness import wait
from harness.cluster import Cluster
from harness.cluster.readiness import Readiness, is_ready
from harness.errors import HarnessError, InjectionFailed, ObservationError
from harness.faults.base import Bench
from harness.faults.commands import told
from harness.faults.sentinels import sentinel_seats
from harness.sut.names import PRIMARY_NAME, SENTINEL

log = logging.getLogger(__name__)

#: Detection (5-6 s) and an election, or a second try of another one after 2 x failover-timeout.
HIT_S = 90.0
READY_S = 90.0

#: A watcher has subscribed after some ten milliseconds, on a Sentinel whose processor time is used up much later.
SUBSCRIBED_S = 10.0

#: sentinel.c, sentinelSimFailureCrash: exit(99).
SIMULATED_EXIT = 99

#: Where it is noted that Sentinels are told to crash: they cannot be asked.
CRASHING = "e2e.redis/sentinels-told-to-crash"

#: The flags are cleared before the arguments are read (sentinel.c, sentinelSimulateFailureCommand), and an empty list
#: is refused: asking for help is the way to clear them.
CLEAR = "SENTINEL SIMULATE-FAILURE HELP"


class _LeaderDies(ABC):
    """The first Sentinel that leads a promotion dies of it; found by the container that ended.

    Given a Sentinel, that one is told to fail over: then no primary has to be lost, and it is the one that is hit.
    """

    def __init__(self, provoked: str | None = None) -> None:
        self.hit = ""
        self._provoked = provoked
        self._restarts: dict[str, int] = {}

    @property
    def target(self) -> str:
        """Whoever leads."""
        return self.hit or "the Sentinel that will lead"

    def prepare(self, bench: Bench) -> None:
        """Note how often each container was restarted."""
        pods = bench.sut.pod_objects()
        self._restarts = {seat: restarts_of(pods[seat]) for seat in sentinel_seats(bench)}

    def await_effect(self, bench: Bench) -> None:
        """Return when a Sentinel has died as ordered."""
        bench.sut.cluster.wait_for(
            "Pod", until=self._has_died, seconds=HIT_S, what="the end of the Sentinel that leads"
        )

    def await_healed(self, bench: Bench) -> None:
        """Return when every Sentinel is Ready."""
        bench.sut.cluster.wait_for("Pod", until=self._are_ready, seconds=READY_S, what="Ready Sentinels")

    def _provoke(self, bench: Bench) -> None:
        if self._provoked is None:
            return
        try:
            told(bench, self._provoked, f"SENTINEL FAILOVER {PRIMARY_NAME}")
        except ObservationError:  # it died of the order before it could answer; whether it did, the effect tells
            log.info("%s did not live to answer", self._provoked)

    def _has_died(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        codes: list[str] = []
        for pod in pods:
            seat = pod["metadata"]["name"]
            if seat in self._restarts:
                ended = end_of(pod, since=self._restarts[seat])
                if ended is not None and self._is_ours(ended):
                    self.hit = seat
                    return Readiness()
                codes += [] if ended is None else [f"{seat} ended with {ended.get('exitCode')}"]
        return Readiness((", ".join(codes) or "every Sentinel still runs",))

    @abstractmethod
    def _is_ours(self, ended: dict[str, Any]) -> bool:
        """Whether a container that ended so died of this fault."""

    def _are_ready(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        found = {pod["metadata"]["name"]: pod for pod in pods}
        reasons = [f"{seat} has no pod" for seat in self._restarts if seat not in found]
        reasons += [why for seat in self._restarts if seat in found for why in is_ready(found[seat]).reasons]
        return Readiness(tuple(reasons))


class _Simulated(_LeaderDies):
    """Every Sentinel is told to crash when it gets to a step."""

    healed_by_sweep = True

    step: ClassVar[str]

    @property
    def by_hand(self) -> str:
        """Clear the order on every Sentinel."""
        return f"redis-cli -p {SENTINEL.port} {CLEAR} on every Sentinel"

    def inject(self, bench: Bench) -> None:
        """Leave the suite's mark, then tell all of them."""
        mark(bench.sut.cluster, CRASHING, self.step)
        order = f"SENTINEL SIMULATE-FAILURE {self.step}"
        bench.sut.cluster.gather([partial(told, bench, seat, order) for seat in self._restarts])
        self._provoke(bench)

    def heal(self, bench: Bench) -> None:
        """Clear the order everywhere: the one that crashed has forgotten it, the others have not."""
        wait.eventually(
            partial(_cleared, bench, list(self._restarts)),
            lambda left: not left,
            seconds=READY_S,
            what="the order to crash taken back",
        )
        mark(bench.sut.cluster, CRASHING, None)

    def _is_ours(self, ended: dict[str, Any]) -> bool:
        return ended.get("exitCode") == SIMULATED_EXIT


class CrashAfterElection(_Simulated):
    """The Sentinel that was elected crashes before it does anything; the others voted and wait 2 x failover-timeout."""

    step = "crash-after-election"


class CrashAfterPromotion(_Simulated):
    """The Sentinel that leads crashes when the replica is primary, before it has told anybody."""

    step = "crash-after-promotion"


#: Waits for this Sentinel's own +try-failover and ends it by a connection that is open already: the next tick, in which
#: it can be elected, comes 53-100 ms later (sentinel-facts.md §2.2). The mark is what arms it.
WATCH = """
mark=$1 seconds=$2; touch "$mark" || exit 1
timeout "$seconds" sh -c '
  redis-cli -p "$2" PSUBSCRIBE +try-failover | while read -r line; do
    [ "$line" != pmessage ] || { [ ! -e "$1" ] || echo "SHUTDOWN NOSAVE"; break; }
  done | redis-cli -p "$2"
' watch "$mark" "$3" </dev/null >/dev/null 2>&1 &
tries=50
until redis-cli -p "$3" CLIENT LIST TYPE pubsub | grep -q "addr=127.0.0.1:.* psub=1 "; do
  tries=$((tries - 1)); [ "$tries" -gt 0 ] || exit 1; sleep 0.1
done
"""
DISARM = 'rm -f "$1"'


class LeaderKilled(_LeaderDies):
    """The Sentinel that tries first ends between +try-failover and +elected-leader.

    It is a race against its next tick: `was_elected` says, from its own log, whether it was lost. Its watchers give up
    by themselves after `seconds`.
    """

    def __init__(self, provoked: str | None = None, *, seconds: float = HIT_S) -> None:
        super().__init__(provoked)
        self.was_elected: bool | None = None
        self._seconds = seconds
        self._mark = f"/data/e2e-watched-{uuid4().hex[:8]}"

    @property
    def by_hand(self) -> str:
        """Disarm the watchers; they give up by themselves too."""
        return f"rm -f {self._mark} in every Sentinel's container"

    def inject(self, bench: Bench) -> None:
        """Put a watcher beside every Sentinel, and see that it has subscribed."""
        argv = ["sh", "-c", WATCH, "arm", self._mark, str(round(self._seconds)), str(SENTINEL.port)]
        calls = [partial(bench.sut.run, seat, argv, seconds=SUBSCRIBED_S) for seat in self._restarts]
        for done in bench.sut.cluster.gather(calls):
            done.check()
        self._provoke(bench)

    def await_effect(self, bench: Bench) -> None:
        """Return when the first has died, with the others disarmed: the second try is to succeed."""
        super().await_effect(bench)
        self._disarm(bench)
        said = wait.eventually(
            lambda: bench.sut.cluster.logs(self.hit, SENTINEL.container, previous=True),
            lambda text: "+try-failover" in text,
            seconds=READY_S,
            what=f"the log of the {self.hit} that died",
        )
        self.was_elected = "+elected-leader" in said.rpartition("+try-failover")[2]

    def heal(self, bench: Bench) -> None:
        """Disarm every watcher."""
        self._disarm(bench)

    def _disarm(self, bench: Bench) -> None:
        wait.eventually(partial(self._armed, bench), lambda left: not left, seconds=READY_S, what="watchers disarmed")

    def _armed(self, bench: Bench) -> dict[str, str]:
        left: dict[str, str] = {}
        for seat in self._restarts:
            try:
                bench.sut.run(seat, ["sh", "-c", DISARM, "disarm", self._mark]).check()
            except HarnessError as error:  # it may be on its way back
                left[seat] = str(error)
        return left

    def _is_ours(self, ended: dict[str, Any]) -> bool:
        return ended.get("exitCode") == 0  # SHUTDOWN; nothing else ends a Sentinel so


def _cleared(bench: Bench, seats: Sequence[str]) -> dict[str, str]:
    """Clear the flags on every Sentinel; return which could not be told and why."""
    left: dict[str, str] = {}
    for seat in seats:
        try:
            told(bench, seat, CLEAR)
        except HarnessError as error:  # it may be on its way back
            left[seat] = str(error)
    return left


def clear_simulated_failures(cluster: Cluster) -> list[str]:
    """Take back the order to crash that an earlier run left with the Sentinels; return the seats that were told so."""
    sets = cluster.list("StatefulSet", fields=f"metadata.name={SENTINEL.stateful_set}")
    if not any(CRASHING in (found["metadata"].get("annotations") or {}) for found in sets):
        return []
    seats = SENTINEL.seats(sets[0]["spec"]["replicas"])
    for seat in seats:
        done = cluster.execute(seat, SENTINEL.container, ["redis-cli", "-p", str(SENTINEL.port), *CLEAR.split()])
        done.check()
    mark(cluster, CRASHING, None)
    return list(seats)


def mark(cluster: Cluster, name: str, value: str | None) -> None:
    """Put an annotation on the Sentinels' StatefulSet (not its template: no pod is replaced), or take it away."""
    body = {"metadata": {"annotations": {name: value}}}
    cluster.patch("StatefulSet", SENTINEL.stateful_set, body)


def restarts_of(pod: dict[str, Any]) -> int:
    """Return how often the Sentinel's container was restarted. Raises InjectionFailed when it has no status."""
    status = _status(pod)
    if status is None:
        raise InjectionFailed(f"{pod['metadata']['name']} has no container {SENTINEL.container} yet")
    return int(status["restartCount"])


def end_of(pod: dict[str, Any], *, since: int) -> dict[str, Any] | None:
    """Return how the Sentinel's container ended after its `since`-th restart; None while it has not."""
    status = _status(pod) or {}
    now = status.get("state", {}).get("terminated")
    if now:
        return dict(now)
    if status.get("restartCount", 0) > since:
        return dict(status.get("lastState", {}).get("terminated") or {})
    return None


def _status(pod: dict[str, Any]) -> dict[str, Any] | None:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return next((each for each in statuses if each["name"] == SENTINEL.container), None)
