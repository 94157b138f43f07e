"""Check 12 of 12: losing the primary stops writes for no longer than promised, and another instance takes over."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import Paused, SeatEmpty

pytestmark = [pytest.mark.drill, pytest.mark.core]


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
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "unplanned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


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
