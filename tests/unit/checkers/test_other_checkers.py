"""Stats, and how verdicts are merged."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import CHECKERS, Verdict, check, lost_writes, merged, stats
from tests.unit.history.made import NUMBER, S, history, in_order, read, samples, swept, write

Rows = list[list[object]]


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

    assert {name: checker(empty).valid for name, checker in CHECKERS.items()} == dict.fromkeys(CHECKERS)


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


def test_stats_refuse_readers_whose_every_read_failed() -> None:
    """Each kind of op must have been seen to succeed."""
    failed = history([*LIVELY, read(-1, 1, "f", error="timeout")], readers=["sentinel"])
    answered = history([*LIVELY, read(7, 1)], readers=["sentinel"])

    assert stats(failed).valid is None
    assert "sentinel-reader: no read was answered" in stats(failed).summary
    assert "reads: 0 ok, 1 fail; 1 timeout" in stats(failed).explain()
    assert stats(answered).valid is True, stats(answered).explain()
    assert stats(answered).reads == {"o": 1}


@settings(deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 500), st.integers(1, 400), st.sampled_from("oofi"), st.integers(0, 1)), max_size=40
    ),
    st.integers(1, 10),
)
def test_numbers_are_those_of_counting_one_by_one(ops: list[tuple[int, int, str, int]], at_least: int) -> None:
    """Percentiles by sorting, distances by pairs, groups by filtering."""
    rows, at = [row for row in LIVELY if row[0] == "role"], 500
    for number, (step, took, outcome, writer) in enumerate(ops):
        at += step
        error = [] if outcome == "o" else ["x"]
        rows.append(["w", writer, number, at * 1000 - took * 1000, took * 1000, outcome, 0, *error])
    oks = [row for row in rows if row[0] == "w" and row[5] == "o"]
    latencies = sorted(row[4] for row in oks)
    ends = [row[3] + row[4] for row in oks]
    distances = sorted(later - earlier for earlier, later in itertools.pairwise(ends))
    # The second writer is pinned to a seat, which may be a replica: its tries count.
    enough = sum(row[1] == 0 for row in oks) >= at_least and sum(op[3] == 1 for op in ops) >= at_least

    found = stats(history(rows, pinned=1), at_least=at_least)

    assert found.valid is (True if enough else None)
    assert found.outcomes == {letter: n for letter in "ofi" if (n := [op[2] for op in ops].count(letter))}
    assert found.p99_latency == (latencies[len(latencies) * 99 // 100] / S if latencies else 0)
    assert found.median_distance == (distances[len(distances) // 2] / S if distances else 0)
    if len(set(ends)) > 1:
        assert math.isclose(found.acks_per_second, len(oks) / (ends[-1] - ends[0]) * S)


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
