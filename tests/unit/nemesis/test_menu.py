from __future__ import annotations

import dataclasses

import pytest

from harness.faults import Fault
from harness.nemesis import MENU as REAL_MENU
from harness.nemesis import Entry, Menu, ScheduleError, Step
from harness.nemesis.menu import NOT_MISSED_S, REDIS_TO_SPARE, SENTINELS_TO_SPARE
from harness.nemesis.targets import TARGETS
from harness.providers import StopsNodes
from harness.sut.names import PROMISED_FAILOVER_S, REDIS
from tests.unit import topologies
from tests.unit.nemesis.made import MENU, nothing, schedule, step

TIMEOUT_S = 30.0


@pytest.mark.parametrize(("entry", "target"), [(entry, target) for entry in REAL_MENU for target in entry.targets])
def test_each_entry_makes_its_fault_from_each_of_its_targets(entry: Entry, target: str) -> None:
    """A line of the menu that does not fit its fault is found here, not in the third hour of a soak."""
    parameters = tuple((name, values[0]) for name, values in sorted(entry.parameters.items()))
    seats = REAL_MENU.seats(Step(0, entry.name, target), topologies.healthy())

    fault: Fault = REAL_MENU.fault(Step(0, entry.name, target, parameters=parameters), seats)

    assert seats
    assert len(seats) == TARGETS[target].redis + TARGETS[target].sentinels
    assert isinstance(fault.target, str)
    assert fault.target
    for verb in ("prepare", "inject", "await_effect", "heal", "await_healed"):
        assert callable(getattr(fault, verb))


def test_what_is_kept_apart_is_on_the_menu() -> None:
    """A name that nothing has keeps nothing apart."""
    names = {entry.name for entry in REAL_MENU}

    assert all(entry.not_with <= names for entry in REAL_MENU)


@pytest.mark.parametrize(
    ("second", "target", "objection"),
    [
        ("killed", "one_sentinel", ""),
        ("delayed", "all_sentinels", ""),
        ("killed", "one_replica", "2 Redis instances and 0 Sentinels would be gone at once"),
        ("deleted", "everything", "4 Redis instances and 3 Sentinels would be gone at once"),
        ("rolled", "all_sentinels", "is not combined with"),
    ],
)
def test_no_more_is_gone_at_once_than_the_deployment_promises_to_bear(second: str, target: str, objection: str) -> None:
    """One Redis instance and one Sentinel, also together; what only disturbs takes nothing away."""
    paused = step(10, "paused", "primary", held_s=60)

    assert objection in MENU.objection((paused, step(20, second, target)))
    assert bool(objection) == bool(MENU.objection((step(20, second, target), paused)))


def test_entry_may_say_that_it_goes_beyond_the_promise() -> None:
    """Quorum and primary lost at once is asked for only where an entry says so."""
    usual = Menu(
        Entry("a", nothing, ("primary",), predicted_s=1), Entry("b", nothing, ("sentinel_majority",), predicted_s=1)
    )
    daring = Menu(
        Entry("a", nothing, ("primary",), predicted_s=1),
        Entry("b", nothing, ("sentinel_majority",), predicted_s=1, beyond_promise=True),
    )
    both = (step(1, "a", "primary"), step(2, "b", "sentinel_majority", predicted_s=25))

    assert "2 Sentinels would be gone" in usual.objection(both)
    assert not daring.objection(both)
    assert daring.gap_s(both, TIMEOUT_S) == 45


def test_same_fault_twice_is_kept_apart_if_it_says_so() -> None:
    """An entry may name itself among those that it is not combined with."""
    alone = Menu(Entry("a", nothing, ("one_sentinel",), predicted_s=1, takes_away=False, not_with=frozenset({"a"})))
    other = step(2, "a", "one_sentinel")

    assert not alone.objection((other,))
    assert "a is not combined with a" in alone.objection((other, other))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (step(1, "eaten"), "the menu has no fault 'eaten' (it has: killed,"),
        (step(1, "killed", "everything"), "killed does not hit everything (it hits: primary,"),
        (step(1, "killed", held_s=1), "is held for longer than 0 s"),
        (step(1, "delayed", held_s=20), "delayed takes the parameters ms, both_ways"),
        (Step(1, "killed", "primary", parameters=(("x", 1),)), "killed takes the parameters none"),
    ],
)
def test_schedule_that_is_not_on_the_menu_is_refused(bad: Step, complaint: str) -> None:
    """A schedule written by hand, or by another version, is looked at before anything is broken."""
    with pytest.raises(ScheduleError) as refused:
        MENU.check(schedule(bad))

    assert complaint in str(refused.value)


def test_schedule_without_a_step_is_refused() -> None:
    """It would be gone through in no time, and prove nothing."""
    with pytest.raises(ScheduleError, match="has no step"):
        MENU.check(schedule())


def test_schedule_that_composes_what_is_kept_apart_is_refused() -> None:
    """The rule holds for files as it does for what is drawn."""
    outer = step(10, "paused", held_s=60)

    with pytest.raises(ScheduleError, match="at once: 2 Redis instances"):
        MENU.check(schedule(outer, step(15, "killed", "one_replica")))


@pytest.mark.parametrize(
    ("steps", "gap"),
    [
        ([step(0, "killed", "primary")], PROMISED_FAILOVER_S),
        ([step(0, "killed", "one_replica")], NOT_MISSED_S),
        ([step(0, "killed", "one_sentinel")], NOT_MISSED_S),
        ([step(0, "rolled", "all_redis")], PROMISED_FAILOVER_S),
        ([step(0, "delayed", "all_sentinels")], NOT_MISSED_S),
        ([step(0, "deleted", "everything", predicted_s=90)], 90 + 2 * TIMEOUT_S),
        ([step(0, "paused", "primary", held_s=50), step(5, "killed", "one_sentinel")], 30 + 2 * TIMEOUT_S),
        ([step(0, "paused", "one_replica", held_s=50), step(5, "killed", "one_sentinel")], NOT_MISSED_S),
    ],
)
def test_write_gap_allowed_follows_from_what_is_hit(steps: list[Step], gap: float) -> None:
    """The promise for the primary, nothing to be missed for the others, a second attempt where a leader may be lost."""
    assert MENU.gap_s(steps, TIMEOUT_S) == gap


def test_menu_takes_no_entry_that_cannot_be_right() -> None:
    """Unknown words, none at all, holds the wrong way round, a name twice."""
    for targets, held_s in ((("nobody",), (0, 0)), ((), (0, 0)), (("primary",), (5, 3))):
        with pytest.raises(ScheduleError, match="entry a of the menu"):
            Entry("a", nothing, targets, predicted_s=1, held_s=held_s)
    with pytest.raises(ScheduleError, match="same name"):
        Menu(*[Entry("a", nothing, ("primary",), predicted_s=1)] * 2)


def test_of_two_primaries_the_one_that_most_sentinels_name_is_hit() -> None:
    """The other one is cut off or has just come back. Where they do not agree it would be luck: the step waits."""
    healthy = topologies.healthy()
    quarrel = topologies.with_redis(healthy, "redis-1", role="primary")
    each_another = zip(quarrel.sentinels, REDIS.seats(), strict=True)
    undecided = dataclasses.replace(
        quarrel,
        sentinels=tuple(dataclasses.replace(view, primary_host=topologies.host(seat)) for view, seat in each_another),
    )

    assert MENU.seats(step(1), healthy) == ("redis-0",)
    assert MENU.seats(step(1), quarrel) == ("redis-0",)
    assert MENU.seats(step(1), undecided) == ()


NODES = Menu(
    Entry("node", nothing, ("primary",), predicted_s=9, whole_node=True, alone=True, needs=StopsNodes),
    Entry("muted", nothing, ("primary", "one_replica"), predicted_s=9, held_s=(0, 20), stops_writes=True),
    Entry("slow", nothing, ("primary",), predicted_s=9, takes_away=False),
    Entry("killed", nothing, ("one_sentinel",), predicted_s=9),
)


@pytest.mark.parametrize(
    ("steps", "gap"),
    [
        ([step(0, "node", "primary")], PROMISED_FAILOVER_S),  # its Sentinel goes too soon to lead
        ([step(0, "muted", "primary", held_s=20, predicted_s=9)], 29.0),
        ([step(0, "muted", "one_replica", held_s=20)], NOT_MISSED_S),
        ([step(0, "slow", "primary")], NOT_MISSED_S),
        # nobody is replaced, so it does not matter who would have led
        ([step(0, "muted", "primary", held_s=20, predicted_s=9), step(1, "killed", "one_sentinel")], 29.0),
        ([step(0, "slow", "primary"), step(1, "killed", "one_sentinel")], NOT_MISSED_S),
    ],
)
def test_primary_that_stays_allows_no_promotion(steps: list[Step], gap: float) -> None:
    """Slow, it has to serve on; cut off from its clients, for as long as that holds."""
    assert NODES.gap_s(steps, TIMEOUT_S) == gap


def test_node_takes_one_of_each_and_is_combined_with_nothing() -> None:
    """What is injected and proven from another pod may find that pod on the node that is gone."""
    node, slow = step(1, "node"), step(2, "slow")

    assert NODES.entry(node).takes("primary") == (1, 1)
    assert not NODES.objection((node,))
    assert "node is combined with nothing" in NODES.objection((node, slow))
    assert "node is combined with nothing" in NODES.objection((slow, node))


def test_fault_that_the_provider_cannot_do_is_refused_with_the_reason() -> None:
    """A cluster of the user's own has no nodes to be stopped; other faults can be had there."""
    assert NODES.refusal(step(1, "node"), None) == "this bench has no provider, it cannot stop nodes"
    assert NODES.refusal(step(1, "slow"), None) is None


def test_promise_leaves_a_majority() -> None:
    """What may be gone leaves an instance to promote, another to follow it, and two Sentinels to agree on it."""
    assert TARGETS["all_redis"].redis - REDIS_TO_SPARE == 2
    assert TARGETS["all_sentinels"].sentinels - SENTINELS_TO_SPARE == TARGETS["sentinel_majority"].sentinels
