"""Two primaries at once: intervals in which two instances claimed to be primary or acknowledged writes as one.

Two sources are put together: the ROLE samples, and the acknowledgements themselves, for an instance may acknowledge
between two samples, and may be unreachable to the sampler while a client still writes to it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from harness.checkers.claims import Claim, Reign, claims, period_us, reigns, unseen
from harness.checkers.selection import Seats, op
from harness.checkers.spans import final_primary, inside, kept_by
from harness.checkers.verdict import Verdict
from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import MICRO, OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two primaries at once; seconds since the origin.

    `rightful` is the one that the Sentinels had elected last, `stale` the other. `acknowledged` counts the writes that
    each instance acknowledged meanwhile, for clients of any kind; `tried` how many ops were addressed to the stale one
    without being acknowledged; `lost` how many of the stale one's the final primary lacks (None: not known); `span` the
    time from its first to its last.
    """

    rightful: str
    stale: str
    begin: float
    end: float
    acknowledged: dict[str, int]
    tried: int
    span: float
    lost: int | None
    first: str
    last: str
    period: float

    @property
    def duration(self) -> float:
        """Seconds for which both are proven to have been primary."""
        return self.end - self.begin

    @property
    def stale_acknowledged(self) -> int:
        """How many writes the stale one acknowledged."""
        return self.acknowledged.get(self.stale, 0)

    def is_within(self, at_most: float) -> bool | None:
        """Whether the stale one refused what was tried, but for `at_most` seconds; None if nobody tried."""
        if self.stale_acknowledged:
            return at_most > 0 and self.span <= at_most
        return True if self.tried or self.duration <= self.period else None

    def describe(self) -> str:
        """One line."""
        acks = ", ".join(f"{seat} {number}" for seat, number in sorted(self.acknowledged.items()))
        text = (
            f"{self.rightful} and {self.stale} (stale) were both primary for {self.duration:.3f} s "
            f"({self.begin:.3f}..{self.end:.3f} s); acknowledged meanwhile: {acks}; "
        )
        if not self.stale_acknowledged:
            return text + f"{self.tried} ops tried at {self.stale}, none acknowledged"
        lost = "not known how many" if self.lost is None else self.lost
        return text + f"{self.stale} acknowledged {self.first} to {self.last}, of which lost at the end: {lost}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitBrain(Verdict):
    """The overlaps, by their beginning."""

    overlaps: tuple[Overlap, ...]

    @property
    def longest(self) -> float:
        """The longest overlap in seconds; 0 without one."""
        return max((each.duration for each in self.overlaps), default=0.0)

    @property
    def acknowledged_by_stale(self) -> int:
        """How many writes stale primaries acknowledged."""
        return sum(each.stale_acknowledged for each in self.overlaps)


def split_brain(history: History, *, at_most: float = 0.0) -> SplitBrain:
    """Whether no two primaries took writes at the same time.

    Not valid if the stale one of two acknowledged anything for longer than `at_most` seconds, from its first to its
    last acknowledgement (0: anything at all). Valid if none did although it was tried, or if there never were two. An
    overlap shorter than the sampling period in which nobody tried is let pass. Unknown if nobody tried in a longer one,
    if a seat was not sampled, or if nobody claimed to be primary. In a planned hand-over the old primary says so until
    it is demoted, but holds writes back: that is valid.
    """
    ruling = reigns(history)
    found = [*_by_roles(history, ruling), *_by_acknowledgements(history, ruling)]
    longest_op = max(history.writes.took, default=0)
    overlaps = tuple(_measured(history, each, longest_op) for each in _merged(found))
    judged = [each.is_within(at_most) for each in overlaps]
    valid: bool | None = False if False in judged else None if None in judged else True
    summary = "never two primaries"
    if overlaps:
        longest = max(each.duration for each in overlaps)
        stale = sum(each.stale_acknowledged for each in overlaps)
        summary = (
            f"{len(overlaps)} overlaps of two primaries, the longest {longest:.3f} s; {stale} writes acknowledged by "
            "the stale one" + (f" (limit {at_most:g} s)" if at_most else "")
        )
        summary += "; whether it would have, nobody tried" if valid is None else ""
    if valid is not False and (why := _not_judgeable(history)):
        valid, summary = None, f"{why}; so far: {summary}"
    evidence = tuple(each.describe() for each in overlaps)
    return SplitBrain(checker="split_brain", valid=valid, summary=summary, evidence=evidence, overlaps=overlaps)


@dataclass(frozen=True, slots=True)
class _Pair:
    rightful: str
    stale: str
    begin: int
    end: int


def _by_roles(history: History, ruling: list[Reign]) -> list[_Pair]:
    found = []
    everything = claims(history)
    for place, first in enumerate(everything):
        for second in everything[place + 1 :]:
            if second.begin >= first.end:
                break
            begin, end = second.begin, min(first.end, second.end)
            if first.seat != second.seat and begin < end:
                rightful, stale = _ranked(first, second, end, ruling)
                found.append(_Pair(rightful, stale, begin, end))
    return found


def _ranked(first: Claim, second: Claim, at_us: int, ruling: list[Reign]) -> tuple[str, str]:
    """The one whom the Sentinels had elected by the end comes first; if neither, the one who came later."""
    named = next((reign.seat for reign in reversed(ruling) if reign.begin <= at_us), second.seat)
    return (first.seat, second.seat) if named == first.seat else (second.seat, first.seat)


def _by_acknowledgements(history: History, ruling: list[Reign]) -> list[_Pair]:
    """Acknowledgements of a write that began after somebody else was named and had acknowledged one himself.

    Not those of the next one to be named once the one before takes nothing more: he was elected a moment before the
    Sentinels told of it.
    """
    writes, seats = history.writes, Seats(history)
    numbers = {each.instance for each in history.roles} | {each.instance for each in history.sweeps}
    members = {history.instance_name(number) for number in numbers}
    is_ok, codes = writes.is_ok, seats.codes(writes.view(writes.instance))
    completed, took = writes.view(writes.completed), writes.view(writes.took)
    found = []
    for reign, heir in zip_longest(ruling, ruling[1:]):
        inside_it = writes.between(reign.begin, reign.end)
        part = slice(inside_it.start, inside_it.stop)
        by_ruler = np.flatnonzero(is_ok[part] & (codes[part] == seats.code(reign.seat)))
        if not len(by_ruler):
            continue
        began, (since, until) = completed[part] - took[part], completed[part][by_ruler[[0, -1]]].tolist()
        late = is_ok[part] & (began >= since)
        for name in members - {reign.seat}:
            both = late & (began <= until) if heir and name == heir.seat else late
            stale = np.flatnonzero(both & (codes[part] == seats.code(name)))
            if len(stale):
                begin, end = completed[part][stale[[0, -1]]].tolist()
                found.append(_Pair(reign.seat, name, begin, end))
    return found


def _merged(pairs: list[_Pair]) -> list[_Pair]:
    """Those of the same two that touch, as one."""
    merged: list[_Pair] = []
    for each in sorted(pairs, key=lambda pair: (pair.rightful, pair.stale, pair.begin)):
        last = merged[-1] if merged else None
        if last and (last.rightful, last.stale) == (each.rightful, each.stale) and each.begin <= last.end:
            merged[-1] = _Pair(last.rightful, last.stale, last.begin, max(last.end, each.end))
        else:
            merged.append(each)
    return sorted(merged, key=lambda pair: (pair.begin, pair.rightful, pair.stale))


def _measured(history: History, pair: _Pair, longest_op: int) -> Overlap:
    writes, seats = history.writes, Seats(history)
    stale = seats.code(pair.stale)
    inside_it = writes.between(pair.begin, pair.end)
    indices, is_ok = np.array(inside_it, dtype=np.int64), writes.have(OK, inside_it)
    codes = seats.codes(writes.view(writes.instance[inside_it.start : inside_it.stop]))
    counts = Counter({pair.rightful: 0, pair.stale: 0})
    for code, number in zip(*(each.tolist() for each in np.unique(codes[is_ok], return_counts=True)), strict=True):
        counts[seats.names[code] if code >= 0 else "nobody"] += number
    acks = indices[is_ok & (codes == stale)]
    edges = acks[[0, -1]].tolist() if len(acks) else []
    span = (writes.completed[edges[1]] - writes.completed[edges[0]]) / MICRO if edges else 0.0
    return Overlap(
        rightful=pair.rightful,
        stale=pair.stale,
        begin=pair.begin / MICRO,
        end=pair.end / MICRO,
        acknowledged=dict(counts),
        tried=_tried(history, pair, codes_of=seats, longest_op=longest_op),
        span=span,
        lost=_lost(history, acks),
        first=op(writes, edges[0]) if edges else "",
        last=op(writes, edges[1]) if edges else "",
        period=period_us(history, pair.stale) / MICRO,
    )


def _tried(history: History, pair: _Pair, *, codes_of: Seats, longest_op: int) -> int:
    """Ops addressed to the stale one, under way at some moment of the interval, and not acknowledged."""
    writes = history.writes
    around = writes.between(pair.begin, pair.end + longest_op)
    part = slice(around.start, around.stop)
    began = writes.view(writes.completed[part]) - writes.view(writes.took[part])
    to_it = codes_of.codes(writes.view(writes.instance[part])) == codes_of.code(pair.stale)
    return int((to_it & (began <= pair.end) & ~writes.have(OK, around)).sum())


def _lost(history: History, acks: Ints) -> int | None:
    primary = final_primary(history)
    if primary is None or not history.is_complete:
        return None
    writes, held = history.writes, kept_by(history, primary.instance)
    writers, sequences = writes.view(writes.writer)[acks], writes.view(writes.sequence)[acks]
    return sum(
        int((~inside(sequences[writers == writer], held.get(writer, []))).sum())
        for writer in np.unique(writers).tolist()
    )


def _not_judgeable(history: History) -> str:
    if missing := unseen(history):
        return f"not sampled: {', '.join(missing)}"
    if not any(sample.role == "primary" for sample in history.roles):
        return "no seat claimed to be primary"
    return "" if history.is_complete else history.why_incomplete
