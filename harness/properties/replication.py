"""One primary, everybody else follows it directly and keeps up, and each follower could take over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.properties import require_something
from harness.sut.names import SENTINEL, kind_of, seat_of
from harness.sut.topology import RedisView, Topology


def against_replication(topology: Topology) -> Iterator[str]:
    """Yield what is wrong with the roles and links of the instances that are there."""
    require_something(topology.redis, "Redis instance that answers")
    yield from (
        f"{seat} does not answer: {why}" for seat, why in topology.silent.items() if kind_of(seat) is not SENTINEL
    )
    primaries = topology.primaries
    if len(primaries) != 1:
        yield f"{' and '.join(primaries) or 'nobody'} say that they are primary; exactly one must"
    if len(topology.redis) > 1 and not topology.replicas:
        yield "no instance is a replica: every write is on one volume only"
    for view in topology.redis:
        if view.role == "replica":
            yield from _against_replica(view, topology)
    for seat in primaries:
        yield from _against_links(seat, topology)


def _against_replica(view: RedisView, topology: Topology) -> Iterator[str]:
    if view.follows in topology.replicas:
        yield f"{view.seat} follows {view.follows}, itself a replica: the chain is longer than one"
    elif view.follows not in topology.primaries:
        yield f"{view.seat} follows {view.follows}, which is not an instance of this deployment"
    if not view.link_up:
        yield f"{view.seat} has its link to {view.follows} down"
    if view.syncing:
        yield f"{view.seat} is in a full synchronisation"
    if view.priority == 0:
        yield f"{view.seat} has replica-priority 0: Sentinel never promotes it"


def _against_links(primary: str, topology: Topology) -> Iterator[str]:
    view = topology.instance(primary)
    if view is None:
        return
    linked = {seat_of(link.host): link for link in view.replicas}
    followers = {each.seat for each in topology.redis if each.follows == primary}
    for seat in sorted(followers - set(linked)):
        yield f"{primary} does not list {seat} among its replicas"
    for seat in sorted(set(linked) - followers):
        yield f"{primary} lists {seat} as a replica, which does not follow it"
    for seat, link in linked.items():
        if link.state != "online":
            yield f"{primary} sees its replica {seat} as {link.state}"


def against_progress(written_at: int, before: Mapping[str, int], after: Mapping[str, int]) -> Iterator[str]:
    """Yield the replicas whose offset did not pass `written_at`, the primary's offset after a write.

    Offsets (bytes of the replication stream) are keyed by seat.
    """
    require_something(after, "replica")
    for seat, offset in after.items():
        if offset < written_at:
            yield f"{seat} stands at offset {offset}, the write ended at {written_at} (before it: {before.get(seat)})"
