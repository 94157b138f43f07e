"""Evictions: what a drain asks for, pod by pod, and what a disruption budget answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.cluster.connection import Refused
from harness.cluster.readiness import Readiness, is_ready
from harness.errors import InjectionFailed
from harness.faults.base import Bench
from harness.faults.pods import BACK_S, GONE_S, is_leaving

#: HTTP status of an eviction that a disruption budget forbids now (Kubernetes' api-eviction.md).
TOO_MANY_REQUESTS = 429
BY_BUDGET = "disruption budget"


class Evicted:
    """The eviction of the pods on some seats is asked for, one right after the other.

    `refused` says which were refused because their budget was used up, in the API server's words; the others went.
    """

    def __init__(self, *seats: str) -> None:
        self.seats = seats
        self.refused: dict[str, str] = {}
        self._uids: dict[str, str] = {}
        self._gone: set[str] = set()

    @property
    def target(self) -> str:
        """The seats."""
        return ", ".join(self.seats)

    @property
    def by_hand(self) -> str:
        """Nothing: the StatefulSets bring the pods back."""
        return f"wait until {self.target} are Ready; kubectl describe pod says what keeps them"

    def prepare(self, bench: Bench) -> None:
        """Note the UIDs of the pods."""
        pods = bench.sut.pod_objects()
        self._uids = {seat: pods[seat]["metadata"]["uid"] for seat in self.seats}

    def inject(self, bench: Bench) -> None:
        """Ask for each eviction. Raises InjectionFailed when one is refused for another reason than its budget."""
        for seat in self.seats:
            refusal = asked_to_leave(bench.sut.cluster.evict, seat)
            if refusal is None:
                self._gone.add(seat)
            else:
                self.refused[seat] = refusal

    def await_effect(self, bench: Bench) -> None:
        """Return when every pod whose eviction was granted is gone, and the refused ones are still there."""
        bench.sut.cluster.wait_for(
            "Pod", until=self._as_answered, seconds=GONE_S, what=f"the end of {', '.join(self.granted) or 'no pod'}"
        )

    @property
    def granted(self) -> tuple[str, ...]:
        """The seats whose pod had to leave."""
        return tuple(seat for seat in self.seats if seat not in self.refused)

    def _as_answered(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        uids = {pod["metadata"]["uid"] for pod in pods}
        reasons = [f"the old pod on {seat} is still there" for seat in self.granted if self._uids[seat] in uids]
        reasons += [f"{seat} left although it was refused" for seat in self.refused if self._uids[seat] not in uids]
        if not self.granted:
            reasons.append(f"no eviction was granted: {self.refused}")
        return Readiness(tuple(reasons))

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: an eviction is over when it has happened."""

    def await_healed(self, bench: Bench) -> None:
        """Return when every seat has a pod that is Ready, a new one where the eviction was granted."""
        bench.sut.cluster.wait_for("Pod", until=self._back, seconds=BACK_S, what=f"Ready pods on {self.target}")

    def _back(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        found = {pod["metadata"]["name"]: pod for pod in pods}
        reasons: list[str] = []
        for seat in self.seats:
            if seat not in found:
                reasons.append(f"{seat} has no pod")
            elif found[seat]["metadata"]["uid"] == self._uids[seat] and (seat in self._gone or is_leaving(found[seat])):
                reasons.append(f"{seat} still has its old pod")
            else:
                reasons += is_ready(found[seat]).reasons
        return Readiness(tuple(reasons))


def asked_to_leave(evict: Any, pod: str) -> str | None:
    """Evict `pod` by calling `evict`; return the API server's words when its budget is used up, None when it goes.

    Raises InjectionFailed when it is refused for any other reason.
    """
    try:
        evict(pod)
    except Refused as error:
        # A budget whose controller has not caught up yet answers 429 as well, and in other words.
        if error.status != TOO_MANY_REQUESTS:
            raise InjectionFailed(f"the eviction of {pod} was refused, and not by a budget: {error}") from error
        return str(error)
    return None
