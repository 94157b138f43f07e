"""Faults of name resolution: at one seat, or for the whole cluster."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

from harness import wait
from harness.cluster import Cluster
from harness.cluster.readiness import Readiness
from harness.errors import InjectionFailed, NotFound
from harness.faults.base import Bench
from harness.faults.injector import Spot
from harness.faults.timer import TIMER_S, Armed

NAMESPACE = "kube-system"
SERVICE = "kube-dns"
DEPLOYMENT = "coredns"
#: Where the number of replicas from before is kept, so that whoever finds it knows whose doing it is.
REPLICAS_BEFORE = "e2e.redis/replicas-before"

PORT = "53"
NAME = "kubernetes.default.svc.cluster.local"
EFFECT_S = 15.0
#: CoreDNS scaled up again answers after 4.6 s (faults.md §B).
BACK_S = 60.0


class DnsBlocked(Armed):
    """No name is resolved at one seat: port 53 is dropped there.

    `fails` fast: the question is refused on its way out, a lookup ends at once. Slow: the answer is dropped on its way
    in, a lookup ends with its own patience.
    """

    kind = "filtered"

    def __init__(self, seat: str, *, fails: Literal["fast", "slow"] = "slow", timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.fails = fails
        self._server = ""

    @property
    def target(self) -> str:
        """The seat and the way it fails."""
        return f"{self.seat}, lookups fail {self.fails}"

    def prepare(self, bench: Bench) -> None:
        """Note the pod and the name server's address; a name must be resolved now."""
        super().prepare(bench)
        self._server = name_server(bench.sut.cluster)
        wait.eventually(
            partial(self._lookup, bench),
            lambda said: said == "answered",
            seconds=EFFECT_S,
            what=f"a name resolved at {self.seat} before the fault",
        )

    def plan(self, bench: Bench) -> dict[str, Any]:
        """Drop questions or answers, by UDP and TCP."""
        way, port = ("out", "--dport") if self.fails == "fast" else ("in", "--sport")
        return {"drop": {way: [["-p", protocol, port, PORT] for protocol in ("udp", "tcp")]}}

    def await_effect(self, bench: Bench) -> None:
        """Return when a lookup from the pod's network fails in the way that is due."""
        due = "denied" if self.fails == "fast" else "timeout"
        wait.eventually(
            partial(self._lookup, bench),
            lambda said: said == due,
            seconds=EFFECT_S,
            what=f"a lookup at {self.seat} that is {due}",
        )

    def await_healed(self, bench: Bench) -> None:
        """Return when a lookup is answered."""
        wait.eventually(
            partial(self._lookup, bench),
            lambda said: said == "answered",
            seconds=BACK_S,
            what=f"a name resolved at {self.seat}",
        )

    def _lookup(self, bench: Bench) -> str:
        return bench.injector.lookup(self.spot, self._server, NAME)


class DnsDown:
    """CoreDNS has no pod: no name of the cluster is resolved by anybody.

    No timer on a node heals it, because it is a matter of the API: the sweep and `make heal` do.
    """

    healed_by_sweep = True

    target = "CoreDNS"

    def __init__(self, *, observed_at: str = "redis-0") -> None:
        self._observed_at = observed_at
        self._spot: Spot | None = None
        self._server = ""
        self._replicas = 0

    @property
    def by_hand(self) -> str:
        """Scale it up."""
        return f"kubectl --namespace {NAMESPACE} scale deployment/{DEPLOYMENT} --replicas={self._replicas or 1}"

    def prepare(self, bench: Bench) -> None:
        """Note the number of replicas, and from where it is felt."""
        deployment = bench.sut.cluster.get("Deployment", DEPLOYMENT, namespace=NAMESPACE)
        self._replicas = deployment["spec"]["replicas"]
        if not self._replicas:
            raise InjectionFailed(f"deployment {DEPLOYMENT} has no replica already")
        self._spot = bench.injector.spot(self._observed_at)
        self._server = name_server(bench.sut.cluster)

    def inject(self, bench: Bench) -> None:
        """Scale to 0, with the number from before in an annotation, by one request."""
        change = {"metadata": {"annotations": {REPLICAS_BEFORE: str(self._replicas)}}, "spec": {"replicas": 0}}
        bench.sut.cluster.patch("Deployment", DEPLOYMENT, change, namespace=NAMESPACE)

    def await_effect(self, bench: Bench) -> None:
        """Return when a lookup is not answered."""
        wait.eventually(
            partial(self._lookup, bench),
            lambda said: said != "answered",
            seconds=EFFECT_S,
            what=f"a lookup at {self._observed_at} that fails",
        )

    def heal(self, bench: Bench) -> None:
        """Scale up to what it was."""
        _restore(bench.sut.cluster, self._replicas)

    def await_healed(self, bench: Bench) -> None:
        """Return when all replicas are available and a lookup is answered."""
        bench.sut.cluster.wait_for(
            "Deployment",
            name=DEPLOYMENT,
            namespace=NAMESPACE,
            until=_is_available,
            seconds=BACK_S,
            what="CoreDNS available",
        )
        wait.eventually(
            partial(self._lookup, bench),
            lambda said: said == "answered",
            seconds=BACK_S,
            what=f"a name resolved at {self._observed_at}",
        )

    def _lookup(self, bench: Bench) -> str:
        # Asked anew each time: the pod on the seat may be another one by then.
        return bench.injector.lookup(bench.injector.spot(self._observed_at), self._server, NAME)


def name_server(cluster: Cluster) -> str:
    """Return the address of the cluster's name server."""
    return str(cluster.get("Service", SERVICE, namespace=NAMESPACE)["spec"]["clusterIP"])


def healed_by_sweep(cluster: Cluster) -> list[str]:
    """Scale CoreDNS up again if the suite had scaled it down; return the line that says so."""
    try:
        deployment = cluster.get("Deployment", DEPLOYMENT, namespace=NAMESPACE)
    except NotFound:
        return []
    before = deployment["metadata"].get("annotations", {}).get(REPLICAS_BEFORE)
    if before is None:
        return []
    _restore(cluster, int(before))
    return [f"CoreDNS was left without a pod by an earlier run: scaled to {before}"]


def _restore(cluster: Cluster, replicas: int) -> None:
    change = {"metadata": {"annotations": {REPLICAS_BEFORE: None}}, "spec": {"replicas": replicas}}
    cluster.patch("Deployment", DEPLOYMENT, change, namespace=NAMESPACE)


def _is_available(found: Sequence[dict[str, Any]]) -> Readiness:
    if not found:
        return Readiness(("there is no such deployment",))
    wanted, there = found[0]["spec"]["replicas"], found[0]["status"].get("availableReplicas", 0)
    return Readiness() if there >= wanted > 0 else Readiness((f"{there} of {wanted} replicas are available",))
