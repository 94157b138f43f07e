"""What a checker says: valid, not valid, or unknown, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_WORDS = {True: "holds", False: "DOES NOT HOLD", None: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A checker's judgement of one history.

    `valid` is True, False, or None for unknown: the history does not allow a judgement, which is never a pass. So tests
    assert ``verdict.valid is True, verdict.explain()``.
    """

    checker: str
    valid: bool | None
    summary: str
    evidence: tuple[str, ...] = ()

    def explain(self) -> str:
        """The verdict for a person: one line, then the evidence, one piece a line."""
        return "\n".join(
            [f"{self.checker} {_WORDS[self.valid]}: {self.summary}", *(f"  {line}" for line in self.evidence)]
        )


def merged(verdicts: Iterable[Verdict]) -> Verdict:
    """All verdicts as one: not valid if any is not, unknown if any is unknown or if there are none."""
    everything = list(verdicts)
    values = {verdict.valid for verdict in everything}
    valid = False if False in values else None if None in values or not values else True
    blamed = [verdict.checker for verdict in everything if verdict.valid is not True]
    summary = f"{len(everything)} checkers" + (f", not satisfied: {', '.join(blamed)}" if blamed else ", all satisfied")
    evidence = tuple(line for verdict in everything for line in verdict.explain().splitlines())
    return Verdict(checker="history", valid=valid, summary=summary, evidence=evidence)
