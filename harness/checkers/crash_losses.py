"""Lost writes after a crash of the primary: only what was acknowledged within the replication lag may be among them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checkers.claims import reigns
from harness.checkers.lost_writes import lost_by_identity, why_losses_are_unknown
from harness.checkers.replication_lag import Lag, acknowledged_lags, lags
from harness.checkers.selection import Seats, chosen, op
from harness.checkers.verdict import Verdict
from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import MICRO, OK, FaultMark

MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Crash:
    """The end of a primary, and which of the writes that it had acknowledged may be lost by it.

    `fault` was ordered at `sent`, and felt by `felt` at the latest. `promoted` took over (None: nobody did); `lag` is
    how far it lay behind when that was known best before the fault. What `primary` acknowledged from `begin` to `felt`
    may be lost; `begin` is None if there is nothing to compute it from. Instants are microseconds since the origin.
    """

    fault: str
    primary: str
    promoted: str | None
    lag: Lag | None
    sent: int
    felt: int
    begin: int | None

    @property
    def limit(self) -> float:
        """How long before the fault was ordered a write may have been acknowledged that is lost; seconds."""
        return math.inf if self.begin is None else (self.sent - self.begin) / MICRO

    def describe(self) -> str:
        """One line."""
        took = f"{self.promoted} took over" if self.promoted else "nobody was promoted"
        text = f"{self.fault} ended {self.primary} at {self.sent / MICRO:.3f}..{self.felt / MICRO:.3f} s, {took}"
        if self.lag is not None:
            text += (
                f"; it stood at {self.lag.at:.3f} s where {self.primary} had stood {self.lag.least:.3f} to "
                f"{self.lag.most:.3f} s before"
            )
        if self.begin is None:
            return text + "; how far it lay behind is not known"
        return text + f"; what {self.primary} acknowledged from {self.begin / MICRO:.3f} s on may be lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashLosses(Verdict):
    """The crashes, how many acknowledged writes are lost, and for each crash how old the oldest of them was (seconds).

    `oldest` is 0 for a crash that lost nothing from before it; `unexplained` counts the losses that no crash explains.
    """

    crashes: tuple[Crash, ...] = ()
    lost: int = 0
    unexplained: int = 0
    oldest: tuple[float, ...] = ()


def crash_losses(history: History, *, after: str | None = None, unsynced: float = 0.0) -> CrashLosses:
    """Whether every acknowledged write that is lost was acknowledged by a primary that crashed, and not long before.

    "Not long" is the lag of the replica that was promoted, measured before the fault: what the primary had acknowledged
    where the replica stood, the replica had, so it may not be lost. The age of the measurement counts as lag. With
    `unsynced`, whoever took over came back from a file that lacks what it was given in so many seconds before the
    fault; the primary itself may then be the one. All writers are judged, for a crash asks nobody how he found the
    primary. The crashes are the injected faults whose name begins with `after`, by default the first fault.

    Unknown without such a fault, without a promotion where one is due, without a measured lag, and where lost writes
    are unknown.
    """
    found = marks(history, after)
    total = int(history.writes.is_ok.sum())
    why = why_losses_are_unknown(history, total) or ("" if found else "the history has no mark of such a fault")
    crashes = [crash for mark in found if (crash := _crash(history, mark, unsynced)) is not None] if not why else []
    if not why and len(crashes) < len(found):
        why = "no write was acknowledged before a fault: whose crash it was is not known"
    why = why or next((each.describe() for each in crashes if each.begin is None), "")
    if why:
        return CrashLosses(checker="crash_losses", valid=None, summary=why, crashes=tuple(crashes))
    lost = lost_by_identity(history)
    explained = np.zeros(len(lost), dtype=bool)
    oldest = []
    for crash, mine in zip(crashes, _by_crash(history, crashes, lost), strict=True):
        its = mine & acknowledged_by(history, lost, crash.primary)
        when = history.writes.view(history.writes.completed)[lost]
        explained |= its & (when >= (crash.begin or 0)) & (when <= crash.felt)
        oldest.append(max(0, crash.sent - int(when[its].min())) / MICRO if its.any() else 0.0)
    others = lost[~explained]
    limits = ", ".join(f"{crash.limit:.3f}" for crash in crashes)
    summary = f"{len(lost)} of {total} acknowledged writes are lost, "
    summary += f"{len(others)} of them not by a crash" if len(others) else "none but by a crash"
    summary += f" (limit {limits} s before it"
    summary += f", the oldest {max(oldest):.3f} s)" if len(lost) else ")"
    return CrashLosses(
        checker="crash_losses",
        valid=not len(others),
        summary=summary,
        evidence=(
            *(crash.describe() for crash in crashes),
            *told("not by a crash", history, others),
            *told("lost by it", history, lost[explained]),
        ),
        crashes=tuple(crashes),
        lost=len(lost),
        unexplained=len(others),
        oldest=tuple(oldest),
    )


def primary_at(history: History, instant: int) -> str | None:
    """Who acknowledged the last write before that instant (microseconds) to those who ask the Sentinels."""
    writes = history.writes
    before = writes.between(0, instant)
    judged = chosen(history.writers, None)[writes.view(writes.writer[before.start : before.stop])]
    found = np.flatnonzero(writes.have(OK, before) & judged)
    return history.instance_name(writes.instance[before.start + int(found[-1])]) if len(found) else None


def lag_of_successor(history: History, primary: str, fault: FaultMark, *, until: int) -> tuple[str | None, Lag | None]:
    """Who was elected after `fault` instead of `primary`, and what it surely had by `until`: the most that is known."""
    promoted = next((r.seat for r in reigns(history) if r.begin > fault.sent and r.seat != primary), None)
    if promoted is None:
        return None, None
    measured = [
        *acknowledged_lags(history, primary=primary, replica=promoted, until=until),
        *lags(history, primary=primary, replica=promoted, until=until),
    ]
    return promoted, max(measured, key=lambda lag: (lag.has_until or 0, lag.at), default=None)


def felt_by(history: History, fault: FaultMark) -> int:
    """When a fault was in force at the latest: its effect was seen, or else its order had returned; microseconds."""
    effects = (each for each in history.faults if each.action == "effect" and each.name == fault.name)
    effect = next((each for each in effects if each.sent >= fault.sent), fault)
    return effect.returned + effect.uncertainty


def marks(history: History, after: str | None) -> list[FaultMark]:
    """The injected faults whose name begins so; the first one without a name."""
    injected = [each for each in history.faults if each.action == "inject"]
    return injected[:1] if after is None else [each for each in injected if each.name.startswith(after)]


def _crash(history: History, fault: FaultMark, unsynced: float) -> Crash | None:
    sent = fault.sent - fault.uncertainty
    primary = primary_at(history, sent)
    if primary is None:
        return None
    surely_kept = sent - round(unsynced * MICRO)
    promoted, lag = lag_of_successor(history, primary, fault, until=surely_kept)
    begin = lag.has_until if lag else None
    if promoted is None and unsynced:
        begin = surely_kept
    return Crash(fault.name, primary, promoted, lag, fault.sent, felt_by(history, fault), begin)


def _by_crash(history: History, crashes: Sequence[Crash], lost: Ints) -> Iterator[NDArray[np.bool_]]:
    """Which of the lost writes each crash has to explain: those up to it, since the one before."""
    when = history.writes.view(history.writes.completed)[lost]
    reached = -1
    for place, crash in enumerate(crashes):
        end = crash.felt if place + 1 < len(crashes) else when.max(initial=crash.felt)
        yield (when > reached) & (when <= end)
        reached = crash.felt


def acknowledged_by(history: History, indices: Ints, seat: str) -> NDArray[np.bool_]:
    """Which of these writes `seat` acknowledged."""
    seats = Seats(history)
    found: NDArray[np.bool_] = seats.codes(history.writes.view(history.writes.instance)[indices]) == seats.code(seat)
    return found


def told(what: str, history: History, indices: Ints) -> Iterator[str]:
    """One line: how many, acknowledged when and by whom, and the first few by identity."""
    if not len(indices):
        return
    writes, seats = history.writes, Seats(history)
    when = writes.view(writes.completed)[indices]
    by = ", ".join(seats.named(writes.view(writes.instance)[indices]))
    shown = ", ".join(op(writes, index) for index in indices[:MAX_EXAMPLES].tolist())
    yield (
        f"{what}: {len(indices)}, acknowledged {when.min() / MICRO:.3f}..{when.max() / MICRO:.3f} s by {by}: {shown}"
        + (", ..." if len(indices) > MAX_EXAMPLES else "")
    )
