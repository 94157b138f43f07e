"""Checkers: pure functions from a history to a verdict. No Kubernetes, no Redis, no pytest in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.checkers.altered_writes import AlteredWrites, altered_writes
from harness.checkers.convergence import Convergence, convergence
from harness.checkers.crash_losses import Crash, CrashLosses, crash_losses
from harness.checkers.lost_writes import LostWrites, lost_by_identity, lost_writes, why_losses_are_unknown
from harness.checkers.questions import CHECKERS, Asked, Question, ask
from harness.checkers.replication_lag import Lag, acknowledged_lags, lags
from harness.checkers.saved import SavedVerdict, load_verdicts, save_verdicts, verdicts_path
from harness.checkers.split_brain import Overlap, SplitBrain, split_brain
from harness.checkers.stale_reads import Staleness, StaleReads, stale_reads
from harness.checkers.stats import Stats, stats
from harness.checkers.taken_alone import TakenAlone, taken_alone
from harness.checkers.unavailability import Unavailability, Window, unavailability, windows
from harness.checkers.verdict import Verdict, merged
from harness.history.history import History

__all__ = [
    "CHECKERS",
    "AlteredWrites",
    "Asked",
    "Convergence",
    "Crash",
    "CrashLosses",
    "Lag",
    "LostWrites",
    "Overlap",
    "Question",
    "SavedVerdict",
    "SplitBrain",
    "StaleReads",
    "Staleness",
    "Stats",
    "TakenAlone",
    "Unavailability",
    "Verdict",
    "Window",
    "acknowledged_lags",
    "altered_writes",
    "ask",
    "check",
    "convergence",
    "crash_losses",
    "lags",
    "load_verdicts",
    "lost_by_identity",
    "lost_writes",
    "merged",
    "save_verdicts",
    "split_brain",
    "stale_reads",
    "stats",
    "taken_alone",
    "unavailability",
    "verdicts_path",
    "why_losses_are_unknown",
    "windows",
]


def check(history: History, *, by: Iterable[Callable[[History], Verdict]]) -> Verdict:
    """Run several checkers on one history and merge what they say."""
    return merged([checker(history) for checker in by])
