"""What is on the menu. A new fault of the library is one more line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.faults import Delayed, Fault, Isolated, Lossy, Paused, PodsDeleted, ProcessKilled, RolledOut, SeatEmpty
from harness.nemesis.menu import Entry, Menu
from harness.nemesis.targets import Seats
from harness.sut.names import kind_of

ONE = ("primary", "one_replica", "another_replica", "one_sentinel", "another_sentinel")
MANY = ("all_redis", "all_sentinels", "everything")
SETS = ("all_redis", "all_sentinels")

#: appendfsync everysec holds writes back for up to 2 s (docs/decisions/0007); replicas lag by less.
CRASH = (2.0, 0.0)

REDIS = ("primary", "one_replica", "another_replica")

#: A Sentinel that stood still does nothing for so long (sentinel.c, sentinelCheckTiltCondition).
TILT_S = 30

#: A primary that hears its replicas no more counts them as good for min-replicas-max-lag (10 s), to the second.
STALE_S = 12.0

#: These make new pods. A seat is held empty by cordoning its node, so a pod that was there too could not come back.
MAKES_PODS = frozenset({"pod_deleted", "pods_deleted", "rolled_out", "seat_empty", "seat_empty_abruptly"})


def one(fault: Callable[..., Fault], **fixed: Any) -> Callable[..., Fault]:
    """Make a fault of one seat from the one seat of its target."""
    return lambda seats, **parameters: fault(*seats, **fixed, **parameters)


def _rolled_out(seats: Seats) -> Fault:
    return RolledOut(kind_of(seats[0]).stateful_set)


MENU = Menu(
    Entry("process_killed", one(ProcessKilled), ONE, predicted_s=25, lost_around_s=CRASH),
    Entry("pod_deleted", PodsDeleted, ONE, predicted_s=45, not_with=MAKES_PODS),
    Entry("pods_deleted", PodsDeleted, MANY, predicted_s=90),
    Entry("seat_empty", one(SeatEmpty), ONE, predicted_s=45, held_s=(5, 60), not_with=MAKES_PODS),
    Entry(
        "seat_empty_abruptly",
        one(SeatEmpty, abruptly=True),
        ONE,
        predicted_s=45,
        held_s=(5, 60),
        not_with=MAKES_PODS,
        lost_around_s=CRASH,
    ),
    Entry(
        "paused",
        one(Paused),
        ONE,
        predicted_s=TILT_S + 30,
        held_s=(8, 40),
        lost_around_s=CRASH,
        two_primaries_s=STALE_S,
    ),
    Entry(
        "isolated",
        one(Isolated),
        ONE,
        predicted_s=45,
        held_s=(8, 40),
        not_with=MAKES_PODS,
        lost_around_s=CRASH,
        two_primaries_s=STALE_S,
    ),
    Entry("delayed", one(Delayed, ms=50, jitter_ms=20), REDIS, predicted_s=15, held_s=(10, 40), takes_away=False),
    Entry("lossy", one(Lossy, share=0.1), REDIS, predicted_s=15, held_s=(10, 40), takes_away=False),
    Entry("rolled_out", _rolled_out, SETS, predicted_s=120, one_by_one=True, not_with=MAKES_PODS),
)
