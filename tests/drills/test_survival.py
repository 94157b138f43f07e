"""What was written before is there afterwards, whatever was restarted."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import ClaimAndPodLost, DataLost, PodsDeleted, RolledOut, SeatsEmpty
from harness.report.evidence import Evidence
from harness.sut.names import REDIS, SENTINEL

pytestmark = pytest.mark.drill

EVERYBODY = [*REDIS.seats(), *SENTINEL.seats()]


@pytest.mark.core
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


@pytest.mark.core
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


@pytest.mark.core
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


@pytest.mark.core
def test_data_survives_a_rollout_of_redis(drill: Drill, evidence: Evidence) -> None:
    """Redis restarted under load, pod by pod: every key is kept, and writes never stand still for over 30 s."""
    rollout = RolledOut(REDIS.stateful_set)

    with drill.dataset() as data:
        with drill.writing():
            with drill.felled(rollout):
                pass
            drill.await_writes()
            drill.await_steady()

        assert data.is_whole(), data.explain()

    gaps, losses = drill.gap_of_each_step(), drill.losses_of_each_step()
    evidence("; ".join(f"{step}, write gap {gaps.get(step.seat)} s, {losses.get(step.seat)}" for step in rollout.steps))
    assert drill.replaced_each_pod_in_turn(rollout), drill.explain()
    assert drill.each_step_has_its_gap(rollout, gaps), drill.explain()
    assert drill.no_step_lost_a_write(rollout, losses), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_data_survives_a_primary_reborn_empty(drill: Drill) -> None:
    """The primary's volume and pod lost: what returns empty on its seat takes nothing from the others, and follows."""
    old = drill.primary
    with drill.dataset() as data:
        with drill.writing():
            with drill.felled(ClaimAndPodLost(old)):
                drill.await_writes()
            drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert old in drill.now.replicas, drill.explain()


@pytest.mark.parametrize("with_pod", [False, True], ids=["in its pod", "with its pod"])
def test_data_survives_a_primary_that_is_back_empty_before_it_is_missed(drill: Drill, with_pod: bool) -> None:
    """The primary's data and process lost at once and it back before down-after: nobody throws data away for it.

    The Sentinels still name it when it starts, so as a primary it would have nothing and the others everything.
    """
    drill.renew_pods_that_restarted()
    old = drill.primary
    with drill.dataset() as data:
        keys = drill.fewest_keys()
        with drill.writing():
            with drill.felled(DataLost(old, with_pod=with_pod)) as lost:
                drill.nobody_else_has_fewer_keys_until_it_follows(old, keys)
                drill.await_writes()
            drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.was_felt_within(drill.down_after_s, lost), drill.explain()
    assert drill.kind == "unplanned", drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert old in drill.now.replicas, drill.explain()


def test_data_survives_all_six_killed_at_once(drill: Drill) -> None:
    """All Redis and Sentinels killed at once: what the AOF must have is there once they are back, on every instance."""
    with drill.dataset() as data:
        with drill.writing():
            drill.await_writes_that_the_aof_must_have()
            with drill.felled(SeatsEmpty(EVERYBODY, abruptly=True)):
                pass
            drill.await_steady()
            drill.await_writes()

        assert data.is_whole(), data.explain()

    assert drill.only_writes_that_the_aof_may_lack_are_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_data_survives_the_forced_deletion_of_all_six_pods(drill: Drill) -> None:
    """All six pods deleted by force: what the AOF must have is there once they are back, on every instance."""
    with drill.dataset() as data:
        with drill.writing():
            drill.await_writes_that_the_aof_must_have()
            with drill.felled(PodsDeleted(EVERYBODY, grace_s=0)):
                pass
            drill.await_steady()
            drill.await_writes()

        assert data.is_whole(), data.explain()

    assert drill.only_writes_that_the_aof_may_lack_are_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_data_survives_a_full_stop_and_start(drill: Drill) -> None:
    """Everything stopped in good order and started again: no key and no acknowledged write is lost."""
    with drill.dataset() as data:
        with drill.writing():
            with drill.felled(SeatsEmpty(EVERYBODY)):
                pass
            drill.await_steady()
            drill.await_writes()

        assert data.is_whole(), data.explain()

    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
