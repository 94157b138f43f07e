"""A second deployment of the same manifests beside the one that is tested, and whether the two keep apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from harness import wait
from harness.cluster import Cluster, Object
from harness.deploy import deploy, undeploy
from harness.errors import HarnessError
from harness.sut import Sut, Topology
from harness.sut.names import KEY_PREFIX, REDIS_SET

#: Long enough for hello messages (every 2 s) and INFO (every 10 s) to tell a Sentinel of whom it should not know.
HEARD_S = 15.0


class Neighbours:
    """Two deployments of one master name: `first` is the tested one, `second` the other."""

    def __init__(self, first: Sut, second: Sut) -> None:
        self.first = first
        self.second = second
        self._seen: list[str] = []

    @contextmanager
    def signed(self) -> Iterator[None]:
        """The state of each data set having a key that belongs there and nowhere else; on all replicas, too."""
        both = (self.first, self.second)
        for sut in both:
            sut.ask(sut.elected_primary(), f"SET {_signature(sut)} {sut.cluster.namespace}")
            sut.steady()
        try:
            yield
        finally:
            for sut in both:
                sut.ask(sut.elected_primary(), f"UNLINK {_signature(sut)}")

    def are_steady(self) -> None:
        """Return when both are steady. Raises SteadyStateError."""
        for sut in (self.first, self.second):
            sut.steady()

    def know_nobody_of_each_other(self) -> bool:
        """Whether no Sentinel and no primary names a host of another namespace, for long enough to hear of one."""
        self._seen = []
        wait.consistently(self._look, lambda _: True, seconds=HEARD_S, what="members of either deployment")
        return not self._seen

    def _look(self) -> None:
        for sut in (self.first, self.second):
            topology = sut.topology()
            if not topology.sentinels:
                raise HarnessError(f"no Sentinel of {sut.cluster.namespace} answers: there is nobody to be asked")
            self._seen += strangers(topology, sut.cluster.namespace)

    def hold_their_own_data(self) -> bool:
        """Whether every instance has the key of its own deployment and not that of the other."""
        for sut, other in ((self.first, self.second), (self.second, self.first)):
            own, foreign = _signature(sut), _signature(other)
            answers = sut.ask_each(f"GET {own}", f"EXISTS {foreign}", stateful_set=REDIS_SET)
            self._seen += [
                f"{seat} of {sut.cluster.namespace} has {own}={value!r}, {foreign} {found} times"
                for seat, (value, found) in answers.items()
                if (value, found) != (sut.cluster.namespace, 0)
            ]
        return not self._seen

    def explain(self) -> str:
        """Return what was seen that should not be."""
        return "\n".join(dict.fromkeys(self._seen)) or "the two deployments keep apart"


def strangers(topology: Topology, namespace: str) -> list[str]:
    """Return, in words, every host that a Sentinel or a primary names and that is not of `namespace`."""
    named = [(view.seat, view.primary_host) for view in topology.sentinels if view.primary_host]
    named += [(view.seat, each.host) for view in topology.sentinels for each in (*view.replicas, *view.sentinels)]
    named += [(view.seat, each.host) for view in topology.redis for each in view.replicas]
    return [f"{seat} of {namespace} names {host}" for seat, host in named if f".{namespace}.svc." not in host]


@contextmanager
def neighbour_of(first: Sut, cluster: Cluster, objects: Sequence[Object], say: Callable[[str], None]) -> Iterator[Sut]:
    """The state of a second deployment standing in the namespace of `cluster`; removed with everything at the end."""
    if cluster.namespace == first.cluster.namespace:
        raise HarnessError(f"a neighbour in {cluster.namespace} itself would be the tested deployment")
    second = Sut(cluster)
    try:
        deploy(cluster, objects, say)
        second.steady()
        yield second
    finally:
        second.close()
        undeploy(cluster)


def _signature(sut: Sut) -> str:
    return f"{KEY_PREFIX}signed:{sut.cluster.namespace}"
