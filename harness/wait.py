"""Waiting: bounded, returning the value or raising what was last seen. The only place in the harness that sleeps.

``eventually`` is for what must come true, ``consistently`` for what must stay true for a computed window. Predicates
are plain functions ``value -> bool`` or ``value -> Verdict``-like objects with ``reasons``; see :func:`why_not`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar, runtime_checkable

from harness.errors import BrokenPromise, ClusterError, ObservationError, WaitTimeout

T = TypeVar("T")

#: Errors that a poll may meet on its way: the instance restarts, the pod moves. Everything else is a bug and escapes.
TRANSIENT = (ClusterError, ObservationError, ConnectionError, TimeoutError)

FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.25

#: An API server that is restarted answers again after 3 s; one that is silent for so long is gone with its cluster.
UNREACHABLE_S = 30.0


@runtime_checkable
class Reasoned(Protocol):
    """A predicate's result that knows why it is false."""

    @property
    def reasons(self) -> Sequence[str]:
        """Why it does not hold; empty when it holds."""


class _Patience:
    """How far every wait may be stretched on a slow machine (``--patience-scale``); budgets never are.

    `most` seconds is what is left of it where nothing is expected to come.
    """

    scale = 1.0
    most = math.inf


def set_patience_scale(scale: float) -> None:
    """Stretch all waits of this process by `scale`. Asserted limits (budgets) are not touched."""
    _Patience.scale = scale


def stretched(seconds: float) -> float:
    """Return `seconds` of patience as it is now, for waits that watch instead of polling.

    Stretched by ``--patience-scale``, and within `patience_at_most` no more than that.
    """
    return min(seconds * _Patience.scale, _Patience.most)


@contextmanager
def patience_at_most(seconds: float) -> Iterator[None]:
    """The state of this process having no more than `seconds` of patience, whatever a wait says; not scaled.

    For the proof that something does not happen by a wait that is made for its happening. Nested, the smaller one
    holds. Every wait still looks once at least.
    """
    before = _Patience.most
    _Patience.most = min(before, seconds)
    try:
        yield
    finally:
        _Patience.most = before


def eventually(
    observe: Callable[[], T],
    predicate: Callable[[T], object] = bool,
    *,
    seconds: float,
    what: str | None = None,
    give_up: Callable[[T], str | None] | None = None,
) -> T:
    """Return the first observed value for which `predicate` holds.

    `seconds` is patience (see `stretched`). `give_up` may name a reason why the wait cannot succeed any more, which
    ends it early. Raises WaitTimeout with the last value, the last error and the number of polls.
    """
    label = what or _name(observe)
    deadline = time.monotonic() + stretched(seconds)
    started = time.monotonic()
    seen = _LastSeen()
    pause = FIRST_PAUSE_S
    while True:
        try:
            value = observe()
        except TRANSIENT as error:
            seen.error(error)
            if seen.unreachable_s > UNREACHABLE_S:
                why = f"the cluster has not answered for {seen.unreachable_s:.0f} s"
                raise WaitTimeout(f"gave up on {label}: {why}\n{seen}") from error
        else:
            result = predicate(value)
            if _holds(result):
                return value
            seen.value(value, result)
            hopeless = give_up(value) if give_up else None
            if hopeless:
                raise WaitTimeout(f"gave up on {label} after {time.monotonic() - started:.1f} s: {hopeless}\n{seen}")
        now = time.monotonic()
        if now >= deadline:
            raise WaitTimeout(f"waited {now - started:.1f} s for {label}: {_name(predicate)} did not hold\n{seen}")
        time.sleep(min(pause, deadline - now))
        pause = min(pause * 1.5, LONGEST_PAUSE_S)


def consistently(
    observe: Callable[[], T],
    predicate: Callable[[T], object],
    *,
    seconds: float,
    what: str | None = None,
) -> T:
    """Return the last value after `predicate` held for every observation during `seconds`.

    The window is not scaled: it is computed from what it must outlast. Raises BrokenPromise at the first value for
    which the predicate does not hold, WaitTimeout when nothing could be observed at all.
    """
    label = what or _name(observe)
    started = time.monotonic()
    seen = _LastSeen()
    last: list[T] = []
    while True:
        try:
            value = observe()
        except TRANSIENT as error:
            seen.error(error)
        else:
            result = predicate(value)
            seen.value(value, result)
            if not _holds(result):
                held = time.monotonic() - started
                raise BrokenPromise(f"{label} held for {held:.1f} s of {seconds:.1f} s, then did not\n{seen}")
            last[:] = [value]
        remaining = started + seconds - time.monotonic()
        if remaining <= 0:
            break
        time.sleep(min(LONGEST_PAUSE_S, remaining))
    if not last:
        raise WaitTimeout(f"could not observe {label} once in {seconds:.1f} s\n{seen}")
    return last[0]


def pause_until(monotonic: float) -> None:
    """Return at `monotonic` (seconds of :func:`time.monotonic`), at once if it has passed.

    For the rare moment that is computed, not awaited (a rate limiter, a clock sample); tests never call it.
    """
    remaining = monotonic - time.monotonic()
    if remaining > 0:
        time.sleep(remaining)


def why_not(result: object) -> str:
    """Return the reasons of a predicate's result on one line, or an empty string when it has none."""
    return "; ".join(result.reasons) if isinstance(result, Reasoned) else ""


def _holds(result: object) -> bool:
    return bool(result)


def _name(function: Callable[..., object]) -> str:
    name = getattr(function, "__qualname__", None) or type(function).__name__
    return str(name).replace("<lambda>", "the condition").split(".<locals>.")[-1]


class _LastSeen:
    """The last value and the last error of a wait, for its message."""

    def __init__(self) -> None:
        self._value = "nothing"
        self._why = ""
        self._polls = 0
        self._errors = 0
        self._last_error = ""
        self._unreachable_since: float | None = None

    @property
    def unreachable_s(self) -> float:
        """For how long nobody has answered at all; 0 when somebody did last time."""
        return 0.0 if self._unreachable_since is None else time.monotonic() - self._unreachable_since

    def value(self, value: object, result: object) -> None:
        self._polls += 1
        self._unreachable_since = None
        self._value = str(value)
        self._why = why_not(result)

    def error(self, error: BaseException) -> None:
        self._polls += 1
        self._errors += 1
        self._last_error = f"{type(error).__name__}: {error}"
        if not getattr(error, "is_unreachable", False):
            self._unreachable_since = None
        elif self._unreachable_since is None:
            self._unreachable_since = time.monotonic()

    def __str__(self) -> str:
        lines = [f"last seen: {self._value} ({self._polls} polls)"]
        if self._why:
            lines.append(f"because: {self._why}")
        if self._last_error:
            lines.append(f"last error: {self._last_error} ({self._errors} of {self._polls})")
        return "\n".join(lines)
