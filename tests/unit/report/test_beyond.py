"""What a drill costs beyond its faults."""

from __future__ import annotations

import dataclasses

from harness.report import beyond
from harness.report.course import FaultBracket, Phase
from harness.report.record import DrillRecord
from tests.unit.report.sample import reboot

LONG_AGO = 1000.0


def a_drill(*healed_at: float | None, phases: tuple[float, ...] = ()) -> DrillRecord:
    faults = [FaultBracket(f"f{i}", "redis-0", LONG_AGO + i, healed_at=at) for i, at in enumerate(healed_at)]
    return dataclasses.replace(reboot(), faults=faults, phases=[Phase("p", at) for at in phases])


def test_course_goes_from_the_first_order_to_the_last_thing_set_in_motion() -> None:
    assert beyond.course_s(a_drill(LONG_AGO + 9, LONG_AGO + 4)) == 9
    assert beyond.course_s(a_drill(LONG_AGO + 9, phases=(3.0, 12.0))) == 12


def test_what_was_never_healed_ends_the_course_with_its_last_phase() -> None:
    assert beyond.course_s(a_drill(None, phases=(3.0,))) == 3


def test_without_a_fault_there_is_nothing_to_compare_with() -> None:
    assert beyond.course_s(a_drill()) is None
    assert beyond.beyond_s(10, [a_drill()]) is None
    assert beyond.beyond_s(10, []) is None


def test_rest_of_a_test_is_beyond_all_of_its_drills() -> None:
    assert beyond.beyond_s(20, [a_drill(LONG_AGO + 9), a_drill(LONG_AGO + 4), a_drill()]) == 7


def test_run_counts_the_drills_that_ended_with_a_verdict() -> None:
    ended = [("passed", 1.0), ("failed", 9.0), ("passed", 3.0), ("error", 50.0), ("passed", None)]
    found = beyond.of_run([{"outcome": outcome, "beyond_s": s} for outcome, s in ended])

    assert found == {"drills": 3, "median_s": 3.0, "most_s": 9.0}
    assert beyond.sentence(found) == "3.00 s at the median, 9.00 s at most, 3 drills"


def test_run_without_drills_says_nothing() -> None:
    assert beyond.sentence(beyond.of_run([])) == ""
