"""Faults of pods: deleted, gracefully or by force, or with the seat held empty by closing its node."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from harness import wait
from harness.cluster import Cluster
from harness.cluster.readiness import Readiness, is_ready
from harness.errors import HarnessError, WaitTimeout
from harness.faults.base import Bench
from harness.faults.injector import Process
from harness.sut.names import REDIS, kind_of

#: A graceful deletion may take the whole grace period (60 s for Redis, for its hand-over) and the kubelet's own time.
GONE_S = 75.0

#: A pod is back in seconds; Ready may have to wait for a resync behind a failover.
BACK_S = 90.0

#: Whether a container's preStop hook runs; a pattern that does not find itself.
HOOK_RUNS = "grep -qs hand-ove[r] /proc/[0-9]*/cmdline"
#: The kubelet hears of a deletion and starts the hook within a tenth of a second, on a busy machine within one.
HOOK_S = 2.0

#: Where a cordon of ours is noted on the node, so that the next run knows whose it is.
CORDONED_BY = "e2e.redis/cordoned-by"


class PodsDeleted:
    """The pods on some seats are deleted, all at the same time; their StatefulSet brings them back by itself.

    With `grace_s` 0 it is a forced deletion: the object goes at once, so the successor may start while the old process
    still runs its preStop hook (the kubelet leaves it 2 s; sentinel-facts.md §5.1). None: as long as the pod asks for.
    """

    def __init__(self, seats: Sequence[str], *, grace_s: int | None = None) -> None:
        self.seats = tuple(seats)
        self._grace_s = grace_s
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
        """Note the UIDs of the pods that will be deleted."""
        pods = bench.sut.pod_objects()
        self._uids = {seat: pods[seat]["metadata"]["uid"] for seat in self.seats}

    def inject(self, bench: Bench) -> None:
        """Delete all of them side by side."""
        bench.sut.cluster.gather([partial(self.delete, bench, seat) for seat in self.seats])

    def delete(self, bench: Bench, seat: str) -> None:
        """Delete the one pod that was noted on `seat`."""
        bench.sut.cluster.delete("Pod", seat, grace_s=self._grace_s, uid=self._uids[seat])
        self._gone.add(seat)

    def await_effect(self, bench: Bench) -> None:
        """Return when none of the old pods exists any more."""
        self._wait(bench, self._left, GONE_S, f"the end of {self.target}")

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: deleting is over when it has happened."""

    def await_healed(self, bench: Bench) -> None:
        """Return when every seat has a pod that is Ready, a new one where the deletion was granted."""
        self._wait(bench, self._back, BACK_S, f"new Ready pods on {self.target}")

    def _wait(self, bench: Bench, until: Any, seconds: float, what: str) -> None:
        bench.sut.cluster.wait_for("Pod", until=until, seconds=seconds, what=what)

    def _left(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        uids = {pod["metadata"]["uid"] for pod in pods}
        return Readiness(
            tuple(f"the old pod on {seat} is still there" for seat, uid in self._uids.items() if uid in uids)
        )

    def _back(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        found = {pod["metadata"]["name"]: pod for pod in pods}
        reasons: list[str] = []
        for seat, old in self._uids.items():
            if seat not in found:
                reasons.append(f"{seat} has no pod")
            elif found[seat]["metadata"]["uid"] == old and (seat in self._gone or is_leaving(found[seat])):
                reasons.append(f"{seat} still has its old pod")
            else:
                reasons += is_ready(found[seat]).reasons
        return Readiness(tuple(reasons))


def is_leaving(pod: dict[str, Any]) -> bool:
    """Whether its deletion is under way."""
    return bool(pod["metadata"].get("deletionTimestamp"))


class SeatEmpty:
    """The pod on a seat is deleted and its successor cannot start: the node that holds its volume is cordoned.

    `abruptly`, its process is killed with it, so that nothing can be handed over. A deletion with grace period 0 would
    not do: the kubelet still runs the preStop hook and a hand-over is made (seen with Kubernetes 1.34.2). Nor would a
    kill at the same instant: a kubelet that hears of the end of the container before it hears of the deletion starts
    it again, and that one hands over (seen once on a busy machine: a new process 0.6 s later, replaced 4 s after that).
    So a primary is killed as soon as its preStop hook runs, which looks on for a second before it does anything.
    """

    healed_by_sweep = True

    def __init__(self, seat: str, *, abruptly: bool = False) -> None:
        self.seat = seat
        self._abruptly = abruptly
        self._deleted = PodsDeleted([seat])
        self._process: Process | None = None
        self._hands_over = False
        self._node = ""

    @property
    def target(self) -> str:
        """The seat."""
        return self.seat

    @property
    def by_hand(self) -> str:
        """Uncordon the node."""
        return f"kubectl uncordon {self._node or f'the node of {self.seat}'}"

    def prepare(self, bench: Bench) -> None:
        """Note the pod and its node."""
        self._deleted.prepare(bench)
        pod = bench.sut.pod(self.seat)
        if pod is None or not pod.node:
            raise HarnessError(f"{self.seat} sits on no node: there is no seat to empty")
        self._node = pod.node
        if self._abruptly:
            self._process = bench.injector.found(self.seat, kind_of(self.seat).container)
            self._hands_over = kind_of(self.seat) is REDIS and bench.sut.redis_view(self.seat).role == "primary"

    def inject(self, bench: Bench) -> None:
        """Cordon the node, leave the suite's mark on it, then delete the pod (and, abruptly, kill its process).

        Deleted first: then the kubelet does not start the container again. The preStop hook it starts instead dies with
        the process, before it has done anything.
        """
        cluster = bench.sut.cluster
        cluster.patch("Node", self._node, {"metadata": {"annotations": {CORDONED_BY: self.seat}}})
        cluster.cordon(self._node)
        self._deleted.inject(bench)
        if self._hands_over:
            self._await_hook(bench)
        if self._process is not None:
            bench.injector.kill(self._process)

    def _await_hook(self, bench: Bench) -> None:
        """Return when the hook is seen among the container's processes, or was missed: then it is high time anyway."""
        with suppress(WaitTimeout):
            wait.eventually(
                lambda: bench.sut.run(self.seat, ["sh", "-c", HOOK_RUNS]).status == 0,
                seconds=HOOK_S,
                what=f"the preStop hook of {self.seat}",
            )

    def await_effect(self, bench: Bench) -> None:
        """Return when the old pod is gone and its successor waits for a node in vain."""
        self._deleted.await_effect(bench)
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=self._is_waiting,
            seconds=BACK_S,
            what=f"the successor of {self.seat} to be unschedulable",
        )

    def _is_waiting(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        conditions = [each for pod in pods for each in pod.get("status", {}).get("conditions", [])]
        if any(each.get("reason") == "Unschedulable" for each in conditions):
            return Readiness()
        return Readiness((f"{kind_of(self.seat).stateful_set} has not brought an unschedulable pod for {self.seat}",))

    def heal(self, bench: Bench) -> None:
        """Uncordon the node and take the mark away."""
        uncordon(bench.sut.cluster, self._node)

    def await_healed(self, bench: Bench) -> None:
        """Return when the seat has a new pod that is Ready."""
        self._deleted.await_healed(bench)


def uncordon(cluster: Cluster, node: str) -> None:
    """Make `node` schedulable again and forget that the suite had cordoned it."""
    cluster.uncordon(node)
    cluster.patch("Node", node, {"metadata": {"annotations": {CORDONED_BY: None}}})


def cordoned_by_the_suite(cluster: Cluster) -> list[str]:
    """Return the nodes that an earlier run cordoned and, killed in mid-drill, left so."""
    nodes = cluster.list("Node")
    return [node["metadata"]["name"] for node in nodes if CORDONED_BY in node["metadata"].get("annotations", {})]
