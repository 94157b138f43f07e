"""Which replica takes over: never one that must not, and the one that has most."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import Configured, CutOff, Paused, SeatEmpty

pytestmark = pytest.mark.drill

PRIORITY = "replica-priority"


def test_promotion_never_of_a_replica_with_priority_0(drill: Drill) -> None:
    """Of two replicas the one with priority 0 is passed over, though it would be the first in line otherwise."""
    old, passed_over, other = drill.primary, drill.first_in_line, drill.second_in_line

    with drill.writing():
        with drill.felled(Configured(passed_over, PRIORITY, 0)):
            drill.sentinels_read_priority(passed_over, 0)
            with drill.felled(SeatEmpty(old, abruptly=True)):
                drill.primary_is(other)
                drill.await_writes()
        drill.await_steady()

    assert drill.promoted_were(other), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="seat_empty"), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_promotion_of_nobody_while_both_replicas_have_priority_0(drill: Drill) -> None:
    """With both replicas at priority 0 the Sentinels give up and say why; given their priority, one is promoted."""
    old, first, second = drill.primary, drill.first_in_line, drill.second_in_line

    with drill.writing():
        with (
            drill.felled_for_a_while(Configured(first, PRIORITY, 0)) as restore_the_first,
            drill.felled_for_a_while(Configured(second, PRIORITY, 0)) as restore_the_second,
        ):
            drill.sentinels_read_priority(first, 0)
            drill.sentinels_read_priority(second, 0)
            with drill.felled(SeatEmpty(old, abruptly=True)):
                drill.nobody_is_promoted_beside(old)
                restore_the_first()
                restore_the_second()
                drill.primary_other_than(old)
                drill.await_writes()
        drill.await_steady()

    assert drill.was_given_up_for_want_of_a_good_replica(), drill.explain()
    assert drill.nobody_was_promoted_before_the_healing_of("configured"), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="seat_empty"), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_promotion_of_the_replica_that_has_most(drill: Drill) -> None:
    """A replica that lags is passed over for the other, though it would be first in line otherwise: none is lost."""
    old, lagging, ahead = drill.primary, drill.first_in_line, drill.second_in_line

    with drill.writing():
        with drill.felled(CutOff(lagging, from_=[old])):
            drill.is_behind(lagging, ahead)
            with drill.felled(Paused(old)):
                drill.primary_is(ahead)
                drill.await_writes()
        drill.await_steady()

    assert drill.was_behind_when(lagging, ahead, "paused"), drill.explain()
    assert drill.promoted_were(ahead), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
