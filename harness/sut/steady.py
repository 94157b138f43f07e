"""The steady state: a predicate on a Topology, with reasons, that holds before and after every drill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.sut.names import seat_of
from harness.sut.topology import Member, RedisView, SentinelView, Topology


@dataclass(frozen=True, slots=True)
class Steadiness:
    """True when there is no reason against it."""

    reasons: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.reasons


def is_steady(topology: Topology) -> Steadiness:
    """Tell whether nothing is under way and nothing is missing, with every reason why not.

    One primary, everybody follows it directly with the link up, every Sentinel names it and sees all others, no member
    down or unknown, one config epoch, quorum reachable, no tilt and no cool-down (see cooldown.py), every pod Ready.

    Whether a replica's link is up is what the replica says: a Sentinel repeats that, up to 10 s late
    (docs/decisions/0035-the-link-is-what-the-replica-says.md).
    """
    return Steadiness(tuple(_against(topology)))


def _against(topology: Topology) -> Iterator[str]:
    yield from (f"{seat} has no pod" for seat in topology.absent)
    yield from (f"{seat} does not answer: {why}" for seat, why in topology.silent.items())
    yield from (f"{pod.seat} is being deleted" for pod in topology.pods if pod.terminating)
    yield from (f"{pod.seat} is not Ready" for pod in topology.pods if not pod.ready and not pod.terminating)
    if len(topology.primaries) != 1:
        yield f"primaries: {', '.join(topology.primaries) or 'none'} (one is due)"
        return
    primary = topology.instance(topology.primaries[0])
    if primary is None:  # pragma: no cover - a primary is taken from the instances
        return
    for view in topology.redis:
        yield from _against_instance(view, primary)
    for sentinel in topology.sentinels:
        yield from _against_sentinel(sentinel, topology, primary.seat)
    epochs = {view.config_epoch for view in topology.sentinels}
    if len(epochs) > 1:
        yield f"the Sentinels are in different config epochs: {sorted(epochs)}"


def _against_instance(view: RedisView, primary: RedisView) -> Iterator[str]:
    if view.loading:
        yield f"{view.seat} is loading its data set"
    if view.role == "primary":
        online = [link for link in view.replicas if link.state == "online"]
        if len(online) != len(view.replicas):
            yield f"{view.seat} has replicas that are not online: {[link.state for link in view.replicas]}"
        return
    if view.follows != primary.seat:
        yield f"{view.seat} follows {view.follows}, not {primary.seat}"
    if not view.link_up or view.syncing:
        yield f"{view.seat} has its link {'in sync' if view.syncing else 'down'}"
    if view.seat not in {seat_of(link.host) for link in primary.replicas}:
        yield f"{primary.seat} does not list {view.seat} as its replica"


def _against_sentinel(view: SentinelView, topology: Topology, primary: str) -> Iterator[str]:
    if seat_of(view.primary_host) != primary:
        yield f"{view.seat} names {seat_of(view.primary_host) or 'nobody'} as primary, not {primary}"
    if view.primary_flags != {"master"}:
        yield f"{view.seat} flags the primary {','.join(sorted(view.primary_flags))}"
    others = len(topology.sentinels) - 1
    yield from _against_members(view, "replica", view.replicas, set(topology.replicas))
    yield from _against_members(
        view, "Sentinel", view.sentinels, {other.seat for other in topology.sentinels} - {view.seat}
    )
    if len(view.sentinels) != others:
        yield f"{view.seat} knows {len(view.sentinels)} other Sentinels, not {others}"
    if not view.has_quorum:
        yield f"{view.seat} has no quorum: {view.quorum_check}"
    if view.tilt:
        yield f"{view.seat} is in tilt"
    if view.cooling_down_s > 0:
        left = f"{view.cooling_down_s:.0f} s"
        yield f"{view.seat} starts no failover for another {left} (an earlier one was not completed)"


def _against_members(view: SentinelView, kind: str, members: tuple[Member, ...], due: set[str]) -> Iterator[str]:
    known: set[str] = set()
    for member in members:
        seat = seat_of(member.host)
        known.add(seat)
        if seat not in due:
            yield f"{view.seat} knows a {kind} {seat} that is none"
        elif not member.is_usable:
            yield f"{view.seat} sees {kind} {seat} as {','.join(sorted(member.flags))}"
        elif not member.is_heard:
            yield f"{view.seat} has not heard {kind} {seat} for {member.silent_s:.1f} s"
    yield from (f"{view.seat} does not know {kind} {seat}" for seat in sorted(due - known))
