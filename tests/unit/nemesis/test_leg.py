"""A leg on a played deployment: what is injected when, and what becomes of what goes wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from harness.checkers import Verdict
from harness.errors import ClusterError, HealFailed, InjectionFailed, WitnessError
from harness.nemesis import Leg
from tests.unit.budget.measured import CONFIGURATION
from tests.unit.nemesis.made import schedule, step
from tests.unit.nemesis.stage import Clock, Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage on which time passes only by waiting."""
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock.monotonic)
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.setattr("harness.drill.course.configuration_of", lambda _: CONFIGURATION)
    return Stage(clock, tmp_path)


def through(stage: Stage, *steps: object, begins_s: int = 0) -> tuple[Leg, Verdict]:
    leg = stage.leg("leg", begins_s)
    stage.said.clear()
    stage._began = stage.clock.now + 5  # the workload's first seconds are not the schedule's
    return leg, leg.through(schedule(*steps))  # type: ignore[arg-type]


def test_steps_are_injected_at_their_times_and_composed_as_drawn(stage: Stage) -> None:
    """At its second on the schedule's clock; the second fault within the hold of the first, healed before it."""
    leg, verdict = through(
        stage, step(10, "paused", held_s=40), step(15, "killed", "one_sentinel"), step(90, "killed", "primary")
    )

    assert stage.said == [
        "10 paused(redis-0)",
        "15 killed(redis-sentinel-0)",
        "17 killed healed",
        "52 paused healed",
        "90 killed(redis-0)",
        "92 killed healed",
    ]
    assert verdict.valid is True, verdict.explain()
    assert [len(group.steps) for group in leg.done] == [2, 1]


def test_schedule_waits_for_a_deployment_that_takes_longer(stage: Stage) -> None:
    """The next fault comes with the same distance to the steady state, not to the clock on the wall."""
    slow = iter([1.0, 80.0, 1.0])
    stage.steady_takes = lambda: next(slow)

    _, verdict = through(stage, step(10), step(40))

    # predicted to be steady at 30 s, it was at 10 + 2 + 4 + 80 = 96 s: the step at 40 s comes 10 s after that
    assert stage.said[0::2] == ["10 killed(redis-0)", "106 killed(redis-0)"]
    assert verdict.valid is True, verdict.explain()


def test_later_leg_begins_in_the_middle_of_the_schedule(stage: Stage) -> None:
    """Its first fault comes as long after its beginning as it does after the end of the leg before."""
    through(stage, step(310), begins_s=300)

    assert stage.said[0] == "10 killed(redis-0)"


def test_deployment_that_is_not_steady_again_fails_the_leg(stage: Stage) -> None:
    """That is a finding about the deployment, not a broken set-up; nothing more is injected into it."""
    never = iter([1.0, 10_000.0])
    stage.steady_takes = lambda: next(never)

    leg, verdict = through(stage, step(10), step(40))

    assert verdict.valid is False
    assert "not steady again after killed(primary): waited 120 s for the steady state" in verdict.explain()
    assert len(leg.done) == 1


def test_deployment_so_broken_that_its_history_cannot_be_closed_fails_the_leg(stage: Stage) -> None:
    """That it never became steady again is known, whatever becomes of the sweep; without that it is an error."""
    stage.ending = WitnessError("the workload did not end")
    with pytest.raises(WitnessError):
        through(stage, step(10))
    never = iter([1.0, 10_000.0])
    stage.steady_takes = lambda: next(never)

    _, verdict = through(stage, step(10))

    assert verdict.valid is False
    assert verdict.checker == "steady_again"


def test_recording_that_broke_off_ends_the_leg(stage: Stage) -> None:
    """Nothing more is broken that nobody would see: the error comes after the group in which it happened."""
    stage.broken_off = WitnessError("the workload ended by itself")

    with pytest.raises(WitnessError, match="ended by itself"):
        through(stage, step(10), step(60))

    assert stage.said == ["10 killed(redis-0)", "12 killed healed"]


def test_writes_that_stand_still_for_too_long_fail_the_leg(stage: Stage) -> None:
    """The verdict says which fault was given how long, and the record for the report has it as asserted."""
    stage.gap_after = {"killed": 40.0}
    stage.steady_takes = lambda: 60.0

    leg, verdict = through(stage, step(10))

    assert verdict.valid is False
    assert "TOO LONG (limit 30 s, killed(primary))" in verdict.explain()
    assert leg.record().outcome == "leg DOES NOT HOLD (windows)"
    assert not leg.record().budget_sentence  # five failovers have no budget of one
    assert any("windows: does not hold" in line for line in leg.record().contradictions)
    assert [fault.name for fault in leg.record().faults] == ["played"]


@pytest.mark.parametrize(
    ("verb", "error"), [("inject", InjectionFailed), ("heal", HealFailed)], ids=["injection", "healing"]
)
def test_broken_set_up_is_no_verdict(stage: Stage, verb: str, error: type[Exception]) -> None:
    """A fault that could not be injected or healed says nothing about the deployment: the error goes on."""
    stage.script = {(verb, "killed"): ClusterError("503")}

    with pytest.raises(error, match="503"):
        through(stage, step(10))


def test_target_that_means_nobody_is_no_verdict(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no primary to be found within a fault, the second one cannot be injected, and nothing is known."""
    whole = stage.topology()
    nobody = dataclasses.replace(whole, redis=tuple(view for view in whole.redis if view.role != "primary"))
    monkeypatch.setattr(stage, "topology", lambda: nobody)

    with pytest.raises(InjectionFailed, match=r"(?s)killed\(primary\) has nobody to hit: waited 90.0 s"):
        stage.leg("leg", 0).through(schedule(step(10)))


def test_leg_says_what_it_does(stage: Stage) -> None:
    """Whoever watches a leg of minutes sees who is hit, and when it is over."""
    through(stage, step(10))

    assert stage.told == [
        "killed(primary): redis-0",
        "after killed(primary): steady 1.0 s after it was healed, 7.0 s beyond its hold (20 s predicted)",
    ]


def test_leg_without_a_fault_is_unknown(stage: Stage) -> None:
    """Nothing was asked of the deployment."""
    _, verdict = through(stage)

    assert verdict.valid is None
