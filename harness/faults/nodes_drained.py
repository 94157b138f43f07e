"""A drain: the node is closed and its pods are evicted as their budgets allow it, as ``kubectl drain`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness import wait
from harness.cluster import Cluster
from harness.cluster.readiness import Readiness, is_ready
from harness.errors import InjectionFailed
from harness.faults.base import Bench
from harness.faults.eviction import asked_to_leave
from harness.faults.nodes_guests import require_expendable
from harness.faults.pods import BACK_S, CORDONED_BY, GONE_S, is_leaving, uncordon

#: Longest that a drain may be held up by budgets: the other pod's whole way back.
DRAINED_S = 120.0


@dataclass(frozen=True, slots=True)
class Guest:
    """A pod that has to leave."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return self.name


class Drained:
    """The node under a seat is cordoned and emptied by evictions; what a budget refuses is asked for again.

    Like ``kubectl drain`` it leaves DaemonSets' and static pods, and refuses pods that no controller would bring back.
    `refusals` is how often which pod was refused, and `words` what the API server said at first.
    """

    healed_by_sweep = True

    def __init__(self, seat: str) -> None:
        self.seat = seat
        self.node = ""
        self.refusals: dict[str, int] = {}
        self.words: dict[str, str] = {}
        self._guests: tuple[Guest, ...] = ()
        self._gone: set[str] = set()
        self._seats: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The node, by its seat."""
        return f"{self.node or 'the node'} under {self.seat}"

    @property
    def by_hand(self) -> str:
        """Uncordon the node."""
        return f"kubectl uncordon {self.node or f'the node of {self.seat}'}"

    def prepare(self, bench: Bench) -> None:
        """Note who has to leave. Raises InjectionFailed when the drills could not do without somebody there."""
        pods = bench.sut.pod_objects()
        self.node = pods[self.seat]["spec"].get("nodeName", "")
        if not self.node:
            raise InjectionFailed(f"{self.seat} sits on no node")
        require_expendable(bench.sut.cluster, self.node)
        self._guests = leaving(bench.sut.cluster, self.node)
        self._seats = tuple(seat for seat, pod in pods.items() if pod["spec"].get("nodeName") == self.node)

    def inject(self, bench: Bench) -> None:
        """Cordon the node, leave the suite's mark on it, and evict until nobody is refused any more."""
        cluster = bench.sut.cluster
        cluster.patch("Node", self.node, {"metadata": {"annotations": {CORDONED_BY: self.seat}}})
        cluster.cordon(self.node)
        left = list(self._guests)

        def refused() -> list[Guest]:
            left[:] = [guest for guest in left if not self._leaves(cluster, guest)]
            return left

        wait.eventually(refused, lambda guests: not guests, seconds=DRAINED_S, what=f"leave to empty {self.node}")

    def _leaves(self, cluster: Cluster, guest: Guest) -> bool:
        refusal = asked_to_leave(cluster.in_namespace(guest.namespace).evict, guest.name)
        if refusal is None:
            self._gone.add(guest.uid)
            return True
        self.refusals[guest.name] = self.refusals.get(guest.name, 0) + 1
        self.words.setdefault(guest.name, refusal)
        return False

    def await_effect(self, bench: Bench) -> None:
        """Return when every pod that had to leave is gone and the node takes no new one."""
        cluster = bench.sut.cluster
        uids = {guest.uid: guest for guest in self._guests}
        wait.eventually(
            lambda: [uids[uid] for uid in _uids_on(cluster, self.node) if uid in uids],
            lambda left: not left,
            seconds=GONE_S,
            what=f"the end of {', '.join(guest.name for guest in self._guests)}",
        )
        cluster.wait_for("Node", name=self.node, until=_is_closed, seconds=GONE_S, what=f"{self.node} closed")

    def heal(self, bench: Bench) -> None:
        """Uncordon the node and take the mark away."""
        if self.node:
            uncordon(bench.sut.cluster, self.node)

    def await_healed(self, bench: Bench) -> None:
        """Return when the node is open and its seats have pods that are Ready, new ones where one had to leave."""

        def back(pods: Sequence[dict[str, Any]]) -> Readiness:
            stay = [pod for pod in pods if pod["metadata"]["uid"] not in self._gone and not is_leaving(pod)]
            found = {pod["metadata"]["name"]: pod for pod in stay}
            reasons = [f"{seat} has no new pod" for seat in self._seats if seat not in found]
            reasons += [why for seat in self._seats if seat in found for why in is_ready(found[seat]).reasons]
            return Readiness(tuple(reasons))

        bench.sut.cluster.wait_for(
            "Node",
            name=self.node,
            until=lambda nodes: bool(nodes) and not _is_closed(nodes),
            seconds=BACK_S,
            what=f"{self.node} open",
        )
        bench.sut.cluster.wait_for("Pod", until=back, seconds=BACK_S, what=f"Ready pods on {', '.join(self._seats)}")


def leaving(cluster: Cluster, node: str) -> tuple[Guest, ...]:
    """Return the pods that a drain of `node` evicts, of every namespace.

    Raises InjectionFailed when one has no controller: nobody would bring it back.
    """
    guests = []
    for pod in _pods_on(cluster, node):
        meta = pod["metadata"]
        controller = next((each for each in meta.get("ownerReferences", []) if each.get("controller")), None)
        is_over = pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}
        if (controller and controller["kind"] in {"DaemonSet", "Node"}) or is_over:  # a static pod is its node's
            continue
        if controller is None:
            raise InjectionFailed(f"{node} cannot be drained: nobody would bring {meta['name']} back")
        guests.append(Guest(meta["namespace"], meta["name"], meta["uid"]))
    return tuple(guests)


def _pods_on(cluster: Cluster, node: str) -> list[dict[str, Any]]:
    namespaces = [found["metadata"]["name"] for found in cluster.list("Namespace")]
    where = f"spec.nodeName={node}"
    return [pod for name in namespaces for pod in cluster.list("Pod", fields=where, namespace=name)]


def _uids_on(cluster: Cluster, node: str) -> list[str]:
    return [pod["metadata"]["uid"] for pod in _pods_on(cluster, node)]


def _is_closed(nodes: Sequence[dict[str, Any]]) -> bool:
    return bool(nodes) and bool(nodes[0]["spec"].get("unschedulable"))
