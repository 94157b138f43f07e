"""The first primary returns while the one that replaced it is away: the third, which has most, stays or is primary."""

from __future__ import annotations

import pytest

from harness.budget import CRASH, SILENCE
from harness.drill import Drill
from harness.faults import Paused, SeatEmpty

pytestmark = pytest.mark.drill


def test_return_of_the_first_primary_after_the_second_was_replaced(drill: Drill) -> None:
    """Two primaries lost one after the other: the third takes no write alone, and takes them once the first is back."""
    first = drill.primary

    with drill.writing():
        with drill.felled_for_a_while(SeatEmpty(first, abruptly=True)) as first_returns:
            second = drill.primary_other_than(first)
            drill.await_writes()
            third = next(seat for seat in drill.replicas if seat != second)
            with drill.felled(SeatEmpty(second, abruptly=True)):
                drill.primary_is(third)
                first_returns()
                drill.await_writes()
        drill.await_steady()

    assert drill.promoted_were(second, third), drill.explain()
    assert drill.was_replaced_within_its_course(first, "seat_empty", CRASH), drill.explain()
    assert drill.was_replaced_within_its_course(second, "seat_empty", CRASH), drill.explain()
    assert drill.took_no_write_before_it_was_followed(third), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="seat_empty"), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (third,), drill.explain()


def test_return_of_the_first_primary_before_the_second_is_replaced(drill: Drill) -> None:
    """The first primary, back with older data while the second is missed, is not promoted: the third has more."""
    first = drill.primary

    with drill.writing():
        with drill.felled_for_a_while(Paused(first)) as first_returns:
            second = drill.primary_other_than(first)
            drill.await_writes()
            third = next(seat for seat in drill.replicas if seat != second)
            with drill.felled(SeatEmpty(second, abruptly=True)):
                first_returns()
                drill.primary_is(third)
                drill.await_replica(first)
                drill.await_writes()
        drill.await_steady()

    assert drill.was_back_before_its_successor(first, "paused", third), drill.explain()
    assert drill.promoted_were(second, third), drill.explain()
    assert drill.was_replaced_within_its_course(first, "paused", SILENCE), drill.explain()
    assert drill.was_replaced_within_its_course(second, "seat_empty", CRASH), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="seat_empty"), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (third,), drill.explain()
