"""Faults of whole nodes: paused, stopped, taken off the network. Only a provider that made the nodes can do that."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from harness import wait
from harness.cluster.readiness import Readiness, is_ready, node_is_ready
from harness.errors import HarnessError, InjectionFailed
from harness.faults.base import Bench
from harness.faults.dead_man import TIMER_S, dead_mans_time
from harness.faults.hearing import Listener, listener_for
from harness.faults.nodes_guests import require_expendable
from harness.providers import DisconnectsNodes, PausesNodes, Provider, StopsNodes
from harness.sut.names import kind_of

#: Nothing of the node is heard any more at once; the first look may take a second.
SILENT_S = 20.0

#: A started node has its containers running after 5 s and answers exec after 10 (faults.md); one that was called lost
#: needs up to a heartbeat (10 s) more, and Redis its resync.
BACK_S = 120.0

WORDS: dict[type[object], str] = {
    PausesNodes: "pause nodes",
    StopsNodes: "stop nodes",
    DisconnectsNodes: "disconnect nodes",
}


def needs(provider: Provider | None, capability: type[object]) -> str | None:
    """Say why a fault that needs `capability` cannot be injected with this provider; None when it can."""
    if isinstance(provider, capability):
        return None
    who = f"provider {provider.name}" if provider is not None else "this bench has no provider, it"
    return f"{who} cannot {WORDS.get(capability, capability.__name__)}"


class NodeFault(ABC):
    """A fault of the node under a seat. It is proven from the seat of another node, and healed when all is back.

    The control plane is no witness of the effect: it calls a node NotReady only after 55 s (faults.md). Refused, as
    InjectionFailed, on a node that carries what the drills themselves need.
    """

    capability: ClassVar[type[object]]

    def __init__(self, seat: str, *, at_most_s: float = TIMER_S) -> None:
        self.seat = seat
        self.node = ""
        self._at_most_s = min(at_most_s, dead_mans_time())
        self._was_taken = False
        self._listener: Listener | None = None
        self._containers: dict[str, frozenset[str]] = {}

    @property
    def target(self) -> str:
        """The node, by its seat."""
        return f"{self.node or 'the node'} under {self.seat}"

    @property
    @abstractmethod
    def by_hand(self) -> str:
        """The command that gives the node back."""

    @property
    def on_ledger(self) -> dict[str, Any]:
        """Which node, and after how long the provider gives it back by itself."""
        return {"node": self.node, "timer_s": self._at_most_s}

    def prepare(self, bench: Bench) -> None:
        """Note the node, what runs on it, and a seat elsewhere that hears the target now."""
        refusal = needs(bench.provider, self.capability)
        if refusal:
            raise InjectionFailed(refusal)
        pods = bench.sut.pod_objects()
        self.node = pods.get(self.seat, {}).get("spec", {}).get("nodeName", "")
        if not self.node:
            raise InjectionFailed(f"{self.seat} sits on no node")
        require_expendable(bench.sut.cluster, self.node)
        self._containers = {
            seat: containers_of(pod) for seat, pod in pods.items() if pod["spec"].get("nodeName") == self.node
        }
        self._listener = listener_for(bench.sut, self.seat)
        if not self._listener.hears():
            raise InjectionFailed(f"{self.seat} is silent already: the fault could not be told from that")

    def inject(self, bench: Bench) -> None:
        """Order it from the provider."""
        self._take(bench.provider)
        self._was_taken = True

    def await_effect(self, bench: Bench) -> None:
        """Return when another seat, which is well itself, gets no answer from the target."""
        listener = self._listener
        if listener is None:
            raise HarnessError(f"nobody was chosen to listen to {self.seat} before its node was taken")
        wait.eventually(listener.hears, lambda heard: not heard, seconds=SILENT_S, what=f"silence of {self.seat}")

    def heal(self, bench: Bench) -> None:
        """Give the node back."""
        if self.node:
            self._give_back(bench.provider)

    def await_healed(self, bench: Bench) -> None:
        """Return when the target is heard, kubelet and injector answer, and node and pods are Ready."""
        if self.node:
            wait.eventually(lambda: self._is_back(bench), seconds=BACK_S, what=f"{self.node} as it was before")

    def _is_back(self, bench: Bench) -> Readiness:
        """Ask the node itself first: what the API server says of it may be older than the fault."""
        try:
            if not listener_for(bench.sut, self.seat).hears():
                return Readiness((f"{self.seat} is not heard from another node",))
            bench.injector.found(self.seat, kind_of(self.seat).container)  # by a shell on the node: the kubelet works
        except HarnessError as error:
            return Readiness((str(error),))
        reasons = list(node_is_ready(bench.sut.cluster.get("Node", self.node)).reasons)
        pods = bench.sut.pod_objects()
        for seat, before in self._containers.items():
            pod = pods.get(seat)
            reasons += self._against(seat, pod, before) if pod else [f"{seat} has no pod"]
        return Readiness(tuple(reasons))

    def _against(self, seat: str, pod: dict[str, Any], before: frozenset[str]) -> list[str]:
        """Say what keeps a pod of the node from being back."""
        del seat, before
        return list(is_ready(pod).reasons)

    @abstractmethod
    def _take(self, provider: Any) -> None:
        """Order the fault. The provider has the capability: `prepare` has seen to that."""

    @abstractmethod
    def _give_back(self, provider: Any) -> None:
        """Order its end."""


class NodePaused(NodeFault):
    """Every process of the node under a seat is frozen: connections stay open, nothing answers, clocks go on."""

    capability = PausesNodes

    @property
    def by_hand(self) -> str:
        """Let the node go on."""
        return f"docker unpause {self.node or f'the node of {self.seat}'}"

    def _take(self, provider: PausesNodes) -> None:
        provider.pause_node(self.node, at_most_s=self._at_most_s)

    def _give_back(self, provider: PausesNodes) -> None:
        provider.unpause_node(self.node)


class NodeStopped(NodeFault):
    """The node under a seat loses its power: every process ends at once, and other ones come when it is started."""

    capability = StopsNodes

    @property
    def by_hand(self) -> str:
        """Start the node."""
        return f"docker start {self.node or f'the node of {self.seat}'}"

    def _take(self, provider: StopsNodes) -> None:
        provider.stop_node(self.node, at_most_s=self._at_most_s)

    def _give_back(self, provider: StopsNodes) -> None:
        provider.start_node(self.node)

    def _against(self, seat: str, pod: dict[str, Any], before: frozenset[str]) -> list[str]:
        if self._was_taken and containers_of(pod) & before:
            return [f"{seat} is still told with a container from before the stop"]
        return list(is_ready(pod).reasons)


class NodeDisconnected(NodeFault):
    """Every packet from and to the node under a seat is dropped, established connections too; its processes go on."""

    capability = DisconnectsNodes

    @property
    def by_hand(self) -> str:
        """Start the node anew: packet rules do not outlive that."""
        return f"docker restart {self.node or f'the node of {self.seat}'}"

    def _take(self, provider: DisconnectsNodes) -> None:
        provider.disconnect_node(self.node, at_most_s=self._at_most_s)

    def _give_back(self, provider: DisconnectsNodes) -> None:
        provider.connect_node(self.node)


def containers_of(pod: dict[str, Any]) -> frozenset[str]:
    """Return the ids of a pod's containers as the API server knows them."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return frozenset(each["containerID"] for each in statuses if each.get("containerID"))
