"""Acknowledged writes against the final sweep, by identity: known-bad histories bark, known-good ones are silent."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import lost_writes
from tests.unit.history.made import history, sweep, swept, write


def acked(numbers: list[int], *, writer: int = 0) -> list[list[object]]:
    """Acknowledged writes with these sequence numbers."""
    return [write(number, 0.001 * (place + 1), writer=writer) for place, number in enumerate(numbers)]


def test_everything_found_everywhere_holds() -> None:
    """All acknowledged, all there: silent."""
    verdict = lost_writes(history([*acked(list(range(100))), *swept({0: [[0, 99]]})]))

    assert verdict.valid is True, verdict.explain()
    assert verdict.acknowledged == 100
    assert verdict.lost == {"redis-0": 0, "redis-1": 0, "redis-2": 0}


def test_lost_writes_are_counted_and_named() -> None:
    """Three gone: which, when they were acknowledged and by whom."""
    verdict = lost_writes(history([*acked(list(range(100))), *swept({0: [[0, 49], [52, 70], [72, 99]]})]))

    assert verdict.valid is False
    assert verdict.lost["redis-0"] == 3
    assert "lacks 3 of writer 0 (writer): 50-51, 71; acknowledged 0.051..0.072 s by redis-0" in verdict.explain()


def test_bound_is_kept_or_exceeded() -> None:
    """A stated bound counts, to the write."""
    made = history([*acked(list(range(100))), *swept({0: [[0, 96]]})])

    assert lost_writes(made, at_most=3).valid is True
    assert lost_writes(made, at_most=2).valid is False


def test_last_write_lost_is_noticed() -> None:
    """Not a count of keys, not a range: the very last acknowledged write counts."""
    assert lost_writes(history([*acked([0, 1, 2]), *swept({0: [[0, 1]]})])).valid is False


def test_other_writer_with_as_many_keys_does_not_make_up_for_it() -> None:
    """As many writes there as were acknowledged, but not the same."""
    rows = [*acked([0, 1]), write(0, 1.0, "i", error="timeout", writer=1), *swept({0: [[0, 0]], 1: [[0, 0]]})]

    verdict = lost_writes(history(rows, writers=2))

    assert verdict.valid is False
    assert verdict.lost["redis-0"] == 1


def test_unknown_outcomes_may_be_there_or_not() -> None:
    """An info write present or absent is no finding."""
    rows = [*acked([0]), write(1, 1.0, "i", error="timeout"), write(2, 1.1, "i", error="reset")]

    assert lost_writes(history([*rows, *swept({0: [[0, 1]]})])).valid is True
    assert lost_writes(history([*rows, *swept({0: [[0, 0]]})])).valid is True


def test_losses_of_pinned_writers_are_counted_but_not_judged() -> None:
    """A writer pinned to a stale primary loses what it is told: shown and counted by group, judged when asked for."""
    rows = [*acked([0, 1, 2]), *(write(n, 1 + n / 100, writer=1) for n in range(5)), *swept({0: [[0, 2]], 1: [[0, 1]]})]
    made = history(rows, pinned=1)

    verdict = lost_writes(made)

    assert verdict.valid is True, verdict.explain()
    assert verdict.acknowledged == 3
    assert verdict.lost == {"redis-0": 0, "redis-1": 0, "redis-2": 0}
    assert verdict.by_group == {"writer": 0, "pinned": 3}
    assert "not judged, lost on the worst seat: pinned 3" in verdict.summary
    assert "lacks 3 of writer 1 (pinned): 2-4" in verdict.explain()
    assert lost_writes(made, group="pinned").valid is False
    assert lost_writes(made, group="nobody's").valid is None


def test_replica_that_lacks_writes_is_named() -> None:
    """The primary has all, a replica in step with it does not."""
    rows = [*acked([0, 1, 2]), *sweep("redis-0", {0: [[0, 2]]}), *sweep("redis-1", {0: [[0, 1]]}, says="replica")]

    verdict = lost_writes(history(rows))

    assert verdict.valid is False
    assert verdict.lost == {"redis-0": 0, "redis-1": 1}
    assert "redis-1 (replica) lacks 1" in verdict.explain()


def test_without_acknowledged_writes_the_verdict_is_unknown() -> None:
    """Nothing to lose, nothing proven."""
    assert lost_writes(history(swept({}))).valid is None
    assert lost_writes(history([write(0, 1, "f", error="refused"), *swept({})])).valid is None


def test_without_a_trustworthy_sweep_the_verdict_is_unknown() -> None:
    """No sweep, no primary, two primaries, an unreadable seat, a replica out of step: nobody knows."""
    whole = {0: [[0, 2]]}
    unreadable = sweep("redis-1", {}, error="timeout")
    behind = sweep("redis-1", whole, says="replica", caught_up=False)
    for rows, why in (
        ([], "no final sweep"),
        (sweep("redis-0", whole, says="replica"), "0 readable instances were primary"),
        ([*sweep("redis-0", whole), *sweep("redis-1", whole)], "2 readable instances were primary"),
        ([*sweep("redis-0", whole), *unreadable], "redis-1: timeout"),
        ([*sweep("redis-0", whole), *behind], "redis-1: had not caught up"),
    ):
        verdict = lost_writes(history([*acked([0, 1, 2]), *rows]))

        assert verdict.valid is None, verdict.explain()
        assert why in verdict.explain()


def test_broken_off_history_is_unknown() -> None:
    """Acknowledgements may be missing from it."""
    assert lost_writes(history([*acked([0]), *swept({0: [[0, 0]]})], ended=None)).valid is None


@settings(deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 40), st.sampled_from("ofi")),
        unique_by=lambda op: op[:2],
        min_size=1,
    ),
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 45))),
)
def test_verdict_is_that_of_a_naive_comparison(ops: list[tuple[int, int, str]], present: set[tuple[int, int]]) -> None:
    """Sets of (writer, sequence), compared as sets, for any history."""
    rows = [
        write(sequence, 0.001 * (place + 1), outcome, writer=writer, error="" if outcome == "o" else "x")
        for place, (writer, sequence, outcome) in enumerate(ops)
    ]
    kept: dict[int, list[list[int]]] = {}
    for writer, sequence in sorted(present):
        kept.setdefault(writer, []).append([sequence, sequence])
    oks = {op[:2] for op in ops if op[2] == "o"}

    verdict = lost_writes(history([*rows, *swept(kept)], writers=3))

    if not oks:
        assert verdict.valid is None
    else:
        assert verdict.lost["redis-0"] == len(oks - present)
        assert verdict.valid is (oks <= present)
