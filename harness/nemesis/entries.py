"""What is on the menu. A new fault of the library is one more line here.

`predicted_s`: half as much again as was measured (docs/soak.md), and 10 s at least. Too little only stops the
schedule's clock, too much leaves the deployment alone for longer than was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.faults import (
    ConnectionsCut,
    CpuStarved,
    CutOff,
    Delayed,
    DnsBlocked,
    Fault,
    Isolated,
    Lossy,
    NodeDisconnected,
    NodePaused,
    NodeStopped,
    Paused,
    PodsDeleted,
    ProcessKilled,
    RolledOut,
    SeatEmpty,
    SentinelsPaused,
)
from harness.nemesis.menu import TWO_PRIMARIES_S, Entry, Menu
from harness.nemesis.targets import Seats
from harness.providers import DisconnectsNodes, PausesNodes, StopsNodes
from harness.sut.names import kind_of

ONE = ("primary", "one_replica", "another_replica", "one_sentinel", "another_sentinel")
MANY = ("all_redis", "all_sentinels", "everything")
SETS = ("all_redis", "all_sentinels")

#: appendfsync everysec holds writes back for up to 2 s (docs/decisions/0007); replicas lag by less.
CRASH = (2.0, 0.0)

REDIS = ("primary", "one_replica", "another_replica")
ONE_BUT_THE_PRIMARY = ("one_replica", "another_replica", "one_sentinel", "another_sentinel")
ONE_OR_ALL_SENTINELS = ("one_sentinel", "another_sentinel", "all_sentinels")

#: A Sentinel that stood still does nothing for so long (sentinel.c, sentinelCheckTiltCondition).
TILT_S = 30

#: A primary that hears its replicas no more counts them as good for min-replicas-max-lag (10 s), to the second.
STALE_S = 12.0

#: A primary that was cut off or stood still may take writes when it is heard again, after a hold of 40 s at most, until
#: it misses its replicas: their goodbyes were lost with everything else.
RETURNS = (CRASH[0], 40.0 + 8.0 + STALE_S)

#: A primary that only the Sentinels do not hear goes on until it misses its replicas: they leave it when another one is
#: promoted, up to 6 s of detection and 2 s of promotion after the fault; it takes writes for STALE_S after that.
UNHEARD = (0.0, 8.0 + STALE_S)

#: These make new pods. A seat is held empty by cordoning its node, so a pod that was there too could not come back.
MAKES_PODS = frozenset({"pod_deleted", "pods_deleted", "rolled_out", "seat_empty", "seat_empty_abruptly"})

#: Faults by address; they are not nested, for each needs to be heard where it is to be cut off.
CUTS = frozenset({"isolated", "cut_off_from_redis", "cut_off_from_clients", "cut_off_from_sentinels"})

#: These are proven from another pod, which has to hear the target first: not while that one is cut off.
HEARD = frozenset({"delayed", "lossy", "connections_cut"})

#: These end a container; what was done to the old one cannot be undone on the new one.
END_CONTAINERS = MAKES_PODS | {"process_killed"}


def one(fault: Callable[..., Fault], **fixed: Any) -> Callable[..., Fault]:
    """Make a fault of one seat from the one seat of its target."""
    return lambda seats, **parameters: fault(*seats, **fixed, **parameters)


def _rolled_out(seats: Seats) -> Fault:
    return RolledOut(kind_of(seats[0]).stateful_set)


def _stopped_short(seats: Seats) -> Fault:
    return SentinelsPaused(seats, pause=Paused)


MENU = Menu(
    Entry("process_killed", one(ProcessKilled), ONE, predicted_s=25, lost_around_s=CRASH),
    Entry("pod_deleted", PodsDeleted, ONE, predicted_s=25, not_with=MAKES_PODS),
    Entry("pods_deleted", PodsDeleted, MANY, predicted_s=90),
    Entry("seat_empty", one(SeatEmpty), ONE, predicted_s=20, held_s=(5, 60), not_with=MAKES_PODS),
    Entry(
        "seat_empty_abruptly",
        one(SeatEmpty, abruptly=True),
        ONE,
        predicted_s=20,
        held_s=(5, 60),
        not_with=MAKES_PODS,
        lost_around_s=CRASH,
    ),
    Entry(
        "paused",
        one(Paused),
        ONE,
        predicted_s=TILT_S + 15,
        held_s=(8, 40),
        lost_around_s=RETURNS,
        two_primaries_s=STALE_S,
    ),
    Entry(
        "isolated",
        one(Isolated),
        ONE,
        predicted_s=35,
        held_s=(8, 40),
        not_with=MAKES_PODS | HEARD | CUTS,
        lost_around_s=RETURNS,
        two_primaries_s=STALE_S,
    ),
    Entry("delayed", one(Delayed, ms=50, jitter_ms=20), REDIS, predicted_s=10, held_s=(10, 40), takes_away=False),
    Entry("lossy", one(Lossy, share=0.1), REDIS, predicted_s=10, held_s=(10, 40), takes_away=False),
    Entry("rolled_out", _rolled_out, SETS, predicted_s=100, one_by_one=True, not_with=MAKES_PODS),
    Entry(
        "cut_off_from_redis",
        one(CutOff, from_="redis"),
        REDIS,
        predicted_s=15,
        held_s=(8, 30),
        not_with=MAKES_PODS | HEARD | CUTS,
        stops_writes=True,
    ),
    Entry(
        "cut_off_from_clients",
        one(CutOff, from_="clients"),
        REDIS,
        predicted_s=10,
        held_s=(8, 30),
        not_with=MAKES_PODS | HEARD | CUTS,
        stops_writes=True,
    ),
    Entry(
        "cut_off_from_sentinels",
        one(CutOff, from_="sentinels"),
        REDIS,
        predicted_s=35,
        held_s=(8, 40),
        lost_around_s=UNHEARD,
        two_primaries_s=STALE_S,
        alone=True,
    ),
    Entry("connections_cut", one(ConnectionsCut), ONE, predicted_s=10, takes_away=False),
    Entry(
        "cpu_starved",
        one(CpuStarved),
        REDIS,
        predicted_s=10,
        held_s=(8, 30),
        not_with=END_CONTAINERS,
        takes_away=False,
    ),
    Entry("dns_blocked", one(DnsBlocked), ONE_BUT_THE_PRIMARY, predicted_s=TILT_S + 15, held_s=(8, 40)),
    Entry("sentinels_stopped_short", _stopped_short, ONE_OR_ALL_SENTINELS, predicted_s=TILT_S + 10),
    *(
        Entry(
            name,
            one(fault),
            REDIS,
            predicted_s=TILT_S + 30,
            held_s=(8, 40),
            lost_around_s=RETURNS if two_primaries_s else CRASH,
            two_primaries_s=two_primaries_s,
            whole_node=True,
            alone=True,
            needs=capability,
        )
        for name, fault, capability, two_primaries_s in (
            ("node_paused", NodePaused, PausesNodes, STALE_S),
            ("node_stopped", NodeStopped, StopsNodes, TWO_PRIMARIES_S),
            ("node_disconnected", NodeDisconnected, DisconnectsNodes, STALE_S),
        )
    ),
)
