"""Check 12 of 12: losing the primary stops writes for no longer than promised, and another instance takes over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from harness.budget import CRASH
from harness.drill import EVERY_FAULT, Drill
from harness.faults import (
    Bench,
    ClientsPaused,
    Fault,
    Isolated,
    KilledTwice,
    NodeDisconnected,
    NodePaused,
    NodeStopped,
    Paused,
    RolledOut,
    SeatEmpty,
    needs,
)
from harness.providers import DisconnectsNodes, PausesNodes, StopsNodes
from harness.sut.names import REDIS, SENTINEL
from harness.witness_pod import NAME as WITNESS

pytestmark = pytest.mark.drill


@pytest.mark.core
def test_failover_when_the_primary_pod_is_deleted_and_its_seat_stays_empty(drill: Drill) -> None:
    """Deleting the primary's pod hands over to a replica: writes stand still for at most 30 s and none is lost."""
    old = drill.primary

    with drill.writing():
        with drill.felled(SeatEmpty(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.no_write_is_altered(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "planned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


@pytest.mark.core
def test_failover_when_the_primary_is_killed_with_its_pod(drill: Drill) -> None:
    """A primary killed without a word is replaced by the Sentinels: writes stand still for at most 30 s."""
    old = drill.primary

    with drill.writing():
        with drill.felled(SeatEmpty(old, abruptly=True)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "unplanned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


@pytest.mark.core
def test_failover_when_the_primary_is_paused_and_resumed(drill: Drill) -> None:
    """A frozen primary is replaced; resumed, it takes no write beside its successor, whom it follows in the end."""
    old = drill.primary

    with drill.writing():
        with drill.felled(Paused(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "unplanned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


@dataclass(frozen=True)
class Way:
    """A way to lose the primary. `needs`: what the provider must be able to do. `alone`: it may go on serving.

    `reborn`: it is back from its AOF before it is replaced, so what that lacks may be lost. `no_budget` says why the
    computed budget of a crash is not asked for; empty: it is.
    """

    fault: Callable[[Drill], Fault]
    needs: type[object] = object
    alone: bool = False
    reborn: bool = False
    no_budget: str = ""


WAYS = {
    "its process killed twice": Way(lambda drill: KilledTwice(drill.primary), reborn=True),
    "its container frozen": Way(lambda drill: Paused(drill.primary, by="freezer")),
    "its clients paused": Way(
        lambda drill: ClientsPaused(drill.primary, seconds=drill.detection_and_election_s),
        no_budget="the pause ends by itself, by then at the latest the old one answers again",
    ),
    "its node paused": Way(lambda drill: NodePaused(drill.primary), PausesNodes),
    "its node stopped": Way(lambda drill: NodeStopped(drill.primary), StopsNodes),
    "its node off the network": Way(lambda drill: NodeDisconnected(drill.primary), DisconnectsNodes, alone=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_failover_whatever_fells_the_primary(drill: Drill, bench: Bench, way: str) -> None:
    """However the primary is lost, another one takes over within the promise, and the old one follows it in the end."""
    old, fell = drill.primary, WAYS[way]
    refusal = needs(bench.provider, fell.needs)
    if refusal:
        pytest.skip(refusal)

    with drill.writing():
        if fell.reborn:
            drill.await_writes_that_the_aof_must_have()
        with drill.felled(fell.fault(drill)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    if not fell.no_budget:
        assert drill.is_within_budget(), drill.explain()
    if fell.alone:
        assert drill.a_stale_primary_takes_writes_for_at_most(drill.allowed_lag_s), drill.explain()
    else:
        assert drill.never_two_writable_primaries(), drill.explain()
        assert drill.only_what_such_a_crash_may_cost_is_lost(reborn=fell.reborn), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


ENDS: dict[str, Callable[[str], Fault]] = {
    "primary killed with its pod": lambda seat: SeatEmpty(seat, abruptly=True),
    "primary paused": Paused,
}


@pytest.mark.parametrize("end", ENDS)
def test_failover_with_one_sentinel_cut_off(drill: Drill, end: str) -> None:
    """Two of three Sentinels replace the primary within the promise; the third one learns it when it is back."""
    old, third = drill.primary, SENTINEL.seats()[2]

    with drill.writing():
        with drill.felled(Isolated(third, but=[WITNESS])):
            with drill.felled(ENDS[end](old)) as crash:
                new = drill.primary_other_than(old)
                drill.await_writes()
            drill.still_names(third, old)
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after=str(crash)), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.every_sentinel_names(new), drill.explain()
    assert old in drill.now.replicas, drill.explain()


def test_failover_twice_in_a_row(drill: Drill) -> None:
    """A new primary lost as soon as the old one is back is replaced as well; writes never stand still for over 30 s."""
    first = drill.primary

    with drill.writing():
        with drill.felled(SeatEmpty(first, abruptly=True)):
            second = drill.primary_other_than(first)
            drill.await_writes()
        with drill.felled(SeatEmpty(second, abruptly=True)):
            third = drill.primary_other_than(second)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after=EVERY_FAULT), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.promoted_were(second, third), drill.explain()
    assert drill.now.primaries == (third,), drill.explain()


def test_failover_before_the_old_primary_has_caught_up(drill: Drill) -> None:
    """The new primary lost while the old one does not follow yet: the one that does takes over, not the old one."""
    old = drill.primary

    with drill.writing():
        with drill.felled(Paused(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        follower = next(seat for seat in drill.replicas if seat != new)
        with drill.felled(SeatEmpty(new, abruptly=True)):
            drill.primary_is(follower)
            drill.await_writes()
        drill.await_steady()

    assert drill.was_not_following_when(old, "seat_empty"), drill.explain()
    assert drill.promoted_were(new, follower), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after=EVERY_FAULT), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (follower,), drill.explain()


def test_failover_during_a_rolling_restart(drill: Drill) -> None:
    """A primary killed while a rollout has another pod in hand is replaced, writes stand still for at most 30 s."""
    with drill.writing():
        with drill.felled(RolledOut(REDIS.stateful_set)):
            struck = drill.who_is_primary()
            with drill.felled(SeatEmpty(struck, abruptly=True)):
                drill.primary_other_than(struck)
                drill.await_writes()
        drill.await_steady()

    assert drill.was_replaced_within_its_course(struck, "seat_empty", CRASH), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="seat_empty"), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.every_pod_is_another(), drill.explain()
