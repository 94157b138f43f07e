"""Windows without acknowledged writes, as clients experienced them."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress, pairwise
from operator import sub

from harness.checkers.verdict import Verdict
from harness.history.history import History
from harness.history.records import MICRO, OK, FaultMark

#: Around a window's edges the usual distance of two acknowledgements is taken from this much time, in seconds.
AROUND_S = 1.0
#: At the end of a recording the writers stop; an open window no longer than this is only that.
STOPPING_S = 0.05
#: If the witness's own stall makes up this share of a window, the window says nothing about Redis.
OWN_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From the last acknowledged write before to the first one after; seconds since the history's origin.

    The real outage is shorter than `duration` by at most `resolution`. An open window had not ended when the recording
    did.
    """

    begin: float
    end: float
    resolution: float
    is_open: bool
    outcomes: dict[str, int]
    errors: dict[str, int]
    last_by: str
    first_by: str | None

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return self.end - self.begin

    def describe(self) -> str:
        """One line."""
        errors = ", ".join(f"{number} {label}" for label, number in sorted(self.errors.items())) or "no op failed"
        until = "the end of the recording" if self.is_open else f"{self.end:.3f} s (by {self.first_by})"
        return (
            f"{self.duration:.3f} s (-{self.resolution * 1000:.1f} ms) without an acknowledged write, "
            f"from {self.begin:.3f} s (by {self.last_by}) to {until}; meanwhile: {errors}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailability(Verdict):
    """The worst window of the time looked at; without one (nothing acknowledged) `window` is None."""

    window: Window | None

    @property
    def duration(self) -> float:
        """The window's length in seconds; infinite if it cannot be measured."""
        return self.window.duration if self.window else float("inf")

    @property
    def resolution(self) -> float:
        """How much shorter the real outage may be, in seconds."""
        return self.window.resolution if self.window else float("inf")


def unavailability(
    history: History,
    *,
    since: FaultMark | float | None = None,
    until: FaultMark | float | None = None,
    at_most: float | None = None,
    group: str | None = None,
) -> Unavailability:
    """The longest time without an acknowledged write that touches [since, until] (seconds since the origin, or marks).

    Valid if it is at most `at_most` seconds (if given); unknown if it could not be measured: nothing was acknowledged
    before `since`, the witness itself stood still, or the limit lies within the resolution. Counts the writers of
    `group`; by default all Sentinel-aware ones, for a pinned writer's outage is its own.
    """
    acks = _Acks(history, group)
    begin_us, end_us = _instant(since, 0, earliest=True), _instant(until, None, earliest=False)
    if not acks.at or (since is not None and acks.at[0] > begin_us):
        return _unknown("no write was acknowledged before the time looked at, so there is nothing to compare with")
    worst = acks.worst(begin_us, end_us)
    if worst is None:
        return _unknown("the time looked at lies outside of what was recorded")
    window = _window(history, acks.at, *worst)
    if _own_stall(history, worst) > OWN_SHARE * (worst[1] - worst[0]) and window.duration > AROUND_S / 10:
        return _unknown("the witness itself stood still for most of it", window)
    verdict = _judged(window, at_most)
    if verdict.valid is not False and not history.is_complete:
        so_far = "was still open" if window.is_open else "was the worst so far"
        return _unknown(f"this window {so_far} when the recording broke off: {history.why_incomplete}", window)
    return verdict


def windows(history: History, *, longer_than: float = 0.1, group: str | None = None) -> tuple[Window, ...]:
    """All windows longer than `longer_than` seconds, in order."""
    acks = _Acks(history, group)
    return tuple(_window(history, acks.at, *gap) for gap in acks.gaps(0, None, int(longer_than * MICRO)))


def _judged(window: Window, at_most: float | None) -> Unavailability:
    if at_most is None:
        valid: bool | None = None if window.is_open else True
        limit = ""
    else:
        limit = f" (limit {at_most:g} s)"
        valid = True if window.duration <= at_most else None
        if window.duration - window.resolution > at_most:
            valid = False
        elif window.is_open:
            valid = None
    summary = f"{window.duration:.3f} s without an acknowledged write{limit}"
    return Unavailability(
        checker="unavailability", valid=valid, summary=summary, evidence=(window.describe(),), window=window
    )


def _unknown(why: str, window: Window | None = None) -> Unavailability:
    evidence = (window.describe(),) if window else ()
    return Unavailability(checker="unavailability", valid=None, summary=why, evidence=evidence, window=window)


_Gap = tuple[int, int, bool]  # from, to, and whether it was still open


class _Acks:
    """The acknowledgements of the writers asked for: their instants, ascending, and the last op's; microseconds."""

    def __init__(self, history: History, group: str | None) -> None:
        writes, wanted = history.writes, _wanted(history, group)
        instants = writes.of_oks(writes.completed)
        if not all(wanted):
            instants = compress(instants, map(wanted.__getitem__, writes.of_oks(writes.writer)))
        self.at = array("q", instants)
        backwards = range(len(writes) - 1, -1, -1)
        last = next((index for index in backwards if wanted[writes.writer[index]]), None)
        self.last_op = 0 if last is None else writes.completed[last]

    def gaps(self, begin_us: int, end_us: int | None, longer_than_us: int) -> Iterator[_Gap]:
        """Neighbours with nothing between them that touch the time looked at, if they are that far apart."""
        limit = self.last_op if end_us is None else min(end_us, self.last_op)
        first = max(0, bisect_right(self.at, begin_us) - 1)
        last = bisect_left(self.at, limit)
        distances = map(sub, self.at[first + 1 : last + 1], self.at[first : last + 1])
        for place, distance in enumerate(distances, first):
            if distance > longer_than_us:
                yield self.at[place], self.at[place + 1], False
        if self.at and max(self.at[-1], begin_us) < limit and self.last_op - self.at[-1] > STOPPING_S * MICRO:
            yield self.at[-1], self.last_op, True

    def worst(self, begin_us: int, end_us: int | None) -> _Gap | None:
        """The longest of them."""
        limit = self.last_op if end_us is None else min(end_us, self.last_op)
        first = max(0, bisect_right(self.at, begin_us) - 1)
        last = bisect_left(self.at, limit)
        longest = max(map(sub, self.at[first + 1 : last + 1], self.at[first : last + 1]), default=0)
        return max(self.gaps(begin_us, end_us, longest - 1), key=lambda gap: gap[1] - gap[0], default=None)


def _wanted(history: History, group: str | None) -> list[bool]:
    if group is not None:
        return [each.group == group for each in history.writers]
    aware = [each.target == "sentinel" for each in history.writers]
    return aware if any(aware) else [True] * len(aware)  # only pinned writers: then they are what is asked about


def _window(history: History, acks: array[int], begin_us: int, end_us: int, is_open: bool) -> Window:
    writes = history.writes
    inside = writes.between(begin_us + 1, end_us if is_open else end_us - 1)
    usual = _usual_distance(acks, begin_us, end_us)
    lag = max(history.largest_lag_us(edge, edge) for edge in (begin_us, end_us))
    return Window(
        begin=begin_us / MICRO,
        end=end_us / MICRO,
        resolution=max(usual, lag) / MICRO,
        is_open=is_open,
        outcomes=dict(writes.counts(inside)),
        errors=dict(writes.errors(inside)),
        last_by=_by(history, begin_us),
        first_by=None if is_open else _by(history, end_us),
    )


def _usual_distance(acks: array[int], begin_us: int, end_us: int) -> int:
    """The 99th percentile of the distance of two acknowledgements just before and just after a window."""
    around = int(AROUND_S * MICRO)
    before = acks[bisect_left(acks, begin_us - around) : bisect_right(acks, begin_us)]
    after = acks[bisect_left(acks, end_us) : bisect_right(acks, end_us + around)]
    distances = sorted(later - earlier for stretch in (before, after) for earlier, later in pairwise(stretch))
    return distances[len(distances) * 99 // 100] if distances else end_us - begin_us


def _own_stall(history: History, gap: _Gap) -> int:
    """The witness's longest single stall within a window; between stalls it tried, so they do not add up."""
    begin_us, end_us, _ = gap
    return max((min(each.at, end_us) - max(each.at - each.lag, begin_us) for each in history.health), default=0)


def _by(history: History, at_us: int) -> str:
    writes = history.writes
    index = next(index for index in writes.between(at_us, at_us) if writes.outcome[index] == ord(OK))
    return history.instance_name(writes.instance[index])


def _instant(value: FaultMark | float | None, default: int | None, *, earliest: bool) -> int:
    if value is None:
        return 1 << 62 if default is None else default
    if isinstance(value, FaultMark):
        return value.sent - value.uncertainty if earliest else value.returned + value.uncertainty
    return int(value * MICRO)
