"""What was written before is there afterwards, whatever was restarted."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import PodsDeleted, RolledOut
from harness.sut.names import REDIS, SENTINEL

pytestmark = [pytest.mark.drill, pytest.mark.core]


@pytest.mark.parametrize("seat", [*REDIS.seats(), *SENTINEL.seats()])
def test_data_survives_the_deletion_of_one_pod(drill: Drill, seat: str) -> None:
    """With one pod deleted under load no key and no acknowledged write is lost; writes stand still for at most 30 s."""
    with drill.dataset() as data:
        with drill.writing():
            with drill.felled(PodsDeleted([seat])):
                drill.await_writes()
            drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_data_survives_the_deletion_of_all_redis_pods(drill: Drill) -> None:
    """With all three Redis pods deleted at once under load, no key and no acknowledged write is lost."""
    with drill.dataset() as data:
        with drill.writing():
            with drill.felled(PodsDeleted(REDIS.seats())):
                drill.await_writes()
            drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_data_survives_the_deletion_of_all_six_pods(drill: Drill) -> None:
    """With all Redis and Sentinel pods deleted at once under load, no key and no acknowledged write is lost."""
    with drill.dataset() as data:
        with drill.writing():
            with drill.felled(PodsDeleted([*REDIS.seats(), *SENTINEL.seats()])):
                drill.await_writes()
            drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_data_survives_a_rolling_restart(drill: Drill) -> None:
    """A rolling restart of Redis under load keeps every key, and writes stand still for at most 30 s at a time."""
    with drill.dataset() as data:
        with drill.writing():
            with drill.felled(RolledOut(REDIS.stateful_set)):
                pass
            drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
