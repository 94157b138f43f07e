"""What a primary took while it was cut off from its replicas: that, all of it and nothing else, is lost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness.checkers.crash_losses import acknowledged_by, felt_by, lag_of_successor, marks, primary_at, told
from harness.checkers.lost_writes import lost_by_identity, why_losses_are_unknown
from harness.checkers.verdict import Verdict
from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenAlone(Verdict):
    """What the primary at a fault acknowledged while that was in force, and what is lost.

    `taken` counts what it acknowledged from the proof of the fault to the order that ended it, `lost` all that is lost;
    `begin` and `end` (seconds since the origin) are those two instants, `pause` the longest time in between without an
    acknowledgement of it.
    """

    seat: str = ""
    taken: int = 0
    lost: int = 0
    begin: float = 0.0
    end: float = 0.0
    pause: float = math.inf


def taken_alone(history: History, *, fault: str | None = None, pause: float | None = None) -> TakenAlone:
    """Whether exactly that is lost which the primary acknowledged alone, by the identity of each write.

    Alone it is while a fault (by the beginning of its name, by default the first one) keeps it from its replicas. All
    that it acknowledged from the proof of the fault on until the fault was ended must be lost: what is not was
    replicated, and it was not alone. Nothing else may be lost but what it acknowledged after the moment until which its
    successor had everything, and before the proof (the replicas may have been lost to it at any time in between) or
    after the end (it may be primary for some time then). With `pause` it must never have stopped for longer, so that it
    took writes for as long as the fault lasted. Unknown if it acknowledged nothing alone, without the fault's marks,
    without a successor whose lag was measured, and where lost writes are unknown.
    """
    total = int(history.writes.is_ok.sum())
    found = marks(history, fault)
    mark = found[0] if found else None
    heals = (e for e in history.faults if mark and e.action == "heal" and e.name == mark.name and e.sent >= mark.sent)
    heal, seat = next(heals, None), primary_at(history, mark.sent - mark.uncertainty) if mark else None
    why = why_losses_are_unknown(history, total)
    if why or mark is None or heal is None or seat is None:
        why = why or "the history has no fault that was healed, or no write acknowledged before it"
        return TakenAlone(checker="taken_alone", valid=None, summary=why)
    begin, end = felt_by(history, mark), heal.sent - heal.uncertainty
    promoted, lag = lag_of_successor(history, seat, mark, until=mark.sent - mark.uncertainty)
    indices = np.flatnonzero(history.writes.is_ok)
    by_it = indices[acknowledged_by(history, indices, seat)]
    when = history.writes.view(history.writes.completed)
    alone = by_it[(when[by_it] > begin) & (when[by_it] < end)]
    lost = lost_by_identity(history)
    replicated_until = lag.has_until if lag else None
    if promoted is None or replicated_until is None or not len(alone):
        why = "nobody was promoted whose lag was measured" if len(alone) else f"{seat} acknowledged nothing alone"
        return TakenAlone(checker="taken_alone", valid=None, summary=why, seat=seat, lost=len(lost))
    kept = np.setdiff1d(alone, lost)
    others = np.setdiff1d(lost, by_it[when[by_it] >= replicated_until])
    longest = _longest_pause(when[alone], begin, end)
    stopped = pause is not None and longest > pause
    summary = (
        f"{seat} acknowledged {len(alone)} writes alone from {begin / MICRO:.3f} to {end / MICRO:.3f} s, "
        f"{len(alone) - len(kept)} of them are lost; lost in all {len(lost)}, {len(others)} of them otherwise; "
        f"its longest pause was {longest:.3f} s" + (f" (limit {pause:g} s)" if pause is not None else "")
    )
    return TakenAlone(
        checker="taken_alone",
        valid=not (len(kept) or len(others) or stopped),
        summary=summary,
        evidence=(
            *told("taken alone", history, alone),
            *told("taken alone and not lost", history, kept),
            *told("lost otherwise", history, others),
        ),
        seat=seat,
        taken=len(alone),
        lost=len(lost),
        begin=begin / MICRO,
        end=end / MICRO,
        pause=longest,
    )


def _longest_pause(when: Ints, begin: int, end: int) -> float:
    return float(np.diff(np.concatenate(([begin], when, [end]))).max()) / MICRO
