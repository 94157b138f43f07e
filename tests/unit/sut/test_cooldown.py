from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.sut.cooldown import cooling_down_s

NOW = datetime(2026, 11, 23, 7, 20, 0, tzinfo=UTC)
TRIED = "1:X 23 Nov 2026 07:19:50.000 # +try-failover master mymaster redis-0 6379\n"
VOTED = "1:X 23 Nov 2026 07:19:40.500 # +vote-for-leader 0123abcd 3\n"
SWITCHED = "1:X 23 Nov 2026 07:19:52.000 # +switch-master mymaster redis-0 6379 redis-1 6379\n"
STARTED = "1:X 23 Nov 2026 07:00:00.000 # Sentinel ID is 0123abcd\n"


@pytest.mark.parametrize(
    ("log", "left"),
    [
        (STARTED, 0.0),
        (STARTED + TRIED, 51.0),
        (STARTED + VOTED, 41.5),
        (STARTED + VOTED + TRIED + SWITCHED, 0.0),
        (STARTED + SWITCHED + TRIED, 51.0),
        ("", 0.0),
    ],
    ids=["never tried", "tried", "voted", "completed", "tried again after", "empty"],
)
def test_the_cool_down_runs_from_the_last_attempt_that_was_not_completed(log: str, left: float) -> None:
    """After an attempt that led nowhere a Sentinel starts none for 2 x failover-timeout; completing one clears it."""
    assert cooling_down_s(log, 30.0, NOW) == pytest.approx(left)


def test_an_old_attempt_is_over() -> None:
    """Once the time has passed, nothing is left to wait for."""
    assert cooling_down_s(TRIED, 1.0, NOW) == 0.0
