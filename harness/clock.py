"""The witness's clock as seen from the runner: an offset estimated from round trips, and how uncertain it is.

Nothing on two machines happens at a known same instant. An answer of the remote clock was read somewhere between our
question and its arrival, so half the round trip bounds the error (Cristian's method); the shortest of several round
trips gives the tightest bound. The two clocks also drift apart, so estimates are taken at both ends of a measurement
and interpolated between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import WitnessError

NS = 1_000_000_000
ROUNDS = 9
#: Crystal oscillators of two machines may differ by this much: 100 microseconds a second.
DRIFT = 1e-4


@dataclass(frozen=True, slots=True)
class Bracket:
    """When something was done, as the runner knows it: no earlier than `sent`, no later than `returned`.

    Both are ``time.monotonic()`` seconds of the runner.
    """

    sent: float
    returned: float

    def __post_init__(self) -> None:
        if self.returned < self.sent:
            raise ValueError(f"a bracket cannot end before it begins: {self.sent} .. {self.returned}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """At runner instant `at_ns` the remote clock read `at_ns + offset_ns`, give or take `uncertainty_ns`."""

    at_ns: int
    offset_ns: int
    uncertainty_ns: int


class RemoteClock:
    """Maps the runner's monotonic clock to the remote one; `read` asks the remote clock for its nanoseconds."""

    def __init__(self, read: Callable[[], int], *, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._read = read
        self._now_ns = now_ns
        self._estimates: list[Estimate] = []

    def synchronise(self, rounds: int = ROUNDS) -> Estimate:
        """Take a new estimate from the shortest of `rounds` round trips."""
        self._estimates.append(min((self._round() for _ in range(rounds)), key=lambda each: each.uncertainty_ns))
        return self._estimates[-1]

    def remote_ns(self, local_s: float) -> tuple[int, int]:
        """The remote clock at runner instant `local_s` (``time.monotonic()``), and its uncertainty; nanoseconds.

        Raises WitnessError if the clocks were never compared.
        """
        if not self._estimates:
            raise WitnessError("the witness's clock was never compared with the runner's: call synchronise() first")
        at_ns = round(local_s * NS)
        before = max((each for each in self._estimates if each.at_ns <= at_ns), key=_instant, default=None)
        after = min((each for each in self._estimates if each.at_ns > at_ns), key=_instant, default=None)
        if before is None or after is None:
            nearest = before or after
            assert nearest is not None
            drift = int(abs(at_ns - nearest.at_ns) * DRIFT)
            return at_ns + nearest.offset_ns, nearest.uncertainty_ns + drift
        share = (at_ns - before.at_ns) / (after.at_ns - before.at_ns)
        offset = before.offset_ns + round((after.offset_ns - before.offset_ns) * share)
        return at_ns + offset, max(before.uncertainty_ns, after.uncertainty_ns)

    def _round(self) -> Estimate:
        asked = self._now_ns()
        remote = self._read()
        answered = self._now_ns()
        middle = (asked + answered) // 2
        return Estimate(middle, remote - middle, (answered - asked) // 2 + 1)


def _instant(estimate: Estimate) -> int:
    return estimate.at_ns
