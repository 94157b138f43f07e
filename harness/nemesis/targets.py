"""What a fault hits, in words that are looked up in the topology of the moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from harness.sut import Topology
from harness.sut.names import INSTANCES, kind_of, seat_of

Seats = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A word, how many instances of each kind it means, and who they are now (empty: there is nobody to be hit)."""

    word: str
    find: Callable[[Topology], Seats]
    redis: int = 0
    sentinels: int = 0
    has_primary: bool = False


def _primary(topology: Topology) -> Seats:
    """The one there is; of two, the one that most Sentinels name: the other one is cut off or has just come back."""
    if len(topology.primaries) == 1:
        return topology.primaries
    named = Counter(seat_of(view.primary_host) for view in topology.sentinels)
    return tuple(seat for seat in topology.primaries if 2 * named[seat] > topology.sentinels_due)


def _replicas(topology: Topology) -> Seats:
    return tuple(sorted(topology.replicas))


def _sentinels(topology: Topology) -> Seats:
    return tuple(sorted(view.seat for view in topology.sentinels))


def _redis(topology: Topology) -> Seats:
    return tuple(sorted(view.seat for view in topology.redis))


def _everything(topology: Topology) -> Seats:
    return tuple(sorted((pod.seat for pod in topology.pods), key=lambda seat: (kind_of(seat).stateful_set, seat)))


MAJORITY = INSTANCES // 2 + 1

TARGETS = {
    target.word: target
    for target in (
        Target("primary", _primary, redis=1, has_primary=True),
        Target("one_replica", lambda topology: _replicas(topology)[:1], redis=1),
        Target("another_replica", lambda topology: _replicas(topology)[-1:], redis=1),
        Target("all_replicas", _replicas, redis=INSTANCES - 1),
        Target("all_redis", _redis, redis=INSTANCES, has_primary=True),
        Target("one_sentinel", lambda topology: _sentinels(topology)[:1], sentinels=1),
        Target("another_sentinel", lambda topology: _sentinels(topology)[-1:], sentinels=1),
        Target("sentinel_majority", lambda topology: _sentinels(topology)[:MAJORITY], sentinels=MAJORITY),
        Target("all_sentinels", _sentinels, sentinels=INSTANCES),
        Target("everything", _everything, redis=INSTANCES, sentinels=INSTANCES, has_primary=True),
    )
}
