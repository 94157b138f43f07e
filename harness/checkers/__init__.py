"""Checkers: pure functions from a history to a verdict. No Kubernetes, no Redis, no pytest in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.checkers.lost_writes import LostWrites, lost_writes
from harness.checkers.stats import Stats, stats
from harness.checkers.two_primaries import Overlap, TwoPrimaries, two_primaries
from harness.checkers.unavailability import Unavailability, Window, unavailability, windows
from harness.checkers.verdict import Verdict, merged
from harness.history.history import History

__all__ = [
    "LostWrites",
    "Overlap",
    "Stats",
    "TwoPrimaries",
    "Unavailability",
    "Verdict",
    "Window",
    "check",
    "lost_writes",
    "merged",
    "stats",
    "two_primaries",
    "unavailability",
    "windows",
]


def check(history: History, *, by: Iterable[Callable[[History], Verdict]]) -> Verdict:
    """Run several checkers on one history and merge what they say."""
    return merged([checker(history) for checker in by])
