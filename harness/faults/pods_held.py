"""Several seats held empty at once, by a quota that allows the namespace no new pod."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from harness import wait
from harness.cluster import Cluster
from harness.cluster.readiness import Readiness
from harness.errors import ManifestError
from harness.faults.base import Bench
from harness.faults.injector import Process
from harness.faults.pods import PodsDeleted
from harness.sut.names import kind_of

#: How a quota of ours is found again by the next run; a label that no node has, too.
HELD_BY = "e2e.redis/holds-seats-empty"

#: Changed on a StatefulSet to have its controller look again at once: what it was refused it tries again after pauses
#: that double each time, from 5 ms up to minutes (client-go's rate limiter for failed items).
NUDGE = "e2e.redis/nudge"

#: The quota controller fills a new quota's status in some ten milliseconds.
COUNTED_S = 10.0

#: A StatefulSet's controller is told of the end of its pod by a watch and tries at once.
REFUSED_S = 30.0
CREATED_S = 30.0


class SeatsEmpty:
    """The pods on some seats are deleted and none may be created, by a ResourceQuota of no pods at all.

    Chosen over cordons because it needs no node-bound volumes and touches no node; its price: as long as it lasts no
    other pod of the namespace can be created either. `abruptly`, each process is killed with its pod.
    """

    healed_by_sweep = True

    def __init__(self, seats: Sequence[str], *, abruptly: bool = False) -> None:
        self.seats = tuple(seats)
        self._abruptly = abruptly
        self._deleted = PodsDeleted(seats)
        self._processes: dict[str, Process] = {}
        self._quota = f"e2e-seats-empty-{uuid4().hex[:8]}"  # the refusals name it: they are those of this fault

    @property
    def target(self) -> str:
        """The seats."""
        return ", ".join(self.seats)

    @property
    def by_hand(self) -> str:
        """Remove the quota."""
        return f"kubectl delete resourcequota {self._quota}"

    def prepare(self, bench: Bench) -> None:
        """Note the pods."""
        self._deleted.prepare(bench)
        if self._abruptly:
            self._processes = {seat: bench.injector.found(seat, kind_of(seat).container) for seat in self.seats}

    def inject(self, bench: Bench) -> None:
        """Allow no new pod, then delete the old ones (and, abruptly, kill their processes)."""
        cluster = bench.sut.cluster
        cluster.apply([quota(self._quota)])
        cluster.wait_for(
            "ResourceQuota", name=self._quota, until=_is_counted, seconds=COUNTED_S, what="a quota that is enforced"
        )
        if self._abruptly:
            processes = list(self._processes.values())
            cluster.gather([partial(bench.injector.freeze, process) for process in processes])
            cluster.gather([partial(self._end, bench, seat) for seat in self.seats])
        else:
            self._deleted.inject(bench)

    def _end(self, bench: Bench, seat: str) -> None:
        """Delete a pod and kill its process right after, long before its preStop hook has done anything.

        Frozen before: a Sentinel would else end by itself, in good order, while the order to kill it is on its way.
        """
        self._deleted.delete(bench, seat)
        bench.injector.kill(self._processes[seat])

    def await_effect(self, bench: Bench) -> None:
        """Return when the old pods are gone, no other ones came, and a pod is refused because of this very quota.

        Refused to us: the StatefulSets' own attempts are told in events, and those are dropped when one object has more
        than 25 (client-go's spam filter), which it has soon in a run of drills.
        """
        self._deleted.await_effect(bench)
        wait.eventually(
            partial(_refusal, bench.sut.cluster),
            lambda told: self._quota in told,
            seconds=REFUSED_S,
            what="a refused pod",
        )
        bench.sut.cluster.wait_for("Pod", until=self._are_empty, seconds=REFUSED_S, what=f"{self.target} without pods")

    def _are_empty(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        there = {pod["metadata"]["name"] for pod in pods}
        return Readiness(tuple(f"{seat} has a pod" for seat in self.seats if seat in there))

    def heal(self, bench: Bench) -> None:
        """Remove the quota, and have the StatefulSets try again now."""
        cluster = bench.sut.cluster
        cluster.delete("ResourceQuota", self._quota, missing_ok=True)
        sets = sorted({kind_of(seat).stateful_set for seat in self.seats})

        def missing() -> list[str]:
            pods = bench.sut.pod_objects()
            absent = [seat for seat in self.seats if seat not in pods]
            for name in {kind_of(seat).stateful_set for seat in absent}:
                cluster.patch("StatefulSet", name, {"metadata": {"annotations": {NUDGE: uuid4().hex}}})
            return absent

        wait.eventually(missing, lambda seats: not seats, seconds=CREATED_S, what=f"pods on {self.target}")
        for name in sets:
            cluster.patch("StatefulSet", name, {"metadata": {"annotations": {NUDGE: None}}})

    def await_healed(self, bench: Bench) -> None:
        """Return when every seat has a new pod that is Ready."""
        self._deleted.await_healed(bench)


def _refusal(cluster: Cluster) -> str:
    """Ask for a pod that no node would take; return the words in which it is refused, empty when it is not."""
    name = f"e2e-refused-{uuid4().hex[:8]}"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"nodeSelector": {HELD_BY: "never"}, "containers": [{"name": "none", "image": "none"}]},
    }
    try:
        cluster.apply([pod])
    except ManifestError as error:
        return str(error)
    cluster.delete("Pod", name, grace_s=0, missing_ok=True)
    return ""


def quota(name: str) -> dict[str, Any]:
    """Return a quota that allows no pod to be created; those that are there may stay."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": name, "labels": {HELD_BY: "true"}},
        "spec": {"hard": {"count/pods": "0"}},
    }


def release_held_seats(cluster: Cluster) -> list[str]:
    """Remove the quotas that an earlier run left; return their names."""
    names = [found["metadata"]["name"] for found in cluster.list("ResourceQuota", selector=HELD_BY)]
    for name in names:
        cluster.delete("ResourceQuota", name, missing_ok=True)
    return names


def _is_counted(found: Sequence[dict[str, Any]]) -> Readiness:
    if found and "count/pods" in (found[0].get("status") or {}).get("hard", {}):
        return Readiness()
    return Readiness(("the quota controller has not counted it yet",))
