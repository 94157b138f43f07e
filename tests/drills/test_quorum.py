"""Nobody is promoted where the Sentinels cannot agree, or where there is nothing to replace."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import Isolated, Paused, PodsDeleted, ProcessKilled, SeatEmpty, SentinelsDown, SlowScript
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.drill


@pytest.mark.core
def test_quorum_lost_nobody_is_promoted_however_dead_the_primary(drill: Drill) -> None:
    """With two of three Sentinels cut off nobody is promoted while the primary stands still: it is primary again."""
    old = drill.primary
    first, second, _ = SENTINEL.seats()

    with drill.writing():
        with drill.felled(Isolated(first)), drill.felled(Isolated(second)), drill.felled(Paused(old)):
            drill.nobody_is_promoted_beside(old)
        drill.await_writes()
        drill.await_steady()

    assert drill.a_sentinel_saw_the_primary_down(), drill.explain()
    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (old,), drill.explain()


def test_quorum_kept_with_one_sentinel_cut_off(drill: Drill) -> None:
    """One Sentinel cut off changes nothing for clients, and it knows everybody again once it is back."""
    with drill.writing():
        with drill.felled(Isolated(SENTINEL.seats()[0])):
            drill.keeps_its_primary_for_as_long_as_detection_could_take(drill.primary)
        drill.await_steady()

    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()


def test_quorum_is_not_asked_for_a_replica_that_is_gone(drill: Drill) -> None:
    """One replica cut off: nobody is promoted, writes go on with the other one, and it catches up."""
    with drill.writing():
        with drill.felled(Isolated(drill.replicas[0])):
            drill.keeps_its_primary_for_as_long_as_detection_could_take(drill.primary)
        drill.await_steady()

    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_quorum_is_not_reached_by_a_script_shorter_than_down_after(drill: Drill) -> None:
    """A primary that is busy for less than down-after is not replaced, and nothing restarts it."""
    old = drill.primary
    with drill.writing():
        with drill.felled(SlowScript(old, seconds=drill.down_after_s / 2)):
            drill.await_writes()
            drill.keeps_its_primary_for_as_long_as_detection_could_take(old)
        drill.await_steady()

    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.nobody_was_restarted(), drill.explain()


def test_quorum_back_the_dead_primary_is_replaced_at_once(drill: Drill) -> None:
    """With two Sentinels gone a dead primary is not replaced; once they are back, a replica is promoted.

    It has not been dead for 10 x down-after when they return: after that a Sentinel that was restarted takes no replica
    for good enough, for it does not know since when the primary is down (docs/decisions/0034).
    """
    old = drill.primary
    first, second, _ = SENTINEL.seats()

    with drill.writing():
        with (
            drill.felled_for_a_while(SentinelsDown([first, second])) as majority_returns,
            drill.felled(Paused(old)),
        ):
            drill.nobody_is_promoted_beside(old)
            majority_returns()
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.a_sentinel_saw_the_primary_down(), drill.explain()
    assert drill.nobody_tried_before_the_majority_was_back(), drill.explain()
    assert drill.replaced_as_soon_as_the_majority_was_back(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="paused"), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()


def test_quorum_back_too_late_promotes_nobody_until_a_replica_is_started_anew(drill: Drill) -> None:
    """Sentinels that forgot since when the primary is dead take no replica for good but one that was started anew.

    That is the remedy of docs/decisions/0034: delete the pod of the replica that has most, then SENTINEL FAILOVER.
    Writes stand still until somebody does it; the drill lets the primary be dead for 10 x down-after first.
    """
    old = drill.primary
    stays, returns, remote = drill.sentinels_by_node(old)

    with drill.writing():
        with (
            drill.felled(Isolated(remote)),
            drill.felled_for_a_while(SeatEmpty(returns, abruptly=True)) as majority_returns,
            drill.felled(SeatEmpty(old, abruptly=True)),
        ):
            drill.nobody_is_promoted_until_links_are_down_for_too_long(old)
            with drill.felled(ProcessKilled(stays)):
                majority_returns()
            drill.await_giving_up()
            best = drill.has_most(drill.replicas)
            with drill.felled(PodsDeleted([best])):
                drill.a_sentinel_obeys_and_promotes([stays, returns])
                drill.primary_is(best)
                drill.await_writes()
        drill.await_steady()

    assert drill.a_sentinel_saw_the_primary_down(), drill.explain()
    assert drill.was_given_up_for_want_of_a_good_replica(), drill.explain()
    assert drill.nobody_was_promoted_before("pods_deleted", best), drill.explain()
    assert drill.promoted_were(best), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after=f"seat_empty({old})"), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (best,), drill.explain()
