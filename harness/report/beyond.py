"""What a drill costs beyond what it waits for: steady states, look-ups, sweeps, verdicts.

A drill's course begins with the order of its first fault and ends with the last thing that this set in motion: a fault
proven healed, or the last phase (replicas linked again, say). The rest of the test's time is the suite's own.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from harness.report.record import DrillRecord
from harness.report.wording import seconds


def course_s(record: DrillRecord) -> float | None:
    """Return how long the drill's faults and what they set in motion took, in seconds; None without a fault."""
    if not record.faults:
        return None
    zero = min(fault.injected_at for fault in record.faults)
    healed = [fault.healed_at - zero for fault in record.faults if fault.healed_at is not None]
    return max([*(phase.at_s for phase in record.phases), *healed], default=0.0)


def beyond_s(took_s: float, records: Sequence[DrillRecord]) -> float | None:
    """Return what a test took beyond the courses of its drills, in seconds; None if there is none to compare with."""
    courses = [course for record in records if (course := course_s(record)) is not None]
    return round(took_s - sum(courses), 3) if courses else None


def of_run(tests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the median and the most over the drills of a run that ended with a verdict, and how many they are."""
    measured = [
        test["beyond_s"] for test in tests if test["outcome"] in {"passed", "failed"} and test["beyond_s"] is not None
    ]
    return {
        "drills": len(measured),
        "median_s": round(statistics.median(measured), 3) if measured else None,
        "most_s": max(measured, default=None),
    }


def sentence(found: Mapping[str, Any]) -> str:
    """Return what :func:`of_run` found, for a reader; empty when nothing was measured."""
    if not found["drills"]:
        return ""
    number = "1 drill" if found["drills"] == 1 else f"{found['drills']} drills"
    return f"{seconds(found['median_s'])} at the median, {seconds(found['most_s'])} at most, {number}"
