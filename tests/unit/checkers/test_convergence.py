"""Whether all hold the same at the end."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import convergence
from tests.unit.history.made import NUMBER, SEATS, S, digests, history, sweep, swept

SAME = digests(redis_0="aa", redis_1="aa", redis_2="aa")


def test_equal_contents_of_all_hold() -> None:
    """One primary, two replicas in step, three equal digests."""
    verdict = convergence(history([*swept({}), *SAME]))

    assert verdict.valid is True, verdict.explain()
    assert verdict.held == dict.fromkeys(SEATS, (3, "aa"))
    assert "redis-1 (replica): offset 100, 3 keys, digest aa" in verdict.explain()


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([*swept({}), *digests(redis_0="aa", redis_1="aa", redis_2="bb")], "the contents differ"),
        ([*swept({}), *SAME[:2], ["digest", 2, 99 * S, 10, 4, "aa"]], "the numbers of keys differ"),
        (
            [*sweep("redis-0", {}), *sweep("redis-1", {}, says="replica", caught_up=False), *SAME],
            "not in step with the primary: redis-1",
        ),
    ],
)
def test_difference_does_not_hold(rows: list[list[object]], why: str) -> None:
    """In content, in number, in place."""
    verdict = convergence(history(rows))

    assert verdict.valid is False
    assert why in verdict.summary


def test_second_primary_does_not_hold() -> None:
    """Equal content or not: an instance that says primary and is not named follows nobody."""
    rows = [*swept({}), *SAME]
    rogue = [
        ["sweep", *row[1:4], "primary", *row[5:]] if row[:2] == ["sweep", NUMBER["redis-2"]] else row for row in rows
    ]

    assert convergence(history(rogue)).valid is False


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "0 instances were swept"),
        ([*sweep("redis-0", {}), *digests(redis_0="aa")], "1 instances were swept"),
        (swept({}), "no digest of redis-0, redis-1, redis-2"),
        ([*swept({}), *SAME[:2]], "no digest of redis-2"),
        ([*swept({}), *digests(redis_0="", redis_1="", redis_2="")], "no digest of redis-0"),
        ([*swept({}), *(["digest", n, 99 * S, 10, 0, "00"] for n in range(3))], "all instances are empty"),
        ([*sweep("redis-0", {}, says="replica"), *sweep("redis-1", {}, says="replica"), *SAME], "no single primary"),
        ([*sweep("redis-0", {}), *sweep("redis-1", {}, error="timeout"), *SAME], "could not be read: redis-1"),
    ],
)
def test_what_was_not_compared_is_unknown(rows: list[list[object]], why: str) -> None:
    """Too few, no digest, no primary, nothing there."""
    verdict = convergence(history(rows))

    assert verdict.valid is None
    assert why in verdict.summary


def test_broken_off_history_is_unknown() -> None:
    """Somebody may have written on."""
    assert convergence(history([*swept({}), *SAME], ended=None)).valid is None


@settings(deadline=None, database=None)
@given(st.lists(st.tuples(st.integers(1, 2), st.sampled_from(["aa", "bb", ""])), min_size=3, max_size=3))
def test_verdict_is_that_of_comparing_each_with_each(held: list[tuple[int, str]]) -> None:
    """Every pair of instances."""
    rows = [["digest", number, 99 * S, 10, *each] for number, each in enumerate(held)]
    pairs = list(combinations(held, 2))
    differ = any(one[0] != other[0] or (one[1] and other[1] and one[1] != other[1]) for one, other in pairs)
    known = all(digest for _, digest in held)

    assert convergence(history([*swept({}), *rows])).valid is (False if differ else True if known else None)
