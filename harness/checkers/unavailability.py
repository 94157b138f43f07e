"""Windows without acknowledged writes, or without answered reads, as clients experienced them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.checkers.selection import chosen
from harness.checkers.verdict import Verdict
from harness.history.columns import Ints, Reads, Writes
from harness.history.history import History
from harness.history.records import MICRO, FaultMark

Kind = Literal["write", "read"]

_SOUGHT: Mapping[str, str] = {"write": "an acknowledged write", "read": "an answered read"}
_DONE: Mapping[str, str] = {"write": "no write was acknowledged", "read": "no read was answered"}

#: What an error class means to a reader; what is not here is a reply of the server, shown as it is.
CAUSES: Mapping[str, str] = {
    "loading": "the instance was loading its data",
    "masterdown": "the replica had lost its primary",
    "no-primary": "the Sentinels named no primary",
    "noreplicas": "the primary had too few replicas in step to accept writes",
    "not-primary": "the instance that the Sentinels named was no primary yet",
    "primary-moved": "given up because the Sentinels named another primary",
    "readonly": "the instance was a replica and refused writes",
    "refused": "nobody listened at the address",
    "reset": "the connection was cut",
    "stopped": "given up because the recording ended",
    "timeout": "no answer in time",
    "too-few-replicas": "written, but confirmed by too few replicas",
    "unreachable": "the address could not be reached",
    "unresolved": "the name did not resolve",
}

#: Around a window's edges the usual distance of two acknowledgements is taken from this much time, in seconds.
AROUND_S = 1.0
#: At the end of a recording the writers stop; an open window no longer than this is only that.
STOPPING_S = 0.05
#: If the witness's own stall makes up this share of a window, the window says nothing about Redis.
OWN_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From the last acknowledged op before to the first one after; seconds since the history's origin.

    The real outage is shorter than `duration` by at most `resolution`. An open window had not ended when the recording
    did. `outcomes` and `errors` count the ops of the clients asked for that ended meanwhile; `shares` says which part
    of the time that these spent went into which error.
    """

    begin: float
    end: float
    resolution: float
    is_open: bool
    outcomes: dict[str, int]
    errors: dict[str, int]
    last_by: str
    first_by: str | None
    kind: Kind = "write"
    shares: dict[str, float] = field(default_factory=dict)

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return self.end - self.begin

    @property
    def cause(self) -> str:
        """Why ops did not succeed, in words, the longest first; what the client met, not why it came to that."""
        told = sorted(self.shares.items(), key=lambda item: (-item[1], item[0]))
        return "; ".join(f"{CAUSES.get(label, f'answered {label.upper()}')} ({share:.0%})" for label, share in told)

    def describe(self) -> str:
        """One line."""
        errors = ", ".join(f"{number} {label}" for label, number in sorted(self.errors.items())) or "no op failed"
        until = "the end of the recording" if self.is_open else f"{self.end:.3f} s (by {self.first_by})"
        return (
            f"{self.duration:.3f} s (-{self.resolution * 1000:.1f} ms) without {_SOUGHT[self.kind]}, "
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
    kind: Kind = "write",
    since: FaultMark | float | None = None,
    until: FaultMark | float | None = None,
    at_most: float | None = None,
    group: str | None = None,
) -> Unavailability:
    """The longest time without an acknowledged write (or answered read) that touches [since, until].

    Both are seconds since the origin, or marks. Valid if it is at most `at_most` seconds (if given); unknown if it
    could not be measured: nothing was acknowledged before `since`, the witness itself stood still or was kept from
    running (unless even so the limit is kept), or the limit lies within the resolution. Counts the clients of `group`;
    by default all Sentinel-aware ones, for a pinned client's outage is its own.
    """
    acks = _Acks(history, kind, group)
    begin_us, end_us = _instant(since, 0, earliest=True), _instant(until, None, earliest=False)
    if not len(acks.at) or (since is not None and acks.at[0] > begin_us):
        return _unknown(f"{_DONE[kind]} before the time looked at, so there is nothing to compare with")
    worst = acks.worst(begin_us, end_us)
    if worst is None:
        return _unknown("the time looked at lies outside of what was recorded")
    window = acks.window(worst)
    own = OWN_SHARE * (worst[1] - worst[0])
    # What the witness missed lies within the window, so a limit that the whole window keeps was kept.
    if window.duration > AROUND_S / 10 and (at_most is None or window.duration > at_most):
        if _own_stall(history, worst) > own:
            return _unknown("the witness itself stood still for most of it", window)
        if history.largest_throttling_us(worst[0], worst[1]) > own:
            return _unknown("the witness itself was kept from running (CPU quota) for most of it", window)
    verdict = _judged(window, at_most)
    if verdict.valid is not False and not history.is_complete:
        so_far = "was still open" if window.is_open else "was the worst so far"
        return _unknown(f"this window {so_far} when the recording broke off: {history.why_incomplete}", window)
    return verdict


def windows(
    history: History, *, longer_than: float = 0.1, group: str | None = None, kind: Kind = "write"
) -> tuple[Window, ...]:
    """All windows longer than `longer_than` seconds, in order."""
    acks = _Acks(history, kind, group)
    return tuple(acks.window(gap) for gap in acks.gaps(0, None, int(longer_than * MICRO)))


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
    summary = f"{window.duration:.3f} s without {_SOUGHT[window.kind]}{limit}"
    evidence = (window.describe(), *((f"cause: {window.cause}",) if window.cause else ()))
    return Unavailability(checker="unavailability", valid=valid, summary=summary, evidence=evidence, window=window)


def _unknown(why: str, window: Window | None = None) -> Unavailability:
    evidence = (window.describe(),) if window else ()
    return Unavailability(checker="unavailability", valid=None, summary=why, evidence=evidence, window=window)


_Gap = tuple[int, int, bool]  # from, to, and whether it was still open


class _Acks:
    """The acknowledgements of the clients asked for: their instants, ascending, and the last op's; microseconds."""

    def __init__(self, history: History, kind: Kind, group: str | None) -> None:
        self._history = history
        self._kind = kind
        ops: Writes | Reads = history.reads if kind == "read" else history.writes
        clients = history.readers if kind == "read" else history.writers
        self._ops = ops
        self._judged: NDArray[np.bool_] = chosen(clients, group)[
            ops.view(ops.reader if isinstance(ops, Reads) else ops.writer)
        ]
        self._completed = ops.view(ops.completed)
        self._indices = np.flatnonzero(ops.is_ok & self._judged)
        self.at = self._completed[self._indices]
        self.last_op = int(self._completed[self._judged][-1]) if self._judged.any() else 0

    def _part(self, begin_us: int, end_us: int | None) -> tuple[Ints, int]:
        """The acknowledgements around the time looked at, and its end."""
        limit = self.last_op if end_us is None else min(end_us, self.last_op)
        first = max(0, int(np.searchsorted(self.at, begin_us, side="right")) - 1)
        return self.at[first : int(np.searchsorted(self.at, limit, side="left")) + 1], limit

    def gaps(self, begin_us: int, end_us: int | None, longer_than_us: int) -> Iterator[_Gap]:
        """Neighbours with nothing between them that touch the time looked at, if they are that far apart."""
        part, limit = self._part(begin_us, end_us)
        for place in np.flatnonzero(np.diff(part) > longer_than_us).tolist():
            yield int(part[place]), int(part[place + 1]), False
        last = int(self.at[-1]) if len(self.at) else limit
        if max(last, begin_us) < limit and self.last_op - last > max(STOPPING_S * MICRO, longer_than_us):
            yield last, self.last_op, True

    def worst(self, begin_us: int, end_us: int | None) -> _Gap | None:
        """The longest of them."""
        longest = int(np.diff(self._part(begin_us, end_us)[0]).max(initial=0))
        return max(self.gaps(begin_us, end_us, longest - 1), key=lambda gap: gap[1] - gap[0], default=None)

    def window(self, gap: _Gap) -> Window:
        """The gap with what happened in it."""
        begin_us, end_us, is_open = gap
        ops, history = self._ops, self._history
        span = ops.between(begin_us + 1, end_us if is_open else end_us - 1)
        part, judged = slice(span.start, span.stop), self._judged[span.start : span.stop]
        codes = ops.view(ops.error[part])[judged]
        spent = np.minimum(ops.view(ops.took[part]), self._completed[part] - begin_us)[judged]
        numbers = np.bincount(codes, minlength=len(ops.labels)).tolist()
        time = np.bincount(codes, weights=spent, minlength=len(ops.labels)).tolist()
        met = {ops.labels[code]: code for code in range(1, len(ops.labels)) if numbers[code]}
        total = sum(time[code] for code in met.values())
        edges = (begin_us, end_us)
        doubt = max(
            _usual_distance(self.at, begin_us, end_us),
            *(history.largest_lag_us(edge, edge) for edge in edges),
            *(history.largest_throttling_us(edge, edge) for edge in edges),
        )
        return Window(
            begin=begin_us / MICRO,
            end=end_us / MICRO,
            resolution=doubt / MICRO,
            is_open=is_open,
            outcomes={letter: n for letter in "ofi" if (n := int((ops.have(letter, span) & judged).sum()))},
            errors={label: numbers[code] for label, code in met.items()},
            last_by=self._by(begin_us),
            first_by=None if is_open else self._by(end_us),
            kind=self._kind,
            shares={label: time[code] / total for label, code in met.items()} if total else {},
        )

    def _by(self, at_us: int) -> str:
        index = int(self._indices[np.searchsorted(self.at, at_us, side="left")])
        return self._history.instance_name(self._ops.instance[index])


def _usual_distance(acks: Ints, begin_us: int, end_us: int) -> int:
    """The 99th percentile of the distance of two acknowledgements just before and just after a window."""
    around = int(AROUND_S * MICRO)
    edges = np.searchsorted(acks, (begin_us - around, end_us), side="left").tolist()
    ends = np.searchsorted(acks, (begin_us, end_us + around), side="right").tolist()
    stretches = [np.diff(acks[first:last]) for first, last in zip(edges, ends, strict=True)]
    distances = np.sort(np.concatenate(stretches))
    return int(distances[len(distances) * 99 // 100]) if len(distances) else end_us - begin_us


def _own_stall(history: History, gap: _Gap) -> int:
    """The witness's longest single stall within a window; between stalls it tried, so they do not add up."""
    begin_us, end_us, _ = gap
    return max((min(each.at, end_us) - max(each.at - each.lag, begin_us) for each in history.health), default=0)


def _instant(value: FaultMark | float | None, default: int | None, *, earliest: bool) -> int:
    if value is None:
        return 1 << 62 if default is None else default
    if isinstance(value, FaultMark):
        return value.sent - value.uncertainty if earliest else value.returned + value.uncertainty
    return int(value * MICRO)
