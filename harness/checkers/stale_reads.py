"""How far reads lay behind what had been acknowledged before they began."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.checkers.selection import SENTINEL, Seats, by_client, chosen
from harness.checkers.verdict import Verdict
from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import MICRO

_NEVER = 1 << 62
PRIMARY, REPLICA = "through the Sentinels", "pinned"


@dataclass(frozen=True, slots=True)
class Staleness:
    """Answered reads of one seat or kind: how many, how many stale, the worst in seconds, and from when to when."""

    of: str
    reads: int
    stale: int
    worst: float
    first: float | None
    last: float | None

    def describe(self) -> str:
        """One line."""
        text = f"{self.of}: {self.stale} of {self.reads} reads stale"
        if self.first is None or self.last is None:
            return text
        return f"{text}, by {self.worst:.3f} s at worst, from {self.first:.3f} to {self.last:.3f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleReads(Verdict):
    """Staleness of all, by seat, and by kind: `PRIMARY` (readers that follow the Sentinels) or `REPLICA` (pinned)."""

    all: Staleness
    by_seat: tuple[Staleness, ...]
    by_kind: tuple[Staleness, ...]


def stale_reads(history: History, *, at_most: float | None = None, group: str | None = None) -> StaleReads:
    """How stale reads were: how long before each began a write had been acknowledged that it did not see.

    It is counted from the first acknowledged write of that writer above what was seen, so it is a lower bound: the
    instance itself was asked a little later than the read began. Valid if none was stale by more than `at_most`
    seconds, or, without a limit, if it could be measured. Counts the readers of `group`, by default all. Unknown
    without an answered read or an acknowledged write.
    """
    reads, seats = history.reads, Seats(history)
    judged = np.ones(len(history.readers), dtype=bool) if group is None else chosen(history.readers, group)
    among = reads.is_ok & judged[reads.view(reads.reader)]
    behind = _behind(history, among)
    whole = _counted("all", history, among, behind)
    codes = seats.codes(reads.view(reads.instance))
    by_seat = tuple(
        _counted(seats.names[code] if code >= 0 else "nobody", history, among & (codes == code), behind)
        for code in np.unique(codes[among]).tolist()
    )
    aware = np.array([each.target == SENTINEL for each in history.readers], dtype=bool)[reads.view(reads.reader)]
    by_kind = tuple(
        _counted(kind, history, among & mask, behind)
        for kind, mask in ((PRIMARY, aware), (REPLICA, ~aware))
        if (among & mask).any()
    )
    why = _not_judgeable(history, whole)
    limit = "" if at_most is None else f" (limit {at_most:g} s)"
    valid: bool | None = None if why else True
    if at_most is not None and whole.worst > at_most:
        valid = False
    summary = why or f"{whole.stale} of {whole.reads} reads stale, by {whole.worst:.3f} s at worst{limit}"
    if valid is False and why:
        summary = f"stale by {whole.worst:.3f} s at worst{limit}; {why}"
    evidence = (*(each.describe() for each in (*by_kind, *by_seat)), *_worst_read(history, behind))
    return StaleReads(
        checker="stale_reads",
        valid=valid,
        summary=summary,
        evidence=evidence,
        all=whole,
        by_seat=by_seat,
        by_kind=by_kind,
    )


def _behind(history: History, among: NDArray[np.bool_]) -> Ints:
    """For each read, by how many microseconds it was stale; 0 if it was not, or does not count."""
    writes, reads = history.writes, history.reads
    found = np.zeros(len(reads), dtype=np.int64)
    acknowledged = dict(by_client(writes, writes.writer, writes.is_ok))
    invoked = reads.view(reads.completed) - reads.view(reads.took)
    for writer, indices in by_client(reads, reads.of, among):
        mine = acknowledged.get(writer)
        if mine is None:
            continue
        sequences = writes.view(writes.sequence)[mine]
        order = np.argsort(sequences, kind="stable")
        earliest = np.minimum.accumulate(writes.view(writes.completed)[mine][order][::-1])[::-1]
        place = np.searchsorted(sequences[order], reads.view(reads.seen)[indices], side="right")
        first = np.append(earliest, _NEVER)[place]
        found[indices] = np.maximum(invoked[indices] - first, 0)
    return found


def _counted(name: str, history: History, among: NDArray[np.bool_], behind: Ints) -> Staleness:
    stale = np.flatnonzero(among & (behind > 0))
    number = int(among.sum())
    if not len(stale):
        return Staleness(name, number, 0, 0.0, None, None)
    when: array[int] = history.reads.completed
    worst = int(behind[stale].max()) / MICRO
    return Staleness(name, number, len(stale), worst, when[int(stale[0])] / MICRO, when[int(stale[-1])] / MICRO)


def _worst_read(history: History, behind: Ints) -> tuple[str, ...]:
    if not len(behind) or not behind.any():
        return ()
    read = history.reads[int(np.argmax(behind))]
    where = history.instance_name(read.instance)
    line = f"worst: reader {read.reader} at {read.completed / MICRO:.3f} s on {where} saw "
    line += f"{_identity(read.writer, read.seen)} where {_identity(read.writer, read.expected)} had been acknowledged"
    return (line,)


def _identity(writer: int, sequence: int) -> str:
    return f"{writer}.{sequence}" if sequence >= 0 else f"nothing of writer {writer}"


def _not_judgeable(history: History, whole: Staleness) -> str:
    if not whole.reads:
        return "no read was answered: a pass would be vacuous"
    if not history.writes.is_ok.any():
        return "no write was acknowledged, so no read could be stale"
    return "" if history.is_complete else history.why_incomplete
