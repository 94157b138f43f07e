"""A whole soak on a played deployment: leg by leg, and on failure down to the shortest schedule that fails."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.artifacts import Run
from harness.errors import ClusterError, FaultError, SteadyStateError
from harness.nemesis import Leg, Schedule, Soak, Step, load
from tests.unit.budget.measured import CONFIGURATION
from tests.unit.nemesis.made import schedule, step
from tests.unit.nemesis.stage import Clock, Stage

MANY = schedule(
    *(step(100 * number, "killed", "one_sentinel") for number in range(1, 9)),
    step(900, "paused", "primary", held_s=30),
    step(1000, "killed", "one_sentinel"),
)


class Performance:
    """A soak on a stage, with all that it leaves."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = Clock()
        monkeypatch.setattr("time.monotonic", clock.monotonic)
        monkeypatch.setattr("time.sleep", clock.sleep)
        monkeypatch.setattr("harness.drill.course.configuration_of", lambda _: CONFIGURATION)
        self.stage = Stage(clock, directory)
        self.directory = directory
        self.told: list[str] = []
        self.shown: list[str] = []
        self.saved = 0

    def soak(self, of: Schedule, left_out: dict[Step, str] | None = None) -> Soak:
        def show(leg: Leg) -> None:
            self.shown.append(leg.name)

        def save() -> None:
            self.saved += 1

        run = Run("run", self.directory, datetime.now(UTC))
        return Soak(
            of,
            self.stage.leg,
            run,
            self.told.append,
            after_leg=show,
            on_failure=save,
            left_out=left_out,
            clock=self.stage.clock.monotonic,
        )


@pytest.fixture
def performance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Performance:
    """A stage whose soak can be watched."""
    return Performance(tmp_path, monkeypatch)


def test_schedule_is_said_and_saved_before_anything_is_broken(performance: Performance) -> None:
    """A run that is killed in its first minute has left what it was about to do."""
    performance.soak(MANY)

    assert load(performance.directory / "schedule.json") == MANY
    assert performance.told == [str(MANY)]
    assert performance.shown == []


def test_soak_that_holds_shows_every_leg(performance: Performance) -> None:
    """Each leg has its verdicts, and none of the schedule is left out."""
    soak = performance.soak(MANY)
    began = performance.stage.clock.now
    outcome = soak.outcome()

    assert outcome.held is True, outcome.explain()
    # beside the schedule only the first writes, the sweep and the look before each of the four legs
    assert performance.stage.clock.now - began < MANY.seconds + 4 * 10
    assert outcome.gone_through == MANY
    assert performance.shown == ["leg-1", "leg-2", "leg-3", "leg-4"]
    assert "the shortest" not in soak.explain(outcome)
    assert performance.saved == 0


def test_step_that_cannot_be_had_here_is_left_out_and_said(performance: Performance) -> None:
    """The schedule stays what the seed gives everywhere; what was not done is not called gone through."""
    first, *others = MANY.steps
    soak = performance.soak(MANY, {first: "provider context cannot stop nodes"})

    outcome = soak.outcome()

    assert outcome.held is True, outcome.explain()
    assert load(performance.directory / "schedule.json") == MANY
    assert outcome.gone_through == MANY.of(others)
    assert "left out: killed(one_sentinel) at 100 s: provider context cannot stop nodes" in performance.told


def test_search_that_is_killed_leaves_the_shortest_schedule_so_far(
    performance: Performance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is saved as soon as it was seen to fail, not only at the end."""
    performance.stage.gap_after = {"paused": 45.0}
    performance.stage.steady_takes = lambda: 60.0
    leg = performance.stage.leg

    def interrupted(name: str, begins_s: int) -> Leg:
        if name == "trial-3-1":
            raise KeyboardInterrupt
        return leg(name, begins_s)

    monkeypatch.setattr(performance.stage, "leg", interrupted)
    soak = performance.soak(MANY)
    outcome = soak.outcome()

    with pytest.raises(KeyboardInterrupt):
        soak.explain(outcome)

    # the last fault alone held; the last leg alone failed; then it was interrupted
    left = load(performance.directory / "schedule-shortest.json")
    assert [each.fault for each in left.steps] == ["paused", "killed"]


def test_soak_that_fails_is_shrunk_to_the_fault_that_does_it(performance: Performance) -> None:
    """One fault of ten is to blame: it alone is left, held for no time, saved, and the way to replay it is said."""
    performance.stage.gap_after = {"paused": 45.0}
    performance.stage.steady_takes = lambda: 60.0
    soak = performance.soak(MANY)
    outcome = soak.outcome()

    told = soak.explain(outcome)

    assert outcome.held is False
    path = performance.directory / "schedule-shortest.json"
    (left,) = load(path).steps
    assert (left.fault, left.target, left.held_s) == ("paused", "primary", 0)
    assert f"make soak SCHEDULE={path}" in told
    assert f"make soak SCHEDULE={path}" in "\n".join(performance.told)
    assert "no step can be left out" in told
    assert "TOO LONG" in told
    assert told.startswith(
        "leg-4 of the soak: windows DOES NOT HOLD: writes stood still for 45.0 s where 30 s are allowed"
    )
    assert performance.saved == 1
    assert any(name.startswith("trial-") for name in performance.shown)


def test_soak_stops_at_the_leg_that_fails(performance: Performance) -> None:
    """The time is better spent on finding out why; only what was gone through is called failing."""
    performance.stage.gap_after = {"killed": 20.0}
    outcome = performance.soak(MANY).outcome()

    assert outcome.held is False
    assert performance.shown == ["leg-1"]
    assert outcome.gone_through == MANY.of(MANY.steps[:2])


def test_steps_that_were_never_reached_are_not_part_of_the_failure(performance: Performance) -> None:
    """A deployment that is not steady after the first fault of a leg was not hit by the others."""
    never = iter([1.0, 10_000.0])
    performance.stage.steady_takes = lambda: next(never)

    outcome = performance.soak(MANY).outcome()

    assert outcome.gone_through == MANY.of(MANY.steps[:1])


def test_trial_that_breaks_is_neither_pass_nor_fail(performance: Performance) -> None:
    """A deployment that stays unsteady lets no trial begin: the search gives up, and the failure stays as it was."""
    performance.stage.gap_after = {"killed": 20.0}
    soak = performance.soak(MANY)
    outcome = soak.outcome()
    performance.stage.steady_takes = lambda: 10_000.0

    told = soak.explain(outcome)

    assert load(performance.directory / "schedule-shortest.json") == outcome.gone_through
    # one step alone, then the two of them again
    assert "2 trials, 0 of them failed, 2 could not be judged" in told
    assert "could not be judged" in "\n".join(performance.told)


def test_fault_that_cannot_be_healed_ends_the_search(performance: Performance) -> None:
    """Nothing more is broken on a cluster on which something is still broken, and the manual step is said."""
    performance.stage.gap_after = {"killed": 20.0}
    soak = performance.soak(schedule(step(20, "paused", held_s=9), step(60, "killed", "one_sentinel"), step(90)))
    outcome = soak.outcome()
    performance.stage.script = {("heal", "killed"): ClusterError("503")}
    before = len(performance.shown)

    told = soak.explain(outcome)

    assert len(performance.shown) == before + 1
    assert "undo it by hand: nothing" in told


def test_broken_set_up_in_the_soak_itself_is_an_error(performance: Performance) -> None:
    """It is not shrunk, for it is no failure; the leg's record is kept all the same."""
    performance.stage.script = {("inject", "paused"): ClusterError("503")}

    with pytest.raises(FaultError, match="503"):
        performance.soak(MANY).outcome()

    assert performance.shown == ["leg-1", "leg-2", "leg-3", "leg-4"]


def test_deployment_that_is_not_steady_before_the_first_leg_is_an_error(performance: Performance) -> None:
    """What was broken before is not the schedule's doing."""
    performance.stage.steady_takes = lambda: 10_000.0

    with pytest.raises(SteadyStateError):
        performance.soak(MANY).outcome()
