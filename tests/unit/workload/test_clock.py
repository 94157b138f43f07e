"""Two clocks: the offset is known to half a round trip, drift included."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.clock import NS, Bracket, RemoteClock
from harness.errors import WitnessError


class Machines:
    """A runner and a remote clock that differ by an offset and drift; each question takes a while on the way."""

    def __init__(
        self, *, offset_ns: int = 5 * NS, drift: float = 0.0, delays: list[tuple[int, int]] | None = None
    ) -> None:
        self.now = 1000 * NS
        self.offset_ns = offset_ns
        self.drift = drift
        self._delays = delays or [(100_000, 100_000)]
        self._turn = count()

    def local(self) -> int:
        return self.now

    def remote_at(self, local_ns: int) -> int:
        return local_ns + self.offset_ns + round((local_ns - 1000 * NS) * self.drift)

    def read(self) -> int:
        there, back = self._delays[next(self._turn) % len(self._delays)]
        self.now += there
        answer = self.remote_at(self.now)
        self.now += back
        return answer

    def clock(self) -> RemoteClock:
        return RemoteClock(self.read, now_ns=self.local)


@settings(deadline=None, database=None)
@given(
    st.integers(-(10**18), 10**18),
    st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)), min_size=1, max_size=9),
)
def test_offset_is_right_within_the_uncertainty(offset_ns: int, delays: list[tuple[int, int]]) -> None:
    """However unequal the two ways are."""
    machines = Machines(offset_ns=offset_ns, delays=delays)
    estimate = machines.clock().synchronise()

    assert abs(estimate.offset_ns - offset_ns) <= estimate.uncertainty_ns
    assert estimate.uncertainty_ns <= min(map(sum, delays)) // 2 + 1 if len(delays) == 9 else True


def test_shortest_round_trip_is_taken() -> None:
    """One quick answer among slow ones gives the bound."""
    machines = Machines(delays=[(9_000_000, 1_000_000), (50_000, 50_000), (4_000_000, 4_000_000)])

    assert machines.clock().synchronise().uncertainty_ns == 50_001


def test_drift_between_two_estimates_is_interpolated() -> None:
    """Compared before and after, an instant in between is right although the clocks ran apart by 50 ppm."""
    machines = Machines(drift=5e-5)
    clock = machines.clock()
    clock.synchronise()
    middle = machines.now + 50 * NS
    machines.now += 100 * NS
    clock.synchronise()

    remote, uncertainty = clock.remote_ns(middle / NS)

    assert abs(remote - machines.remote_at(middle)) <= uncertainty


def test_uncertainty_grows_outside_of_what_was_compared() -> None:
    """Long after the only comparison nobody knows exactly."""
    machines = Machines()
    clock = machines.clock()
    clock.synchronise()

    assert clock.remote_ns(machines.now / NS)[1] < clock.remote_ns(machines.now / NS + 60)[1]


def test_clocks_never_compared_are_an_error() -> None:
    """No silent guess."""
    with pytest.raises(WitnessError, match="never compared"):
        Machines().clock().remote_ns(1.0)


def test_bracket_cannot_end_before_it_begins() -> None:
    """Arguments the wrong way round are noticed."""
    with pytest.raises(ValueError, match="cannot end before it begins"):
        Bracket(2.0, 1.0)
