"""Questions to a history as values: which checker, with what, so that they can be kept in a file and asked again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.checkers.altered_writes import altered_writes
from harness.checkers.convergence import convergence
from harness.checkers.crash_losses import crash_losses
from harness.checkers.lost_writes import lost_writes
from harness.checkers.split_brain import split_brain
from harness.checkers.stale_reads import stale_reads
from harness.checkers.stats import stats
from harness.checkers.taken_alone import taken_alone
from harness.checkers.unavailability import unavailability
from harness.checkers.verdict import Verdict
from harness.errors import HistoryError
from harness.history.history import History
from harness.history.records import FaultMark

#: Every checker by its name; their keyword arguments are JSON values but for fault marks, for which see `ask`.
CHECKERS: Mapping[str, Callable[..., Verdict]] = {
    "altered_writes": altered_writes,
    "convergence": convergence,
    "crash_losses": crash_losses,
    "lost_writes": lost_writes,
    "split_brain": split_brain,
    "stale_reads": stale_reads,
    "stats": stats,
    "taken_alone": taken_alone,
    "unavailability": unavailability,
}
#: Arguments that name a fault of the history, and the argument of the checker that gets its mark.
_FAULTS = {"since_fault": "since", "until_fault": "until"}


@dataclass(frozen=True, slots=True)
class Question:
    """A checker's name and its keyword arguments, all of them JSON values.

    Instead of a fault mark stands ``since_fault`` (or ``until_fault``): the beginning of a fault's name, or True for
    the first injected one.
    """

    checker: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.checker}({shown})"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer, and whether the run stood or fell with it."""

    question: Question
    verdict: Verdict
    asserted: bool


def ask(history: History, question: Question) -> Verdict:
    """The answer. Unknown if the history has no such fault; HistoryError if there is no such checker or argument."""
    checker = CHECKERS.get(question.checker)
    if checker is None:
        raise HistoryError(f"there is no checker {question.checker!r}; there are {', '.join(sorted(CHECKERS))}")
    arguments: dict[str, Any] = {}
    for name, value in question.arguments.items():
        if name not in _FAULTS:
            arguments[name] = value
        elif value is not False and value is not None:
            mark = _mark(history, question, value)
            if mark is None:
                which = "a fault" if value is True else f"a fault named {value!r}"
                return Verdict(
                    checker=question.checker, valid=None, summary=f"the history has no mark of {which} to count from"
                )
            arguments[_FAULTS[name]] = mark
    try:
        inspect.signature(checker).bind(history, **arguments)
        return checker(history, **arguments)
    except (TypeError, ValueError) as exc:
        raise HistoryError(f"{question} cannot be asked: {exc}") from exc


def _mark(history: History, question: Question, value: Any) -> FaultMark | None:
    if value is True:
        return history.fault()
    if not isinstance(value, str) or not value:
        raise HistoryError(f"{question} cannot be asked: a fault is named, or true for the first one, not {value!r}")
    return history.fault(value)
