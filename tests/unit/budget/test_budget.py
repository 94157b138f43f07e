"""The budget against measured times: wide enough to be true, narrow enough to mean something."""

from __future__ import annotations

import dataclasses
import math

import pytest

from harness.budget import CRASH, PLANNED, REBOOT, SECOND_ATTEMPT, SILENCE, TILT, Configuration, budget
from tests.unit.budget import measured

#: The promise of the report that the suite tests.
PROMISE_S = 30.0
FOUND = budget(measured.CONFIGURATION, measured.ENVIRONMENT)
WITH_HOOK = budget(dataclasses.replace(measured.CONFIGURATION, has_pre_stop=True, readiness=10.0), measured.ENVIRONMENT)
COURSES = [(CRASH, measured.SIGKILL), (SILENCE, measured.SIGSTOP)]


@pytest.mark.parametrize(("name", "seen"), COURSES, ids=["crash", "silence"])
def test_measured_marks_lie_within_what_the_steps_add_up_to(
    name: str, seen: dict[str, tuple[float, float, float]]
) -> None:
    """Each mark, minimum to maximum, between the best and the worst times of all steps up to it."""
    best = worst = 0.0
    for step in FOUND.course(name).steps:
        if step.aside:
            continue
        best, worst = best + step.best_s, worst + step.worst_s
        shortest, _, longest = seen[step.ends]
        assert best <= shortest, step
        assert longest <= worst, step


@pytest.mark.parametrize(("name", "seen"), COURSES, ids=["crash", "silence"])
def test_measured_steps_lie_within_their_own_times(name: str, seen: dict[str, tuple[float, float, float]]) -> None:
    """The median of each step lies between its best and its worst time."""
    for step in FOUND.course(name).steps:
        if step.ends in seen:
            began = seen[step.begins][1] if step.begins in seen else 0.0
            assert step.best_s <= seen[step.ends][1] - began <= step.worst_s, step


@pytest.mark.parametrize(("name", "seen"), COURSES, ids=["crash", "silence"])
def test_totals_are_true_and_not_meaningless(name: str, seen: dict[str, tuple[float, float, float]]) -> None:
    """Every gap measured lies within the total, whose worst is at most twice the longest of them."""
    shortest, _, longest = seen["first ok write"]
    course = FOUND.course(name)

    assert course.best_s <= shortest
    assert longest <= course.worst_s <= 2 * longest


def test_other_measured_courses_lie_within_their_totals() -> None:
    """Hand-overs, second attempts and TILT."""
    planned, second, tilt = WITH_HOOK.course(PLANNED), FOUND.course(SECOND_ATTEMPT), FOUND.course(TILT)

    assert planned.best_s <= measured.HAND_OVERS[0]
    assert measured.HAND_OVERS[1] <= planned.worst_s <= 2 * measured.HAND_OVERS[1]
    assert second.best_s <= measured.SECOND_ATTEMPTS[0]
    assert measured.SECOND_ATTEMPTS[1] <= second.worst_s <= 1.1 * measured.SECOND_ATTEMPTS[1]
    assert tilt.best_s <= measured.IN_TILT <= tilt.worst_s


def test_silence_is_noticed_up_to_a_ping_period_later() -> None:
    """But not the whole course is, for the last of a quorum is no later than the first may be."""
    crash, silence = FOUND.course(CRASH), FOUND.course(SILENCE)

    assert math.isclose(silence.step("found down").worst_s - crash.step("found down").worst_s, 1.0)
    assert math.isclose(silence.worst_s - crash.worst_s, 1.0)


def test_settings_move_the_steps_that_depend_on_them() -> None:
    """Down-after, failover-timeout, quorum and probes, each in its place."""
    slow = Configuration(
        down_after=20.0,
        failover_timeout=60.0,
        parallel_syncs=1,
        quorum=1,
        sentinels=3,
        sentinels_due=3,
        replicas=2,
        readiness=10.0,
    )
    found = budget(slow)
    crash = found.course(CRASH)

    assert crash.step("found down").best_s == 20.0
    assert crash.step("agreed").worst_s < FOUND.course(SILENCE).step("agreed").worst_s
    assert crash.step("replicas told").worst_s > 60.0
    assert crash.step("Service follows").worst_s > 10.0
    assert found.course(SECOND_ATTEMPT).best_s == 140.0
    assert found.course(REBOOT).worst_s > 20.0
    assert found.fits(PROMISE_S)
    assert not budget(dataclasses.replace(slow, down_after=27.0)).fits(PROMISE_S)


def test_without_a_hook_a_planned_restart_costs_what_a_crash_does() -> None:
    """Sentinel gets no goodbye: 6.45 to 6.53 s were measured after SIGTERM."""
    planned = FOUND.course(PLANNED)

    assert planned.worst_s == FOUND.course(CRASH).worst_s
    assert planned.best_s <= 6.45
    assert planned.worst_s >= 6.53
    assert "without a hand-over" in planned.title
