"""Shrinking on made-up failures: what is returned was seen to fail, is the shortest where time allows, and in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.nemesis import Schedule, Shrunk, Step, shrink
from harness.nemesis.shrink import ERRORS_IN_A_ROW, Fails
from tests.unit.nemesis.made import schedule, schedules, step

PLENTY_S = 10.0**9

Predicate = Callable[[Schedule], bool | None]


@dataclass
class Laboratory:
    """A cluster that fails as `predicate` says; each trial takes as long as the schedule is predicted to take."""

    predicate: Predicate
    now: float = 0.0
    trials: list[tuple[Schedule, bool | None]] = field(default_factory=list)

    def fails(self, candidate: Schedule) -> bool | None:
        self.now += candidate.seconds
        outcome = self.predicate(candidate)
        self.trials.append((candidate, outcome))
        return outcome

    @property
    def seen(self) -> list[Schedule]:
        """What was tried, without repetitions."""
        return list(dict.fromkeys(candidate for candidate, _ in self.trials))

    def failed(self, candidate: Schedule) -> bool:
        """Whether it was seen to fail, at least once."""
        return (candidate, True) in self.trials

    def shrink(self, failing: Schedule, *, seconds: float = PLENTY_S, first: tuple[Schedule, ...] = ()) -> Shrunk:
        fails: Fails = self.fails
        return shrink(failing, fails, seconds=seconds, clock=lambda: self.now, first=first)


def same(one: Step, other: Step) -> bool:
    """Whether it is the same fault, whenever and however long."""
    return (one.fault, one.target, one.parameters) == (other.fault, other.target, other.parameters)


def needing(culprits: list[Step]) -> Predicate:
    """A failure that takes these faults, in this order, with anything in between."""

    def fails(candidate: Schedule) -> bool:
        rest = iter(candidate.steps)
        return all(any(same(culprit, each) for each in rest) for culprit in culprits)

    return fails


@st.composite
def failures(drawn: st.DrawFn) -> tuple[Schedule, list[Step]]:
    """A schedule, and some of its steps that together are the failure."""
    whole = drawn(schedules())
    places = drawn(st.sets(st.integers(0, len(whole.steps) - 1), min_size=1, max_size=4))
    return whole, [whole.steps[place] for place in sorted(places)]


@settings(deadline=None, database=None)
@given(failures())
def test_nothing_is_left_that_the_failure_does_not_take(failure: tuple[Schedule, list[Step]]) -> None:
    """With time enough, exactly the faults that it takes are left, each held for no time, without idle waits."""
    whole, culprits = failure
    laboratory = Laboratory(needing(culprits))

    found = laboratory.shrink(whole)

    assert len(found.schedule.steps) == len(culprits)
    assert needing(culprits)(found.schedule)
    assert found.is_minimal
    # an outer fault has to outlast the second one; apart from that nothing needs to be held
    assert all(group.step.held_s == 0 for group in found.schedule.groups if not group.inner)
    assert found.schedule == found.schedule.closed_up(pause_s=5) or found.schedule == whole
    # nothing is tried twice but the shortest, at the end
    assert found.trials == len(laboratory.trials) == len(laboratory.seen) + (found.schedule != whole)
    assert found.is_confirmed


@settings(deadline=None, database=None)
@given(schedules(most_minutes=15), st.data())
def test_what_is_returned_was_seen_to_fail_whatever_the_failure(whole: Schedule, data: st.DataObject) -> None:
    """Failures by chance, trials that broke, too little time: never a schedule that was not seen to fail."""
    draw = st.sampled_from([True, True, False, None])
    laboratory = Laboratory(lambda _: data.draw(draw))
    seconds = data.draw(st.integers(0, 2 * whole.seconds))

    found = laboratory.shrink(whole, seconds=seconds)

    assert found.schedule == whole or laboratory.failed(found.schedule)
    assert not found.is_confirmed or laboratory.trials[-1] == (found.schedule, True)
    assert len(found.schedule.steps) <= len(whole.steps)
    assert laboratory.now <= seconds
    outcomes = [outcome for _, outcome in laboratory.trials]
    assert (found.trials, found.failed, found.unjudged) == (len(outcomes), outcomes.count(True), outcomes.count(None))


@settings(deadline=None, database=None)
@given(failures(), st.integers(0, 20_000))
def test_search_keeps_to_its_time(failure: tuple[Schedule, list[Step]], seconds: int) -> None:
    """No trial is begun that is predicted to end too late, and what was cut short does not claim to be minimal."""
    whole, culprits = failure
    laboratory = Laboratory(needing(culprits))

    found = laboratory.shrink(whole, seconds=seconds)

    assert laboratory.now <= seconds
    assert needing(culprits)(found.schedule)
    if found.is_minimal:
        assert len(found.schedule.steps) == len(culprits)


@settings(deadline=None, database=None)
@given(failures())
def test_minimal_is_claimed_only_if_every_smaller_one_was_seen_to_hold(failure: tuple[Schedule, list[Step]]) -> None:
    """A trial that could not be judged is no pass: with one of them in doubt the result is not called minimal."""
    whole, culprits = failure
    needed = needing(culprits)
    laboratory = Laboratory(lambda candidate: True if needed(candidate) else None)
    assume(len(whole.steps) > 1)

    found = laboratory.shrink(whole)

    assert needed(found.schedule)
    assert found.is_minimal is (len(found.schedule.steps) == 1)


def test_shortest_failing_hold_is_found() -> None:
    """Where a fault fails only if it is held for long enough, the hold is brought down to that."""
    whole = schedule(step(10, "paused", held_s=60), step(100), step(150, "paused", "one_replica", held_s=40))
    laboratory = Laboratory(lambda candidate: any(each.held_s >= 17 for each in candidate.steps))

    found = laboratory.shrink(whole)

    assert [each.held_s for each in found.schedule.steps] == [17]


def test_outer_fault_is_held_for_as_long_as_the_second_one_needs() -> None:
    """A failure of two composed faults stays one of two composed faults."""
    whole = schedule(step(10, "paused", held_s=60), step(15, "killed", "one_sentinel"), step(120))
    laboratory = Laboratory(lambda candidate: any(group.inner for group in candidate.groups))

    found = laboratory.shrink(whole)

    assert [(each.fault, each.held_s) for each in found.schedule.steps] == [("paused", 25), ("killed", 0)]


def test_suspicion_of_the_caller_is_tried_first() -> None:
    """Mostly the last leg fails by itself: one trial then saves many."""
    whole = schedule(*(step(30 * number) for number in range(1, 33)))
    last = whole.of(whole.steps[-1:])
    laboratory = Laboratory(lambda _: True)

    found = laboratory.shrink(whole, first=(last,))

    assert len(laboratory.seen) == 1
    assert [each.fault for each in found.schedule.steps] == ["killed"]


def test_shorter_trials_are_made_when_there_is_no_time_for_longer_ones() -> None:
    """What is left of the time is used: for the fault that is held long there is none, for the other there is."""
    long, short = step(10, "paused", held_s=60), step(100, "killed", "one_sentinel")
    laboratory = Laboratory(lambda _: True)

    found = laboratory.shrink(schedule(long, short), seconds=60, first=(schedule(long),))

    assert laboratory.seen == [schedule(short).closed_up(pause_s=5)]
    assert [each.target for each in found.schedule.steps] == ["one_sentinel"]
    assert found.ended == "the time for more was used up"


def test_search_gives_up_on_a_cluster_that_can_no_longer_be_judged() -> None:
    """After some trials in a row that broke, the time is not spent on more of them."""
    whole = schedule(*(step(30 * number) for number in range(1, 33)))
    laboratory = Laboratory(lambda _: None)

    found = laboratory.shrink(whole)

    assert len(laboratory.seen) == ERRORS_IN_A_ROW
    assert found.schedule == whole
    assert "could not be judged" in found.ended
    assert "perhaps not the shortest" in str(found)


def test_schedule_of_one_step_is_minimal_and_only_repeated() -> None:
    """There is nothing to leave out of it; whether it fails again is worth knowing."""
    steady, flaky = Laboratory(lambda _: True), Laboratory(lambda _: False)

    assert [(found.is_minimal, found.is_confirmed, found.trials) for found in map(one_step, (steady, flaky))] == [
        (True, True, 1),
        (True, False, 1),
    ]


def one_step(laboratory: Laboratory) -> Shrunk:
    return laboratory.shrink(schedule(step(10)))


def test_hold_at_the_edge_is_not_what_is_returned() -> None:
    """Seen on the cluster: a hold of 2 s failed by a hair once and held when it was replayed, 4 s failed every time."""
    whole = schedule(step(10, "paused", held_s=8))
    failed_at_the_edge: list[Schedule] = []

    def fails(candidate: Schedule) -> bool:
        held_s = candidate.steps[0].held_s
        if held_s == 2 and not failed_at_the_edge:
            failed_at_the_edge.append(candidate)
            return True
        return held_s >= 4

    found = Laboratory(fails).shrink(whole)

    assert failed_at_the_edge
    assert [each.held_s for each in found.schedule.steps] == [4]
    assert found.is_confirmed
    assert "failed again when repeated" in str(found)
