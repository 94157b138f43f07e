"""The lag of a replica in seconds: from the offsets that it and its primary say, as fine as they are asked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import Lag, acknowledged_lags, lags
from tests.unit.history.made import NUMBER, Row, S, address, history, role, stands

OLD, NEW = "redis-0", "redis-1"


def measured(*rows: Row, until: int | None = None) -> tuple[Lag, ...]:
    """The lags of NEW behind OLD in a history of these samples, put in the order in which they were known."""
    made = history(sorted(rows, key=lambda row: row[2] + row[3] if row[0] == "role" else row[2]))
    return lags(made, primary=OLD, replica=NEW, until=until)


def met(seat: str, at_s: float, run_id: str) -> Row:
    """A sampler met this process."""
    return ["identity", NUMBER[seat], round(at_s * S), run_id, "7.0.15"]


def test_replica_in_step_lies_behind_by_nothing_but_what_sampling_leaves() -> None:
    """It says what its primary said 0.08 s before: that is all that is known."""
    (found,) = measured(stands(OLD, 1.0, 500), stands(NEW, 1.08, 500, of=OLD))

    assert found == Lag(at=1.081, least=0.0, most=0.081, offset=500, has_until=S)


def test_replica_that_lies_behind_is_measured_between_two_answers_of_its_primary() -> None:
    """It stands where the primary stood at some time between 1.1 s and 1.2 s."""
    primary = [stands(OLD, 1 + n / 10, 100 * n) for n in range(11)]

    found = measured(*primary, stands(NEW, 1.95, 150, of=OLD), stands(NEW, 2.0, 150, of=OLD))

    assert [(each.least, each.most) for each in found] == [
        (pytest.approx(0.749), pytest.approx(0.851)),
        (pytest.approx(0.799), pytest.approx(0.901)),
    ]
    assert {each.has_until for each in found} == {1_100_000}


def test_primary_that_wrote_nothing_since_proves_that_there_is_no_lag() -> None:
    """Asked after the replica it stands there still."""
    rows = [stands(OLD, 0.9, 100), stands(NEW, 1.0, 100, of=OLD), stands(OLD, 1.05, 100)]

    assert [each.most for each in measured(*rows)] == [0.0]
    assert [each.most for each in measured(*rows, until=round(1.01 * S))] == [pytest.approx(0.101)]


def test_lag_from_before_the_recording_has_no_end() -> None:
    """The primary stood further whenever it was asked."""
    (found,) = measured(stands(OLD, 1.0, 500), stands(NEW, 1.2, 400, of=OLD))

    assert (found.most, found.has_until) == (math.inf, None)
    assert found.least == pytest.approx(0.199)


@pytest.mark.parametrize(
    "row",
    [
        stands(NEW, 1.1, -1, of=OLD),
        stands(NEW, 1.1, 500, of="redis-2"),
        stands("redis-2", 1.1, 500, of=OLD),
        stands(NEW, 1.1, 500),
        role(NEW, 1.1, "unreachable"),
        stands(NEW, 0.5, 500, of=OLD),
    ],
    ids=["link down", "of another", "another replica", "a primary", "silent", "before its primary was asked"],
)
def test_answer_that_says_nothing_of_the_lag_is_left_out(row: Row) -> None:
    assert measured(stands(OLD, 1.0, 500), row) == ()


@pytest.mark.parametrize(
    "between",
    [
        [stands(OLD, 1.5, 300, of=NEW)],
        [met(OLD, 0.5, "one"), met(OLD, 1.5, "another")],
        [stands(OLD, 1.5, 0)],
    ],
    ids=["was a replica", "another process", "began anew"],
)
def test_another_life_of_the_primary_is_not_compared_with(between: list[Row]) -> None:
    """That it had stood at 500 before says nothing of what the replica has of its second life."""
    found = measured(stands(OLD, 1.0, 500), *between, stands(OLD, 2.0, 600), stands(NEW, 2.1, 500, of=OLD))

    assert all(each.has_until != S for each in found)


def test_primary_that_was_silent_for_a_moment_lives_the_same_life() -> None:
    """Met again as the same process."""
    rows = [met(OLD, 0.5, "one"), role(OLD, 1.5, "unreachable"), met(OLD, 1.6, "one")]
    (found,) = measured(stands(OLD, 1.0, 500), *rows, stands(OLD, 2.0, 600), stands(NEW, 2.1, 500, of=OLD))

    assert found.has_until == S


def lists(at_s: float, offset: int, **told: int) -> Row:
    """An answer of OLD as primary that lists what its replicas acknowledged."""
    listed = {address(name.replace("_", "-")): number for name, number in told.items()}
    return ["role", NUMBER[OLD], round(at_s * S), 1000, "primary", offset, len(listed), listed]


def test_replica_that_nobody_can_ask_is_measured_by_what_it_told_its_primary() -> None:
    """It had at least that; another replica's word does not count, nor does what was told before a later life."""
    rows = [lists(1.0, 500), lists(1.1, 600, redis_1=450), lists(1.2, 700, redis_1=650, redis_2=700)]
    first, second = acknowledged_lags(history(rows), primary=OLD, replica=NEW)

    assert (first.has_until, first.most, first.offset) == (None, math.inf, 450)
    assert (second.has_until, second.least) == (round(1.1 * S), 0.0)
    assert second.most == pytest.approx(0.101)
    assert acknowledged_lags(history(rows), primary=OLD, replica=NEW, until=S) == ()
    assert acknowledged_lags(history([*rows, stands(OLD, 1.3, 0)]), primary=OLD, replica=NEW) == ()


@settings(deadline=None, database=None)
@given(st.data())
def test_measure_is_that_of_a_naive_one_and_holds_the_truth(data: st.DataObject) -> None:
    """A primary that writes as it likes and a replica that is late as it likes, asked whenever: milliseconds."""
    written = data.draw(st.lists(st.integers(0, 3), min_size=60, max_size=60))
    offsets = [sum(written[: n + 1]) for n in range(len(written))]
    late = data.draw(st.lists(st.integers(0, 25), min_size=60, max_size=60))
    # What a replica has got it keeps: it never stands where it stood before.
    reached = [max(max(0, n - late[n]) for n in range(m + 1)) for m in range(60)]
    spans = st.tuples(st.integers(0, 59), st.integers(0, 4), st.integers(0, 4))

    def asked(seat: str) -> list[tuple[int, int, int]]:
        """Samples: asked, true, answered; one after the other."""
        found, free = [], 0
        for begin, before, after in sorted(data.draw(st.lists(spans, min_size=1, max_size=12), label=seat)):
            true = max(free, begin) + before
            if true + after < 60:
                found.append((max(free, begin), true, true + after))
                free = true + after + 1
        return found

    def row(seat: str, sample: tuple[int, int, int], offset: int, *says: object) -> Row:
        return ["role", NUMBER[seat], sample[0] * 1000, (sample[2] - sample[0]) * 1000, says[0], offset, *says[1:]]

    primary, replica = asked(OLD), asked(NEW)
    rows = [row(OLD, each, offsets[each[1]], "primary", 2, {}) for each in primary]
    rows += [row(NEW, each, offsets[reached[each[1]]], "replica", "connected", address(OLD)) for each in replica]
    found = measured(*rows)
    expected = [each for each in replica if primary and each[0] >= primary[0][0]]

    assert len(found) == len(expected)
    for lag, sample in zip(found, expected, strict=True):
        begin, true, end = sample
        stood = offsets[reached[true]]
        least = max([0, *(begin - p[2] for p in primary if offsets[p[1]] > stood)])
        most = min((max(0, end - p[0]) for p in primary if offsets[p[1]] <= stood), default=math.inf)
        left = max((n for n in range(true + 1) if offsets[n] <= stood), default=0)

        assert (lag.least, lag.most) == (pytest.approx(least / 1000), pytest.approx(most / 1000))
        assert lag.least * 1000 - 1e-6 <= true - left <= lag.most * 1000 + 1e-6
        assert lag.has_until is None or offsets[min(lag.has_until // 1000, true)] <= stood
