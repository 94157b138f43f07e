"""What a run proved, and what its drills leave open: collected from results, each sentence once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.report.record import DrillRecord

#: Faults that do nothing (harness/faults/noop.py).
CONTROLS = {"noop", "withheld"}


class Judged(Protocol):
    """What is needed of the result of a test."""

    @property
    def promise(self) -> str:
        """The property that the test states."""

    @property
    def test(self) -> str:
        """Its node id."""

    @property
    def kind(self) -> str:
        """What it is: a check, a drill or another test."""

    @property
    def outcome(self) -> str:
        """How it ended."""

    @property
    def drills(self) -> Sequence[DrillRecord]:
        """What its drills handed over."""

    @property
    def contradictions(self) -> Sequence[str]:
        """What its own records say against a pass."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Sentences for a reader: what was shown, and what even the drills that were run cannot show."""

    proved: list[str]
    reservations: list[str]


def proof(results: Sequence[Judged]) -> Proof:
    """Return what may be concluded. Only a test that passed, and not against its own record, proves anything."""
    sound = [result for result in results if result.outcome == "passed" and not result.contradictions]
    proved = _checks(results, sound)
    for result in sorted(sound, key=_is_control):
        if result.kind == "drill":
            said = [line for record in result.drills for line in record.proves]
            proved += said or [result.promise or result.test]
    open_ = [line for result in results for record in result.drills for line in record.does_not_prove]
    return Proof(list(dict.fromkeys(proved)), list(dict.fromkeys(open_)))


def _is_control(result: Judged) -> bool:
    """Whether nothing was broken but what a control stands in for: it is about the suite, so it is told last."""
    names = {fault.name for record in result.drills for fault in record.faults}
    return bool(names & CONTROLS)


def _checks(results: Sequence[Judged], sound: Sequence[Judged]) -> list[str]:
    held = sum(result.kind == "check" for result in sound)
    all_ = sum(result.kind == "check" for result in results)
    return [f"The deployment is what it claims to be in {held} of {all_} checked properties."] if held else []
