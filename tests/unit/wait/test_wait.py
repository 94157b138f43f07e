from __future__ import annotations

import itertools

import pytest

from harness import wait
from harness.errors import BrokenPromise, ClusterError, ObservationError, WaitTimeout


def test_the_first_value_that_satisfies_is_returned() -> None:
    """Eventually hands back the value itself, not merely that it came."""
    numbers = itertools.count()

    assert wait.eventually(lambda: next(numbers), lambda n: n >= 3, seconds=5) == 3


def test_giving_up_tells_what_was_last_seen() -> None:
    """The message carries the last value, the number of polls and what was waited for."""
    with pytest.raises(WaitTimeout, match=r"(?s)waited .* s for the answer: .*last seen: 41 \(\d+ polls\)"):
        wait.eventually(lambda: 41, lambda n: n == 42, seconds=0.1, what="the answer")


def test_giving_up_tells_the_last_error() -> None:
    """An observation that only fails is told by its last error."""

    def refuse() -> int:
        raise ObservationError("connection refused")

    with pytest.raises(WaitTimeout, match=r"last error: ObservationError: connection refused \((\d+) of \1\)"):
        wait.eventually(refuse, seconds=0.1)


def test_a_bug_is_not_waited_for() -> None:
    """Only listed errors are transient: a TypeError escapes at once."""

    def broken() -> int:
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        wait.eventually(broken, seconds=60)


def test_a_hopeless_wait_ends_early() -> None:
    """give_up ends the wait with its reason, long before the time is over."""
    with pytest.raises(WaitTimeout, match=r"gave up on .*: the pod has failed"):
        wait.eventually(lambda: "Failed", lambda s: s == "Running", seconds=600, give_up=lambda _: "the pod has failed")


def test_a_cluster_that_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answering at all for UNREACHABLE_S ends a wait, however much patience it has left."""
    monkeypatch.setattr(wait, "UNREACHABLE_S", 0.1)

    class Gone(ClusterError):
        is_unreachable = True

    def ask() -> int:
        raise Gone("connection refused")

    with pytest.raises(WaitTimeout, match=r"(?s)gave up on .*: the cluster has not answered for .*connection refused"):
        wait.eventually(ask, seconds=600)


def test_a_promise_kept_returns_the_last_value() -> None:
    """Consistently returns what it saw last."""
    assert wait.consistently(lambda: "redis-0", lambda seat: seat == "redis-0", seconds=0.1) == "redis-0"


def test_a_promise_broken_says_when() -> None:
    """Consistently raises at the first value that does not satisfy."""
    numbers = itertools.count()

    with pytest.raises(BrokenPromise, match="last seen: 2"):
        wait.consistently(lambda: next(numbers), lambda n: n < 2, seconds=60)


def test_a_promise_that_nobody_saw_is_not_kept() -> None:
    """A window in which nothing could be observed proves nothing."""

    def refuse() -> int:
        raise ObservationError("connection refused")

    with pytest.raises(WaitTimeout, match="could not observe"):
        wait.consistently(refuse, lambda _: True, seconds=0.05)


def test_patience_is_capped_for_a_while() -> None:
    """Whatever a wait says; the smaller cap holds, a scale does not stretch it, and afterwards all is as before."""
    wait.set_patience_scale(3.0)
    try:
        with wait.patience_at_most(2.0):
            with wait.patience_at_most(10.0):
                assert wait.stretched(60.0) == 2.0
            assert wait.stretched(0.5) == 1.5
        assert wait.stretched(60.0) == 180.0
    finally:
        wait.set_patience_scale(1.0)


def test_capped_wait_gives_up_early_and_still_looks() -> None:
    """Once at least."""
    looks: list[int] = []

    with wait.patience_at_most(0.0), pytest.raises(WaitTimeout, match="1 polls"):
        wait.eventually(lambda: looks.append(1), seconds=600)

    assert looks == [1]
