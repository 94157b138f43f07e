"""Two primaries, stats, and how verdicts are merged."""

from __future__ import annotations

import math

import pytest

from harness.checkers import Verdict, check, lost_writes, merged, stats, two_primaries, unavailability
from tests.unit.history.made import NUMBER, S, address, history, role, swept, write

Rows = list[list[object]]


def samples(seat: str, says: str, first_s: float, last_s: float) -> Rows:
    """ROLE samples every 100 ms."""
    return [role(seat, first_s + n / 10, says) for n in range(round((last_s - first_s) * 10) + 1)]


def in_order(*parts: Rows) -> Rows:
    """Records by their instant, as a journal has them."""
    return sorted((row for part in parts for row in part), key=lambda row: int(str(row[2])))


REPLICAS = [*samples("redis-2", "replica", 0, 9)]


def test_one_primary_at_a_time_holds() -> None:
    """One gives up, another takes over."""
    made = in_order(
        samples("redis-0", "primary", 0, 3),
        samples("redis-0", "unreachable", 3.1, 5),
        samples("redis-0", "replica", 5.1, 9),
        samples("redis-1", "replica", 0, 3.9),
        samples("redis-1", "primary", 4, 9),
        REPLICAS,
    )

    verdict = two_primaries(history(made))

    assert verdict.valid is True, verdict.explain()
    assert verdict.longest == 0


def test_two_at_once_are_found_with_what_each_acknowledged() -> None:
    """A primary that was paused comes back while another is in office: how long, and who was told what meanwhile."""
    rows = in_order(
        samples("redis-0", "primary", 0, 3),
        samples("redis-0", "unreachable", 3.1, 4.9),
        samples("redis-0", "primary", 5, 7),
        samples("redis-0", "replica", 7.1, 9),
        samples("redis-1", "replica", 0, 3.9),
        samples("redis-1", "primary", 4, 9),
        REPLICAS,
    )
    views = [["view", NUMBER[f"sentinel-{n}"], int(4.5 * S), address("redis-1"), 1, "master"] for n in range(3)]
    writes = [write(n, 5.2 + n / 10, by="redis-0" if n % 3 else "redis-1") for n in range(9)]

    verdict = two_primaries(history([*rows, *views, *writes]))

    assert verdict.valid is False
    (overlap,) = verdict.overlaps
    assert (overlap.rightful, overlap.stale) == ("redis-1", "redis-0")
    assert math.isclose(overlap.duration, 2.0, abs_tol=0.01)
    assert overlap.acknowledged == {"redis-0": 6, "redis-1": 3}
    assert two_primaries(history([*rows, *views]), at_most=3).valid is True


def test_claims_that_only_touch_between_samples_are_no_overlap() -> None:
    """Primary in one sample, unreachable in the next: nothing is claimed for the time in between."""
    rows = in_order(
        samples("redis-0", "primary", 0, 3),
        samples("redis-0", "unreachable", 3.1, 9),
        samples("redis-1", "replica", 0, 2.95),
        samples("redis-1", "primary", 3.05, 9),
        REPLICAS,
    )

    assert two_primaries(history(rows)).valid is True


def test_seat_that_never_answered_leaves_it_unknown() -> None:
    """What was not seen is not proven."""
    rows = in_order(samples("redis-0", "primary", 0, 3), samples("redis-1", "unreachable", 0, 3))

    verdict = two_primaries(history(rows))

    assert verdict.valid is None
    assert "redis-1" in verdict.summary
    assert two_primaries(history([])).valid is None


LIVELY = [
    *(write(n, 0.01 * n) for n in range(1, 200)),
    *in_order(
        *(
            samples(seat, "primary" if seat == "redis-0" else "replica", 0, 1)
            for seat in ("redis-0", "redis-1", "redis-2")
        )
    ),
]


def test_stats_of_a_lively_history_hold() -> None:
    """Rate, latency and distance as they were."""
    verdict = stats(history(LIVELY), at_least=100)

    assert verdict.valid is True, verdict.explain()
    assert math.isclose(verdict.acks_per_second, 100, rel_tol=0.02)
    assert math.isclose(verdict.median_latency, 0.001)
    assert math.isclose(verdict.median_distance, 0.01)


def test_vacuous_history_is_unknown_to_everybody() -> None:
    """Nothing happened: no checker passes it."""
    empty = history([])

    assert [checker(empty).valid for checker in (stats, lost_writes, two_primaries, unavailability)] == [None] * 4


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([row for row in LIVELY if row[0] != "w"], "writer: 0 acknowledged writes"),
        (
            [row for row in LIVELY if row[0] != "role"] + samples("redis-1", "unreachable", 0, 1),
            "redis-1 never answered",
        ),
    ],
)
def test_stats_refuse_a_history_that_lacks_a_part(rows: Rows, why: str) -> None:
    """Unknown, with the part that is missing."""
    verdict = stats(history(rows))

    assert verdict.valid is None
    assert why in verdict.summary


def test_stats_refuse_a_history_with_too_few_writes() -> None:
    """The number a drill needs is the drill's to say."""
    assert stats(history(LIVELY), at_least=1000).valid is None


def test_sentinel_never_listened_to_makes_it_unknown() -> None:
    """No events heard is not the same as no events."""
    made = history(LIVELY)
    made.listening = [each for each in made.listening if each.sentinel != NUMBER["sentinel-2"]]

    verdict = stats(made)

    assert verdict.valid is None
    assert "sentinel-2 was never listened to" in verdict.summary


def verdict(valid: bool | None) -> Verdict:
    """Any verdict of that value."""
    return Verdict(checker="c", valid=valid, summary="s")


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], None),
        ([True], True),
        ([True, None], None),
        ([None, False], False),
        ([True, False, None], False),
        ([True, True], True),
    ],
)
def test_merged_verdict_is_the_worst(parts: list[bool | None], whole: bool | None) -> None:
    """False before unknown before True; none at all is unknown."""
    assert merged([verdict(part) for part in parts]).valid is whole


def test_check_runs_all_and_tells_of_each() -> None:
    """One explanation for a person, with a line from each checker."""
    found = check(history([*LIVELY, *swept({0: [[1, 198]]})]), by=[stats, lost_writes])

    assert found.valid is False
    assert "not satisfied: lost_writes" in found.summary
    assert "stats holds" in found.explain()
    assert "lost_writes DOES NOT HOLD" in found.explain()
