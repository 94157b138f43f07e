"""What a primary took alone: all of it is lost and nothing else, or the checker says what is otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.checkers import TakenAlone, taken_alone
from tests.unit.history.made import Row, S, history, named, stands, swept, write

OLD, NEW = "redis-0", "redis-1"
CUT: list[Row] = [
    ["fault", "isolated(redis-0)", "inject", 5 * S, 5 * S + 1000, 100],
    ["fault", "isolated(redis-0)", "effect", round(5.2 * S), round(5.2 * S), 100],
    ["fault", "isolated(redis-0)", "heal", 20 * S, 20 * S, 100],
]


def cut_off(
    alone: Sequence[float],
    kept: Sequence[int] = (),
    lost: Sequence[int] = (),
    *,
    marks: Sequence[Row] = CUT,
    promotion: bool = True,
    pause: float | None = 0.5,
) -> TakenAlone:
    """The verdict on a primary cut off at 5 s that acknowledged further writes at these instants; its successor too.

    Of those `kept` are not lost, of the first 400 and of the successor's (from 10,000 on) `lost` are.
    """
    before = [write(n, 1 + n / 100) for n in range(400)]
    after = [write(10_000 + n, 12 + n / 100, by=NEW, writer=0) for n in range(100)]
    taken = [write(1000 + n, at, writer=1) for n, at in enumerate(alone)]
    rows = [
        *sorted([*before, *after, *taken], key=lambda row: row[3] + row[4]),
        *(row for n in range(40) for row in (stands(OLD, 1 + n / 10, n), stands(NEW, 1.002 + n / 10, n, of=OLD))),
        *(named(NEW, 11) if promotion else ()),
        *marks,
        *swept(
            {
                0: [[n, n] for n in (*range(400), *range(10_000, 10_100)) if n not in lost],
                1: [[1000 + n, 1000 + n] for n in kept],
            },
            primary=NEW,
        ),
    ]
    return taken_alone(history(rows, pinned=1), fault="isolated", pause=pause)


ALL_ALONG = [5.3 + n / 10 for n in range(147)]


def test_everything_taken_alone_and_nothing_else_is_lost() -> None:
    verdict = cut_off(ALL_ALONG)

    assert verdict.valid is True, verdict.explain()
    assert (verdict.seat, verdict.taken, verdict.lost) == (OLD, 147, 147)
    assert verdict.pause == pytest.approx(0.1, abs=0.01)
    assert (verdict.begin, verdict.end) == (pytest.approx(5.2, abs=0.001), pytest.approx(20, abs=0.001))


def test_one_that_is_not_lost_was_not_taken_alone() -> None:
    verdict = cut_off(ALL_ALONG, kept=[3])

    assert verdict.valid is False
    assert "taken alone and not lost: 1, acknowledged 5.600..5.600 s by redis-0" in verdict.explain()


@pytest.mark.parametrize("lost", [[100], [10_050]], ids=["long before", "of the successor"])
def test_one_that_is_lost_otherwise_is_told(lost: list[int]) -> None:
    verdict = cut_off(ALL_ALONG, lost=lost)

    assert verdict.valid is False
    assert "lost otherwise: 1" in verdict.explain()


def test_what_is_on_the_edges_may_be_lost_or_not() -> None:
    """Acknowledged while the fault began to bite, or after its end: 4.99 s, 5.1 s and 20.5 s."""
    edges = [5.1, *ALL_ALONG, 20.5]

    assert cut_off(edges, lost=[399]).valid is True
    assert cut_off(edges, kept=[0, 148]).valid is True


def test_primary_that_stops_taking_writes_is_told_where_it_must_not() -> None:
    """As one with min-replicas-to-write does."""
    stopped = ALL_ALONG[:100]

    assert cut_off(stopped).valid is False
    assert cut_off(stopped).pause == pytest.approx(4.8, abs=0.01)
    assert cut_off(stopped, pause=None).valid is True


def test_what_is_not_known_is_no_pass() -> None:
    """Nothing taken, no end of the fault, no such fault, nobody promoted."""
    for verdict in (
        cut_off([]),
        cut_off(ALL_ALONG, marks=CUT[:2]),
        cut_off(ALL_ALONG, marks=()),
        cut_off(ALL_ALONG, promotion=False),
    ):
        assert verdict.valid is None, verdict.explain()
