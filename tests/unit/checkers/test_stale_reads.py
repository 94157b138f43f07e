"""Reads that lay behind: how many, by how much, on whom."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import stale_reads
from tests.unit.history.made import SEATS, S, history, read, write

READERS = ("sentinel", "redis-1")
ACKED = [write(n, 1 + n) for n in range(5)]  # 0 at 1 s ... 4 at 5 s


def test_staleness_counts_from_the_first_write_that_was_not_seen() -> None:
    """Seen up to 1 at 4.5 s: 2 had been acknowledged at 3 s, so it is stale by 1.5 s and not by half a second."""
    rows = [
        *ACKED,
        read(3, 4.501),
        read(1, 4.501, by="redis-1", reader=1, expected=3),
        read(4, 6, by="redis-1", reader=1),
    ]

    verdict = stale_reads(history(rows, readers=READERS))

    assert verdict.valid is True, verdict.explain()
    assert (verdict.all.reads, verdict.all.stale) == (3, 1)
    assert math.isclose(verdict.all.worst, 1.5)
    assert {each.of: (each.reads, each.stale) for each in verdict.by_seat} == {"redis-0": (1, 0), "redis-1": (2, 1)}
    assert {each.of: each.stale for each in verdict.by_kind} == {"through the Sentinels": 0, "pinned": 1}
    assert "redis-1: 1 of 2 reads stale, by 1.500 s at worst, from 4.501 to 4.501 s" in verdict.explain()
    assert "saw 0.1 where 0.3 had been acknowledged" in verdict.explain()


def test_limit_is_kept_or_exceeded() -> None:
    """Seconds, of the readers asked for."""
    made = history([*ACKED, read(1, 4.501, by="redis-1", reader=1, expected=3), read(4, 6)], readers=READERS)

    assert stale_reads(made, at_most=1.6).valid is True
    assert stale_reads(made, at_most=1.4).valid is False
    assert stale_reads(made, at_most=0, group="sentinel-reader").valid is True


def test_write_acknowledged_while_the_read_was_under_way_need_not_be_seen() -> None:
    """The read began before: what was acknowledged later is nothing it could expect."""
    assert stale_reads(history([*ACKED, read(0, 2.5, took_s=1)], readers=READERS)).all.stale == 0


def test_unacknowledged_writes_and_other_writers_need_not_be_seen() -> None:
    """Only what that writer was told counts."""
    rows = [write(0, 1), write(1, 2, "i", error="timeout"), write(5, 2.5, writer=1), read(0, 4)]

    assert stale_reads(history(rows, writers=2, readers=READERS)).all.stale == 0


def test_nothing_seen_is_as_stale_as_the_first_write_is_old() -> None:
    """An instance that came back empty."""
    verdict = stale_reads(history([*ACKED, read(-1, 4.001, expected=2)], readers=READERS))

    assert math.isclose(verdict.all.worst, 3.0)
    assert "saw nothing of writer 0" in verdict.explain()


@pytest.mark.parametrize(
    "rows",
    [[], ACKED, [read(0, 1)], [*ACKED, read(-1, 9, "f", error="timeout")], [write(0, 1, "i", error="x"), read(0, 2)]],
)
def test_without_answered_reads_and_acknowledged_writes_it_is_unknown(rows: list[list[object]]) -> None:
    """Nothing to compare with."""
    assert stale_reads(history(rows, readers=READERS)).valid is None
    assert stale_reads(history(rows, readers=READERS), at_most=1).valid is None


def test_broken_off_history_is_unknown_unless_it_proves_enough() -> None:
    """What came later is not known; what was too stale already is."""
    rows = [*ACKED, read(1, 4.501, expected=3)]

    assert stale_reads(history(rows, readers=READERS, ended=None)).valid is None
    assert stale_reads(history(rows, readers=READERS, ended=None), at_most=1).valid is False


@settings(deadline=None, database=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.sampled_from("oofi")), max_size=25),
    st.lists(
        st.tuples(
            st.integers(1, 60), st.integers(1, 50), st.sampled_from("ooof"), st.integers(0, 1), st.integers(-1, 12)
        ),
        max_size=20,
    ),
)
def test_staleness_is_that_of_a_naive_search(
    ops: list[tuple[int, int, str]], reads: list[tuple[int, int, str, int, int]]
) -> None:
    """Each read against each acknowledged write of its writer."""
    writes = [
        write(sequence, 0.02 * (place + 1), outcome, writer=writer, error="" if outcome == "o" else "x")
        for place, (writer, sequence, outcome) in enumerate(ops)
    ]
    rows, at = [], 0
    for step, took, outcome, which, seen in reads:
        at += step
        error = "" if outcome == "o" else "x"
        rows.append(
            read(seen, at / 1000 + 0.1, outcome, by=SEATS[which], writer=which, took_s=took / 1000, error=error)
        )
    behind = {
        place: max(
            (row[2] - (w[3] + w[4]) for w in writes if w[5] == "o" and w[1] == row[6] and w[2] > row[8]), default=0
        )
        for place, row in enumerate(rows)
        if row[4] == "o"
    }

    verdict = stale_reads(history([*writes, *rows], writers=2, readers=READERS))

    assert verdict.all.reads == len(behind)
    assert verdict.all.stale == sum(each > 0 for each in behind.values())
    assert round(verdict.all.worst * S) == max(0, *behind.values(), 0)
