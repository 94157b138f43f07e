"""Two primaries at once: who was rightful, what the stale one took, and whether anybody tried."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import split_brain
from tests.unit.history.made import SEATS, S, history, in_order, named, samples, swept, write

Rows = list[list[object]]

REPLICA = samples("redis-2", "replica", 0, 9)
#: redis-0 hangs at 3 s, redis-1 is named from 4.5 s on, redis-0 is back from 5 to 7 s.
OVERLAP = [
    *in_order(
        samples("redis-0", "primary", 0, 3),
        samples("redis-0", "unreachable", 3.1, 4.9),
        samples("redis-0", "primary", 5, 7),
        samples("redis-0", "replica", 7.1, 9),
        samples("redis-1", "replica", 0, 3.9),
        samples("redis-1", "primary", 4, 9),
        REPLICA,
    ),
    *named("redis-1", 4.5),
]
#: redis-0 is gone for good at 3 s, and redis-1 is primary from 4 s on.
REPLACED = in_order(
    samples("redis-0", "primary", 0, 3),
    samples("redis-0", "unreachable", 3.1, 9),
    samples("redis-1", "replica", 0, 3.9),
    samples("redis-1", "primary", 4, 9),
    REPLICA,
)


def test_one_primary_at_a_time_holds() -> None:
    """One gives up, another takes over."""
    made = in_order(
        samples("redis-0", "primary", 0, 3),
        samples("redis-0", "unreachable", 3.1, 5),
        samples("redis-0", "replica", 5.1, 9),
        samples("redis-1", "replica", 0, 3.9),
        samples("redis-1", "primary", 4, 9),
        REPLICA,
    )

    verdict = split_brain(history(made))

    assert verdict.valid is True, verdict.explain()
    assert verdict.longest == 0


def test_what_the_stale_one_acknowledged_is_counted_and_named() -> None:
    """A primary that hung is back while another is in office: how long, who took what, and what became of it."""
    writes = [write(n, 5.2 + n / 10, by="redis-0" if n % 3 else "redis-1") for n in range(9)]
    kept = swept({0: [[0, 1], [3, 3], [6, 6]]}, primary="redis-1")

    verdict = split_brain(history([*OVERLAP, *writes, *kept]))

    assert verdict.valid is False
    (overlap,) = verdict.overlaps
    assert (overlap.rightful, overlap.stale) == ("redis-1", "redis-0")
    assert math.isclose(overlap.duration, 2.0, abs_tol=0.01)
    assert overlap.acknowledged == {"redis-0": 6, "redis-1": 3}
    assert math.isclose(overlap.span, 0.7)
    assert overlap.lost == 5
    assert "redis-0 acknowledged 0.1 (5.300 s) to 0.8 (6.000 s), of which lost at the end: 5" in verdict.explain()
    assert split_brain(history([*OVERLAP, *writes, *kept]), at_most=0.75).valid is True
    assert split_brain(history([*OVERLAP, *writes, *kept]), at_most=0.65).valid is False


def test_one_acknowledgement_of_the_stale_one_is_one_too_many() -> None:
    """Without an allowance a single one counts, though it spans no time."""
    assert split_brain(history([*OVERLAP, write(0, 6, by="redis-0")])).valid is False
    assert split_brain(history([*OVERLAP, write(0, 6, by="redis-0")]), at_most=0.1).valid is True


def test_stale_primary_that_refused_every_write_is_none() -> None:
    """It said primary, was tried, and took nothing: that is what a fence is for."""
    refused = write(0, 6, "f", by="redis-0", error="noreplicas")

    verdict = split_brain(history([*OVERLAP, refused]))

    assert verdict.valid is True, verdict.explain()
    assert "1 ops tried at redis-0, none acknowledged" in verdict.explain()


def test_overlap_in_which_nobody_tried_is_unknown() -> None:
    """Ops at the rightful one, or at the stale one before and after, say nothing about it."""
    elsewhere = [write(0, 2, by="redis-0"), write(1, 6, by="redis-1"), write(2, 8, "f", by="redis-0", error="readonly")]

    verdict = split_brain(history([*OVERLAP, *elsewhere]))

    assert verdict.valid is None
    assert "nobody tried" in verdict.summary


def test_overlap_shorter_than_the_sampling_period_needs_no_try() -> None:
    """Two samples that just overlap prove less than a period: nothing can be asked of so short a time."""
    rows = in_order(
        samples("redis-0", "primary", 0, 3),
        samples("redis-0", "replica", 3.1, 9),
        samples("redis-1", "replica", 0, 2.85),
        samples("redis-1", "primary", 2.95, 9),
        REPLICA,
    )

    verdict = split_brain(history([*rows, *named("redis-1", 2.9)]))

    assert len(verdict.overlaps) == 1
    assert verdict.valid is True, verdict.explain()


def test_acknowledgements_alone_give_a_split_brain_away() -> None:
    """The sampler never saw two primaries, but the old one acknowledged after the new one had been named and had."""
    writes = [
        write(0, 4.4, by="redis-0"),  # before anybody else was named
        write(1, 4.8, by="redis-0"),  # named, but not yet acknowledging
        write(2, 5, by="redis-1"),
        write(3, 5.0005, by="redis-0"),  # began before that
        write(4, 5.5, by="redis-0"),
        write(5, 6, by="redis-0"),
    ]

    verdict = split_brain(history([*REPLACED, *named("redis-1", 4.5), *writes]))

    assert verdict.valid is False
    (overlap,) = verdict.overlaps
    assert (overlap.begin, overlap.end, overlap.acknowledged["redis-0"]) == (5.5, 6.0, 2)
    assert split_brain(history([*REPLACED, *named("redis-1", 4.5), *writes[:4]])).valid is True


def test_claims_that_only_touch_between_samples_are_no_overlap() -> None:
    """Primary in one sample, unreachable in the next: nothing is claimed for the time in between."""
    rows = in_order(
        samples("redis-0", "primary", 0, 3),
        samples("redis-0", "unreachable", 3.1, 9),
        samples("redis-1", "replica", 0, 2.95),
        samples("redis-1", "primary", 3.05, 9),
        REPLICA,
    )

    assert split_brain(history(rows)).valid is True


def test_seat_that_never_answered_leaves_it_unknown() -> None:
    """What was not seen is not proven."""
    rows = in_order(samples("redis-0", "primary", 0, 3), samples("redis-1", "unreachable", 0, 3))

    assert split_brain(history(rows)).valid is None
    assert "redis-1" in split_brain(history(rows)).summary
    assert split_brain(history([])).valid is None
    assert split_brain(history(OVERLAP[:1], ended=None)).valid is None


def test_new_primary_is_rightful_before_most_sentinels_have_heard_of_it() -> None:
    """A client follows the first Sentinel that tells of a new epoch; the other two still name the old primary."""
    views = [*named("redis-1", 4.5)[:1], *named("redis-1", 5.5)[1:]]
    writes = [write(0, 2), write(1, 5, by="redis-1"), write(2, 5.2, by="redis-1")]

    assert split_brain(history([*REPLACED, *views, *writes])).valid is True
    assert split_brain(history([*REPLACED, *views, *writes, write(3, 5.4, by="redis-0")])).valid is False


def test_new_primary_may_acknowledge_before_any_sentinel_tells_of_it() -> None:
    """A client that stays with one instance needs nobody to tell; only with the old primary beside it is that two."""
    views = named("redis-1", 4.5)
    before, early, after = write(0, 2), write(1, 4.2, by="redis-1"), write(3, 5.2, by="redis-1")

    assert split_brain(history([*REPLACED, *views, before, early, after])).valid is True
    assert split_brain(history([*REPLACED, *views, before, early, write(2, 4.3), after])).valid is False
    # Somebody who is not the next one is nobody's heir.
    assert split_brain(history([*REPLACED, *views, before, write(1, 4.2, by="redis-2"), after])).valid is False


def test_sentinel_that_lags_behind_or_falls_silent_makes_nobody_rightful() -> None:
    """The old epoch told again, or nothing told at all: the one elected last still is, and the other one stale."""
    silent = [["view", number, 6 * S, None, None, None] for number in (3, 4)]
    late = ["view", 3, int(6.1 * S), "redis-0.example:6379", 0, "master"]

    verdict = split_brain(history([*OVERLAP, *silent, late, write(0, 5, by="redis-1"), write(1, 6.5, by="redis-0")]))

    assert verdict.valid is False
    assert {each.stale for each in verdict.overlaps} == {"redis-0"}


SAID = st.sampled_from(["primary", "replica", "unreachable"])


@settings(deadline=None, database=None)
@given(
    st.lists(st.tuples(SAID, SAID), min_size=4, max_size=25),
    st.lists(st.tuples(st.integers(0, 2500), st.sampled_from("ofi"), st.integers(0, 1)), max_size=25),
)
def test_overlaps_and_acknowledgements_are_those_of_a_naive_search(
    said: list[tuple[str, str]], ops: list[tuple[int, str, int]]
) -> None:
    """Each pair of neighbouring samples of one seat with each of the other: both primary, and both at one time."""
    rows = in_order(*([samples(SEATS[seat], words[seat], n / 10, n / 10)[0] for n, words in enumerate(said)]
                      for seat in (0, 1)))  # fmt: skip
    writes = [
        write(number, at / 1000 + 0.002, outcome, by=SEATS[seat], error="" if outcome == "o" else "x")
        for number, (at, outcome, seat) in enumerate(sorted(ops))
    ]
    # A stretch between two samples that both say primary: from the answer of the first to the question of the second.
    firm = [{n for n in range(len(said) - 1) if said[n][seat] == said[n + 1][seat] == "primary"} for seat in (0, 1)]
    both = sorted(firm[0] & firm[1])
    overlapping = {(n * 100_000 + (0 if n - 1 in both else 1000), (n + 1) * 100_000) for n in both}

    verdict = split_brain(history([*rows, *writes]))

    found = {(round(each.begin * S), round(each.end * S)) for each in verdict.overlaps}
    by_acks = [row for row in writes if row[5] == "o" and row[6] == 1]
    for begin, end in overlapping:
        assert any(first <= begin and end <= last for first, last in found)
    if not by_acks:  # redis-0 is named throughout: then nothing but the samples can show two primaries
        assert sum(last - first for first, last in found) == sum(end - begin for begin, end in overlapping)
    for each in verdict.overlaps:
        inside = [row for row in writes if round(each.begin * S) <= row[3] + row[4] <= round(each.end * S)]
        naive = [sum(row[5] == "o" and row[6] == seat for row in inside) for seat in (0, 1)]
        assert [each.acknowledged.get(SEATS[seat], 0) for seat in (0, 1)] == naive


@settings(deadline=None, database=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 300), st.integers(1, 250), st.sampled_from("oofi"), st.integers(0, 2)), max_size=30
    ),
    st.integers(0, 4000),
    st.integers(1, 2),
)
def test_stale_acknowledgements_are_those_of_a_naive_search(
    ops: list[tuple[int, int, str, int]], moved_ms: int, new: int
) -> None:
    """Each acknowledgement against each of whoever was named then, in one ruler's time and in the other's."""
    roles = in_order(*(samples(seat, "primary" if seat == "redis-0" else "replica", 0, 1) for seat in SEATS))
    writes, at = [], 2
    for number, (step, took, outcome, seat) in enumerate(ops):
        at += step
        row = write(number, at / 1000, outcome, by=SEATS[seat], error="" if outcome == "o" else "x")
        writes.append([*row[:3], at * 1000 - took * 1000, took * 1000, *row[5:]])
    moved = moved_ms * 1000 + 1500
    views = [["view", 3 + n, moved, f"{SEATS[new]}.example:6379", 1, "master"] for n in range(3)]
    stale: dict[str, list[int]] = {}
    for ruler, begin, end in ((0, 1500, moved), (new, moved, 1 << 60)):
        acks = [
            (row[3], row[3] + row[4], row[6]) for row in writes if row[5] == "o" and begin <= row[3] + row[4] <= end
        ]
        for invoked, completed, seat in acks:
            by_ruler = [other for _, other, by in acks if by == ruler]
            is_heir = seat == new and ruler == 0  # he is stale only as long as the one before him goes on
            until = max(by_ruler, default=0) if is_heir else 1 << 60
            if seat != ruler and any(other <= invoked <= until for other in by_ruler):
                stale.setdefault(f"{SEATS[ruler]} {SEATS[seat]}", []).append(completed)

    verdict = split_brain(history([*roles, *views, *writes]))

    found = {f"{each.rightful} {each.stale}": (round(each.begin * S), round(each.end * S)) for each in verdict.overlaps}
    assert found == {pair: (min(instants), max(instants)) for pair, instants in stale.items()}
    assert (verdict.valid is False) == bool(stale)
