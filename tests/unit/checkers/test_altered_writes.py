"""Writes back from the dead, applied twice, seen and gone, or nobody's: each found, named and counted by itself."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import AlteredWrites, altered_writes
from tests.unit.history.made import SEATS, history, read, sweep, swept, write

Rows = list[list[object]]
READERS = ("sentinel", "redis-1")
ACKED = [write(n, 0.1 * (n + 1)) for n in range(10)]
WHOLE = swept({0: [[0, 9]]})
SEEN = read(9, 2)


def judged(rows: Rows, **options: object) -> AlteredWrites:
    return altered_writes(history(rows, readers=READERS, **options))  # type: ignore[arg-type]


def counts(verdict: AlteredWrites) -> tuple[int, int, int, int]:
    return verdict.resurrected, verdict.duplicated, verdict.rolled_back, verdict.foreign


def test_writes_as_they_were_told_hold() -> None:
    """Acknowledged ones there, an unknown one there, a failed one not: silent."""
    rows = [*ACKED, write(10, 1.5, "i", error="timeout"), write(11, 1.6, "f", error="refused"), SEEN]

    verdict = judged([*rows, *swept({0: [[0, 10]]})])

    assert verdict.valid is True, verdict.explain()
    assert counts(verdict) == (0, 0, 0, 0)


def test_failed_write_that_is_there_is_resurrected() -> None:
    """Reported as certainly not applied, and yet there on all seats: the outcome table or the server lied, once."""
    verdict = judged([*ACKED, write(10, 1.5, "f", error="readonly"), SEEN, *swept({0: [[0, 10]]})])

    assert verdict.valid is False
    assert counts(verdict) == (1, 0, 0, 0)
    assert "redis-0: holds 10 of writer 0, reported as certainly not applied: 0.10 (1.500 s) met readonly" in (
        verdict.explain()
    )


def test_failed_write_that_one_replica_alone_holds_is_found() -> None:
    """Each seat is looked at."""
    rows = [*ACKED, write(10, 1.5, "f", error="readonly"), SEEN, *sweep("redis-0", {0: [[0, 9]]})]

    assert counts(judged([*rows, *sweep("redis-1", {0: [[0, 10]]}, says="replica")])) == (1, 0, 0, 0)


def test_write_acknowledged_though_it_was_there_already_is_a_duplicate() -> None:
    """Somebody repeated it behind the client's back."""
    verdict = judged([*ACKED, write(10, 1.5, error="again"), SEEN, *swept({0: [[0, 10]]})])

    assert verdict.valid is False
    assert counts(verdict) == (0, 1, 0, 0)
    assert "0.10 (1.500 s) was acknowledged, but had been there already" in verdict.explain()


def test_identity_recorded_twice_is_a_duplicate() -> None:
    """The same writer and sequence number once more, whatever became of it; that of another writer is not."""
    again = write(3, 1.5, "i", error="timeout")

    assert counts(judged([*ACKED, again, SEEN, *WHOLE])) == (0, 1, 0, 0)
    assert judged([*ACKED, write(3, 1.5, writer=1), SEEN, *swept({0: [[0, 9]], 1: [[3, 3]]})], writers=2).valid is True


def test_what_a_client_saw_and_sees_no_more_is_rolled_back() -> None:
    """A read of the new primary saw less than an earlier one of the old: how many, which, when and where."""
    rows = [*ACKED, read(9, 2), read(6, 3, by="redis-1"), *swept({0: [[0, 6]]}, primary="redis-1")]

    verdict = judged(rows)

    assert verdict.valid is False
    assert counts(verdict) == (0, 0, 3, 0)
    by_one = [*ACKED, read(9, 2), read(8, 3, by="redis-1"), *swept({0: [[0, 8]]}, primary="redis-1")]
    assert counts(judged(by_one)) == (0, 0, 1, 0)
    assert "reader 0: 3 of writer 0 (7-9) seen by 2.000 s on redis-0, gone at 2.999 s on redis-1" in verdict.explain()


def test_writes_acknowledged_after_the_second_read_began_cannot_be_missed_by_it() -> None:
    """Of what lies between, 7 was acknowledged between the two reads, 8 only afterwards: it may have come later."""
    early = [row for row in ACKED if row[2] not in {7, 8}]
    rows = [*early, write(7, 2.5), write(8, 4), read(9, 2), read(6, 3, by="redis-1")]

    assert counts(judged([*rows, *swept({0: [[0, 6], [8, 8]]}, primary="redis-1")])) == (0, 0, 2, 0)


def test_what_was_gone_and_is_there_at_the_end_is_resurrected() -> None:
    """A client saw it, did not see it, and it is back: two findings, each counted by itself."""
    verdict = judged([*ACKED, read(9, 2), read(6, 3, by="redis-1"), *WHOLE])

    assert counts(verdict) == (3, 0, 3, 0)
    assert "redis-0: 7-9 of writer 0 had been gone and is there at the end" in verdict.explain()


def test_reads_under_way_together_prove_nothing() -> None:
    """The one that saw less began before the one that saw more had ended."""
    overlapping = [read(9, 2), read(6, 2.5, took_s=0.5)]
    later = [read(9, 2), read(6, 2.5, took_s=0.499)]

    assert judged([*ACKED, *overlapping, *WHOLE]).valid is True
    assert judged([*ACKED, *later, *WHOLE]).rolled_back == 3


def test_other_writers_and_failed_reads_prove_nothing() -> None:
    """Less of another writer is no less; a read without an answer saw nothing at all."""
    rows = [*ACKED, write(0, 1.2, writer=1), read(9, 2), read(0, 3, writer=1), read(-1, 4, "f", error="timeout")]

    assert judged([*rows, *swept({0: [[0, 9]], 1: [[0, 0]]})], writers=2).valid is True


def test_seat_that_was_behind_for_a_while_rolled_nothing_back() -> None:
    """A replica restarts from an older file and catches up: stale, but what was seen there is there at the end."""
    reads = [read(9, 2, by="redis-1", reader=1), read(6, 3, by="redis-1", reader=1), SEEN[:2] + read(9, 4)[2:]]
    short = [*sweep("redis-0", {0: [[0, 9]]}), *sweep("redis-1", {0: [[0, 6]]}, says="replica")]

    assert judged([*ACKED, *reads, *WHOLE]).valid is True
    assert counts(judged([*ACKED, *reads, *short])) == (0, 0, 3, 0)


def test_write_that_nobody_tried_and_foreign_content_are_findings() -> None:
    """A number never used, and a value that no writer put there: each once, however many seats hold it."""
    aliens = [["alien", number, "e2e:w:x:0:0", "3", "spoilt"] for number in (0, 1)]

    verdict = judged([*ACKED, SEEN, *swept({0: [[0, 9], [12, 13]]}), *aliens])

    assert counts(verdict) == (0, 0, 0, 3)
    assert "redis-1: holds 12-13 of writer 0, never tried" in verdict.explain()
    assert "redis-1: e2e:w:x:0:0 '3' holds 'spoilt', which nobody wrote" in verdict.explain()


def test_what_was_not_looked_for_is_unknown() -> None:
    """No read, no sweep, a seat not swept, a broken-off record: unknown; but what is proven stays proven."""
    unread = [*sweep("redis-0", {0: [[0, 9]]}), *sweep("redis-1", {}, says="replica", error="timeout")]
    for rows, why in (
        ([*ACKED, *WHOLE], "no read was answered"),
        ([*ACKED, SEEN], "no final sweep"),
        ([*ACKED, SEEN, *unread], "not swept at the end: redis-1"),
        ([SEEN, *swept({})], "no write was acknowledged"),
    ):
        assert judged(rows).valid is None
        assert why in judged(rows).summary
    assert judged([*ACKED, SEEN, *WHOLE], ended=None).valid is None
    assert judged([*ACKED, write(10, 1.5, error="again")], ended=None).valid is False


OPS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8), st.sampled_from("ooofi")), max_size=20)
READS = st.lists(
    st.tuples(st.integers(1, 40), st.integers(1, 30), st.integers(0, 1), st.integers(0, 1), st.integers(-1, 9)),
    max_size=12,
)
PRESENT = st.sets(st.tuples(st.integers(0, 1), st.integers(0, 10)))


@settings(deadline=None, database=None)
@given(OPS, READS, st.tuples(PRESENT, PRESENT))
def test_counts_are_those_of_a_naive_search(
    ops: list[tuple[int, int, str]],
    reads: list[tuple[int, int, int, int, int]],
    present: tuple[set[tuple[int, int]], ...],
) -> None:
    """Every op against every seat, every read against every other, by sets of identities."""
    rows: Rows = [
        write(seq, 0.01 * (place + 1), outcome, writer=writer, error="" if outcome == "o" else "x")
        for place, (writer, seq, outcome) in enumerate(ops)
    ]
    seen_rows, at = [], 0
    for step, took, reader, seat, seen in reads:
        at += step
        seen_rows.append(read(seen, 1 + at / 1000, by=SEATS[seat], reader=reader, took_s=took / 1000))
    kept = [sorted(each) for each in present]
    ends = [
        *sweep("redis-0", {w: [[s, s] for v, s in kept[0] if v == w] for w in (0, 1)}),
        *sweep("redis-1", {w: [[s, s] for v, s in kept[1] if v == w] for w in (0, 1)}, says="replica"),
    ]

    verdict = altered_writes(history([*rows, *seen_rows, *ends], writers=2, readers=READERS))

    failed = {(w, s) for w, s, outcome in ops if outcome == "f"}
    tried = {(w, s) for w, s, _ in ops}
    acked = {s for w, s, outcome in ops if (w, outcome) == (0, "o")}  # all before the first read; reads are of writer 0
    gone, back = naive_rollback(seen_rows, acked, present)
    assert verdict.resurrected == len(failed & (present[0] | present[1])) + len(back)
    assert verdict.duplicated == sum([op[:2] for op in ops].count(identity) > 1 for identity in tried)
    assert verdict.rolled_back == len(gone)
    assert verdict.foreign == len((present[0] | present[1]) - tried)
    assert (verdict.valid is False) == any(counts(verdict))


def naive_rollback(
    reads: Rows, acked: set[int], present: tuple[set[tuple[int, int]], ...]
) -> tuple[set[int], set[int]]:
    """Of each fall what counts; falls side by side in one stream of reads are one, as deep as the deepest."""
    gone: set[int] = set()
    back: set[int] = set()
    held = [{s for w, s in each if w == 0} for each in present]
    streams: list[tuple[Rows, int | None]] = [([row for row in reads if row[1] == 0], None)]
    streams += [([row for row in reads if row[5] == seat], seat) for seat in (0, 1)]
    for stream, seat in streams:
        highest = [
            max((int(str(a[7 + 1])) for a, b in product(stream, [row]) if ended(a) < began(b)), default=-1)
            for row in stream
        ]
        falls: list[list[int]] = []
        for place, row in enumerate(stream):
            if int(str(row[8])) < highest[place]:
                if falls and falls[-1][-1] == place - 1:
                    falls[-1].append(place)
                else:
                    falls.append([place])
        for fall in falls:
            low, high = min(int(str(stream[place][8])) for place in fall), max(highest[place] for place in fall)
            these = {s for s in acked if low < s <= high} | {high}
            if seat is None:
                back |= these & held[0]
            else:
                these -= held[seat]
            gone |= these
    return gone, back


def began(row: list[object]) -> int:
    return int(str(row[2]))


def ended(row: list[object]) -> int:
    return began(row) + int(str(row[3]))
