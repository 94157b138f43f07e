"""Network faults: packets of a pod dropped, held back, lost, squeezed, and connections cut.

Never by a NetworkPolicy: established connections live on under it (faults.md §B). Rules are in the pod's own network,
so they survive the container's restart and go with the pod; addresses in them are those of now, so a partner that is
replaced meanwhile is not cut off from again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any, Literal

from harness import wait
from harness.errors import InjectionFailed, NotFound
from harness.faults.base import Bench
from harness.faults.injector import Spot
from harness.faults.network_probe import PATIENCE_S, Observer, Seen
from harness.faults.timer import TIMER_S, Armed, answers
from harness.sut.names import KINDS, REDIS, SENTINEL, kind_of

Direction = Literal["both", "in", "out"]
Peers = Literal["redis", "sentinels", "clients"] | Sequence[str]

EFFECT_S = 15.0
#: TCP sends what was lost again after a pause that doubles with every loss: after a long cut an old connection needs
#: as long again, up to two minutes; a new one is heard at once, and that is what healing is measured by.
HEALED_S = 30.0


class NetworkFault(Armed):
    """A fault that an observer in another pod feels: the base of all here."""

    patience_s = PATIENCE_S
    load = 0

    def __init__(self, seat: str, *, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self._observer: Observer | None = None

    @property
    def observer(self) -> Observer:
        """Who feels it. Raises InjectionFailed before `prepare`."""
        if self._observer is None:
            raise InjectionFailed(f"nobody observes {self.seat} yet")
        return self._observer

    def vantages(self, bench: Bench) -> Iterator[Spot]:
        """Yield from where it would be felt, best first: other pods of the same kind."""
        return running(bench, [seat for seat in kind_of(self.seat).seats() if seat != self.seat])

    def prepare(self, bench: Bench) -> None:
        """Note the pod; let the observer connect, so that it has an old connection when the fault comes.

        The first who is answered observes: another one may be under a fault of its own.
        """
        super().prepare(bench)
        troubles = []
        for vantage in self.vantages(bench):
            observer = Observer(vantage, self.spot, life_s=self.timer_s, patience_s=self.patience_s)
            try:
                self._observer = observer.start(bench, size=self.load)
            except InjectionFailed as error:
                observer.stop(bench)
                troubles.append(str(error))
            else:
                return
        raise InjectionFailed(f"nobody can observe {self.seat}: {'; '.join(troubles) or 'no other pod runs'}")

    def await_effect(self, bench: Bench) -> None:
        """Return when the observer feels it."""
        self.observer.sees(bench, self.is_felt, seconds=EFFECT_S, what=self.effect)

    def await_healed(self, bench: Bench) -> None:
        """Return when the observer is answered as before over a new connection; it ends then.

        If one of the two pods was replaced, it took the fault or the observer along: then an answer is enough.
        """
        try:
            if self._are_the_same(bench):
                self.observer.sees(bench, self.is_over, seconds=HEALED_S, what="heard again")
            else:
                answers(bench, self.seat)
        finally:
            self.observer.stop(bench)

    def _are_the_same(self, bench: Bench) -> bool:
        uids = {pod["metadata"]["uid"] for pod in bench.sut.cluster.list("Pod")}
        return {self.spot.pod, self.observer.vantage.pod} <= uids

    @property
    @abstractmethod
    def effect(self) -> str:
        """What the observer waits for, in words."""

    @abstractmethod
    def is_felt(self, seen: Seen) -> bool:
        """Whether what was seen is the effect."""

    def is_over(self, seen: Seen) -> bool:
        """Whether what was seen is usual: the last rounds were answered, and quickly."""
        return seen.new == "ok" and all(outcome == "ok" for outcome in seen.outcomes[-3:])


class Dropping(NetworkFault):
    """A fault that drops packets; beside the observer, the rules' own counters must rise."""

    kind = "filtered"

    def await_effect(self, bench: Bench) -> None:
        """Return when neither an old nor a new connection is answered, and the rules have dropped packets."""
        super().await_effect(bench)
        wait.eventually(
            partial(self.look, bench),
            lambda seen: any(seen["dropped"].values()),
            seconds=EFFECT_S,
            what=f"packets dropped at {self.seat}",
        )

    @property
    def effect(self) -> str:
        """Silence."""
        return "not answering, on an old nor on a new connection"

    def is_felt(self, seen: Seen) -> bool:
        """Whether nothing is answered."""
        return seen.nothing


class Isolated(Dropping):
    """The pod hears nobody and nobody hears it, established connections included.

    The node's own address is spared, so that the kubelet's probes do not restart it. `but` names pods that still reach
    it: a client trapped with the old primary is an isolation from everybody but that client.
    """

    def __init__(self, seat: str, *, but: Sequence[str] = (), timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self._but = tuple(but)

    @property
    def target(self) -> str:
        """The seat, and who still reaches it."""
        return f"{self.seat} but for {', '.join(self._but)}" if self._but else self.seat

    def plan(self, bench: Bench) -> dict[str, Any]:
        """Everything is dropped, but for the node and the pods that are to reach it."""
        spared = [spot.address for spot in running(bench, self._but)]
        if len(spared) != len(self._but):
            raise InjectionFailed(f"not all of {', '.join(self._but)} run: there is nobody to be spared")
        return {"spare": [*node_addresses(bench, self.spot), *spared], "drop": {"in": [[]], "out": [[]]}}


class CutOff(Dropping):
    """The pod is cut off from some: the other Redis, the Sentinels, the clients, or seats by name; others reach it.

    `direction` in: what they send is lost, what the pod sends arrives. Out: the other way round. For TCP either is
    enough to silence the pod for whoever is at the other end.
    """

    def __init__(self, seat: str, *, from_: Peers, direction: Direction = "both", timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.from_ = from_
        self.direction = direction

    @property
    def target(self) -> str:
        """The seat, from whom, and which way."""
        whom = self.from_ if isinstance(self.from_, str) else ", ".join(self.from_)
        ways = "" if self.direction == "both" else f", {self.direction}bound only"
        return f"{self.seat} from {whom}{ways}"

    @cached_property
    def peers(self) -> tuple[str, ...]:
        """The seats that it is cut off from; none when it is from the clients."""
        named = {"redis": REDIS.seats(), "sentinels": SENTINEL.seats(), "clients": ()}
        seats = named[self.from_] if isinstance(self.from_, str) else tuple(self.from_)
        return tuple(seat for seat in seats if seat != self.seat)

    def vantages(self, bench: Bench) -> Iterator[Spot]:
        """Yield those that it is cut off from; as clients the pods beside the deployment: the witness, say."""
        return running(bench, self.peers or _beside_the_deployment(bench))

    def plan(self, bench: Bench) -> dict[str, Any]:
        """Drop what comes from, or goes to, the addresses that these pods have now."""
        if not self.peers:
            return self._from_clients(bench)
        addresses = [spot.address for spot in running(bench, self.peers)]
        if not addresses:
            raise InjectionFailed(f"none of {', '.join(self.peers)} runs: there is nobody to be cut off from")
        return {"drop": self._ways([["-s", each] for each in addresses], [["-d", each] for each in addresses])}

    def _from_clients(self, bench: Bench) -> dict[str, Any]:
        """Clients are all who are no pod of the deployment; only the server's port is concerned, not DNS."""
        port = str(kind_of(self.seat).port)
        spared = [pod["status"]["podIP"] for pod in _of_the_deployment(bench) if pod["status"].get("podIP")]
        inbound, outbound = [["-p", "tcp", "--dport", port]], [["-p", "tcp", "--sport", port]]
        return {"spare": [*node_addresses(bench, self.spot), *spared], "drop": self._ways(inbound, outbound)}

    def _ways(self, inbound: list[list[str]], outbound: list[list[str]]) -> dict[str, list[list[str]]]:
        ways = {"in": inbound, "out": outbound}
        return {way: ways[way] for way in ways if self.direction in ("both", way)}


def running(bench: Bench, names: Sequence[str]) -> Iterator[Spot]:
    """Yield where those of the named pods are that run, in order."""
    for name in names:
        try:
            container = str(bench.sut.cluster.get("Pod", name)["spec"]["containers"][0]["name"])
            yield bench.injector.spot(name, container)
        except (InjectionFailed, NotFound):
            continue


def node_addresses(bench: Bench, spot: Spot) -> list[str]:
    """Return the addresses from which the node itself, and so its kubelet, speaks to its pods."""
    node = bench.sut.cluster.get("Node", spot.node)
    ranges = node["spec"].get("podCIDRs") or [node["spec"].get("podCIDR", "")]
    # The bridge of a node has the first address of its pods' range (CNI's host-local plugin, isGateway).
    bridges = [_first_of(each) for each in ranges if each and ":" not in each]
    return [address for address in [spot.host, *bridges] if address]


def _first_of(cidr: str) -> str:
    network, _, _ = cidr.partition("/")
    head, _, last = network.rpartition(".")
    return f"{head}.{int(last) + 1}"


def _of_the_deployment(bench: Bench) -> list[dict[str, Any]]:
    sets = {kind.stateful_set for kind in KINDS}
    return [
        pod
        for pod in bench.sut.cluster.list("Pod")
        if pod["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") == "redis-sentinel"
        or any(owner["name"] in sets for owner in pod["metadata"].get("ownerReferences", []))
    ]


def _beside_the_deployment(bench: Bench) -> list[str]:
    ours = {pod["metadata"]["name"] for pod in _of_the_deployment(bench)}
    return [pod["metadata"]["name"] for pod in bench.sut.cluster.list("Pod") if pod["metadata"]["name"] not in ours]
