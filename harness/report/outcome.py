"""The verdict of a run, from the results of its tests: pure values, no pytest.

GREEN only if everything that was started also passed and was measured; RED if a property does not hold; INCOMPLETE
if the run cannot say (set-up broken, interrupted, nothing executed). A test that passes against its own record is
not green.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.report.proof import proof
from harness.report.record import DrillRecord

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "not run"]
#: As many tests that were not run are named one by one; of more, the number says enough.
FEW = 3
OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "error", "skipped", "xfailed", "not run")


@dataclass(slots=True)
class Result:
    """One test: the property it states, how it ended, what was seen, what was saved."""

    test: str
    promise: str
    kind: Literal["check", "drill", "other"]
    outcome: Outcome = "not run"
    seconds: float = 0.0
    evidence: list[str] = field(default_factory=list)
    message: str = ""
    saved: list[str] = field(default_factory=list)
    rerun: str = ""
    drills: list[DrillRecord] = field(default_factory=list)
    met_broken_set_up: bool = False
    """Whether it was in the test's body that the set-up turned out to be broken."""

    @property
    def name(self) -> str:
        """What the test is called in a sentence: its promise, for want of one its test id."""
        return self.promise.rstrip(".") or self.test

    @property
    def executed(self) -> bool:
        """Whether the test's own body or set-up came to a result: a skipped test shows nothing."""
        return self.outcome in {"passed", "failed", "error", "xfailed"}

    @property
    def contradictions(self) -> list[str]:
        """What a passed test's own records say against it: it forgot to assert what it measured."""
        return [line for record in self.drills for line in record.contradictions] if self.outcome == "passed" else []


@dataclass(frozen=True, slots=True)
class Verdict:
    """The run in one word and one sentence, why it is not GREEN, what it proved and what nobody may conclude from it.

    `not_proved` is what was not run; `reservations` are the limits of the drills that were.
    """

    name: Literal["GREEN", "RED", "INCOMPLETE"]
    sentence: str
    reasons: list[str]
    not_proved: list[str]
    proved: list[str] = field(default_factory=list)
    reservations: list[str] = field(default_factory=list)


def judge(
    results: Sequence[Result], *, deselected: int = 0, interrupted: str = "", problems: Sequence[str] = ()
) -> Verdict:
    """Return the verdict of a run.

    `interrupted` says why the run ended early, empty if it did not; `problems` are faults of the run itself (a report
    that could not be written, a collection error).
    """
    count = Counter(result.outcome for result in results)
    broken = [f"{r.name}: {first_line(r.message)}" for r in results if r.outcome == "failed"]
    unsure = [f"{r.name}: {first_line(r.message)}" for r in results if r.outcome == "error"]
    unsure += [f"{r.name}: passed against its own record, {c}" for r in results for c in r.contradictions]
    unsure += problems
    if interrupted:
        unsure.append(interrupted)
    elif count["not run"]:
        unsure.append(f"{_tests(count['not run'])} not run")
    if not any(result.executed for result in results):
        unsure.append("no test was executed")
    not_proved = _not_proved(results, deselected)
    shown = proof(results)
    told = (not_proved, shown.proved, shown.reservations)
    if broken:
        sentence = f"{_tests(len(broken))} of {len(results)} found a property that does not hold."
        return Verdict("RED", sentence, broken + unsure, *told)
    if unsure:
        sentence = "The run cannot say whether the deployment is sound: it did not get to judge everything it started."
        return Verdict("INCOMPLETE", sentence, unsure, *told)
    return Verdict("GREEN", _proved(results), [], *told)


def first_line(text: str) -> str:
    """Return the first non-empty line of `text`, or a dash."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "-")


def _proved(results: Sequence[Result]) -> str:
    kinds = Counter(result.kind for result in results if result.outcome == "passed")
    parts = []
    if kinds["check"]:
        parts.append(f"{_count(kinds['check'], 'checked property', 'checked properties')}")
    if kinds["drill"]:
        parts.append(f"{_count(kinds['drill'], 'drill', 'drills')}")
    if kinds["other"]:
        parts.append(f"{_count(kinds['other'], 'other test', 'other tests')}")
    return f"{' and '.join(parts)} held."


def _not_proved(results: Sequence[Result], deselected: int) -> list[str]:
    lines = [
        f"{result.name} ({word}: {first_line(result.message)})"
        for outcome, word in (("skipped", "skipped"), ("xfailed", "known not to hold"))
        for result in results
        if result.outcome == outcome
    ]
    left = [result.name for result in results if result.outcome == "not run"]
    if len(left) > FEW:
        lines.append(f"What {_tests(len(left))} state: they were not run.")
    else:
        lines += [f"{name} (not run)" for name in left]
    if deselected:
        lines.append(f"{_tests(deselected)} not selected for this run")
    if not any(result.kind == "drill" and result.executed for result in results):
        lines.append("Nothing about failover: no drill was executed.")
    return lines


def _tests(number: int) -> str:
    return _count(number, "test", "tests")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
