"""Every Sentinel watches the same primary, knows everybody, could act in time, and can keep what it learns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.properties import require_something
from harness.sut.names import KINDS, PROMISED_FAILOVER_S, SENTINEL, kind_of, seat_of
from harness.sut.topology import Member, SentinelView, Topology

#: What follows detection in an undisturbed failover: agreement, election, promotion, the clients' reconnection.
#: Measured 1.3 s at most; the source allows 1 s each for asking, desynchronisation and INFO, and 2 s for the switch to
#: be told (sentinel.c:83-95 of 7.2.5).
AFTER_DETECTION_S = 5.0

#: A vanished address resets no link, so the down-after runs from the unanswered PING: up to one ping period more.
PING_PERIOD_S = 1.0

PROMISED_SEATS = frozenset(seat for kind in KINDS for seat in kind.seats())


def against_monitoring(topology: Topology) -> Iterator[str]:
    """Yield what is wrong with what the Sentinels see and with their settings."""
    require_something(topology.sentinels, "Sentinel that answers")
    yield from (f"{seat} does not answer: {why}" for seat, why in topology.silent.items() if kind_of(seat) is SENTINEL)
    named = {seat_of(view.primary_host) for view in topology.sentinels}
    if len(named) > 1:
        yield f"the Sentinels name different primaries: {', '.join(sorted(named))}"
    for view in topology.sentinels:
        yield from _against_settings(view, topology.sentinels_due)
        yield from _against_view(view, topology)


def _against_settings(view: SentinelView, sentinels: int) -> Iterator[str]:
    majority = sentinels // 2 + 1
    if view.quorum < majority:
        yield (
            f"{view.seat} has quorum {view.quorum}, {majority} is due: "
            f"{view.quorum} of {sentinels} Sentinels could call a healthy primary down"
        )
    if view.quorum > majority:
        yield (
            f"{view.seat} has quorum {view.quorum}, {majority} is due: "
            f"with {sentinels - view.quorum + 1} Sentinel(s) lost nobody would be promoted"
        )
    slowest = view.down_after_s + PING_PERIOD_S + AFTER_DETECTION_S
    if slowest > PROMISED_FAILOVER_S:
        yield (
            f"{view.seat} needs up to {slowest:.0f} s for a failover (down-after {view.down_after_s:.0f} s), "
            f"{PROMISED_FAILOVER_S:.0f} s are promised"
        )
    if view.failover_timeout_s > PROMISED_FAILOVER_S:
        yield (
            f"{view.seat} has failover-timeout {view.failover_timeout_s:.0f} s: it would wait "
            f"{2 * view.failover_timeout_s:.0f} s after a failed attempt; {PROMISED_FAILOVER_S:.0f} s are promised"
        )
    if view.parallel_syncs != 1:
        yield f"{view.seat} has parallel-syncs {view.parallel_syncs}: replicas would resynchronise at the same time"


def _against_view(view: SentinelView, topology: Topology) -> Iterator[str]:
    named = seat_of(view.primary_host)
    if named not in topology.primaries:
        yield f"{view.seat} names {named or 'nobody'} as primary; {_names(topology.primaries)} say that they are"
    down = view.primary_flags & {"s_down", "o_down", "disconnected"}
    if down:
        yield f"{view.seat} sees the primary {named} as {','.join(sorted(down))}"
    if view.tilt:
        yield f"{view.seat} is in tilt: it takes no action for 30 s"
    if not view.has_quorum:
        yield f"{view.seat} could not authorise a failover: {view.quorum_check}"
    redis = {pod.seat for pod in topology.pods if kind_of(pod.seat) is not SENTINEL} - {named}
    others = {pod.seat for pod in topology.pods if kind_of(pod.seat) is SENTINEL} - {view.seat}
    yield from _against_members(view.seat, "replica", view.replicas, redis)
    yield from _against_members(view.seat, "Sentinel", view.sentinels, others)


def _against_members(who: str, sort: str, members: Sequence[Member], due: set[str]) -> Iterator[str]:
    seen = {seat_of(member.host): member for member in members}
    yield from (f"{who} does not know the {sort} {seat}" for seat in sorted(due - set(seen)))
    for seat, member in seen.items():
        if seat not in due:
            if seat not in PROMISED_SEATS:  # an empty seat is the StatefulSet check's finding, not this one's
                yield f"{who} knows a {sort} {seat} that is no seat of this deployment: a leftover of an old address"
        elif not member.is_usable:
            yield f"{who} sees the {sort} {seat} as {','.join(sorted(member.flags))}"
        elif member.priority == 0:
            yield f"{who} would never promote {seat}: its replica-priority is 0"
    if len(members) != len(seen):
        yield f"{who} lists {len(members)} {sort}s for {len(seen)} seats: some entries are leftovers"


def _names(seats: Sequence[str]) -> str:
    return " and ".join(seats) or "nobody"
