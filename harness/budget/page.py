"""A budget for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from harness.budget.cautions import cautions
from harness.budget.phases import Budget, Course


def page(budget: Budget, promise_s: float) -> list[str]:
    """The configuration, each course with its phases, the totals against the promise, and the cautions."""
    return [
        "Configuration in force",
        *(f"  {line}" for line in budget.configuration.lines()),
        *(line for course in budget.promised for line in _course(course)),
        "",
        f"Writers' gap, against the promised {promise_s:g} s",
        *(_total(course, promise_s) for course in budget.promised),
        "",
        "When something goes wrong in addition (not part of the promise)",
        *(_total(course, promise_s) for course in budget.cliffs),
        "",
        *(f"! {caution.name}: {caution.text}" for caution in cautions(budget, promise_s)),
    ]


def _course(course: Course) -> Iterator[str]:
    yield ""
    yield f"{course.name}: {course.title}"
    for step in course.steps:
        beside = ", beside the gap" if step.aside else ""
        yield f"  {step.name:16} {max(step.best_s, 0):6.2f} to {step.worst_s:6.2f} s{beside}  {step.why}"


def _total(course: Course, promise_s: float) -> str:
    verdict = "fits" if course.worst_s <= promise_s else "DOES NOT FIT"
    return f"  {course.name:16} {course.best_s:6.2f} to {course.worst_s:6.2f} s  {verdict}  ({course.title})"
