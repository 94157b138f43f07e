"""Windows without acknowledged writes: found, measured, and not taken for something else."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import unavailability, windows
from harness.history import FaultMark
from tests.unit.history.made import S, history, read, write


def steady(first_s: float, last_s: float, *, start: int = 0, step_s: float = 0.01) -> list[list[object]]:
    """Acknowledged writes on a grid, both ends included."""
    number = round((last_s - first_s) / step_s)
    return [write(start + n, first_s + n * step_s) for n in range(number + 1)]


OUTAGE = [
    *steady(0, 1),
    *(write(200 + n, 1.1 + n * 0.1, "f", error="refused") for n in range(18)),
    write(300, 2.95, "i", error="timeout"),
    *(write(400 + n, 3 + n * 0.01, by="redis-1") for n in range(100)),
]


def test_window_reaches_from_the_last_ok_to_the_first_ok() -> None:
    """Its length, its resolution, who acknowledged before and after, and what happened meanwhile."""
    found = unavailability(history(OUTAGE), at_most=2.5)

    assert found.valid is True
    assert found.window is not None
    assert math.isclose(found.duration, 2.0)
    assert math.isclose(found.resolution, 0.01)
    assert (found.window.last_by, found.window.first_by) == ("redis-0", "redis-1")
    assert found.window.errors == {"refused": 18, "timeout": 1}
    assert found.window.outcomes == {"f": 18, "i": 1}
    assert "18 refused, 1 timeout" in found.explain()


def test_limit_within_the_resolution_is_unknown() -> None:
    """2.000 s measured to 10 ms: 1.98 s is exceeded, 1.995 s cannot be told, 2.0 s is kept."""
    assert unavailability(history(OUTAGE), at_most=1.98).valid is False
    assert unavailability(history(OUTAGE), at_most=1.995).valid is None
    assert unavailability(history(OUTAGE), at_most=2.0).valid is True


def test_only_the_time_looked_at_counts() -> None:
    """An outage before the fault is not the fault's; one that the fault falls into is."""
    fault = FaultMark("killed", "inject", int(3.2 * S), int(3.3 * S), 1000)

    assert unavailability(history(OUTAGE), since=fault).duration < 0.02
    assert math.isclose(unavailability(history(OUTAGE), since=1.5).duration, 2.0)
    assert unavailability(history(OUTAGE), until=0.9).duration < 0.02


def test_history_without_an_acknowledged_write_is_unknown() -> None:
    """Nothing was ever acknowledged: an infinite window would be as wrong as none."""
    for rows in ([], [write(0, 1, "f", error="refused")], [write(0, 1, "i", error="timeout")]):
        found = unavailability(history(rows), at_most=30)

        assert found.valid is None
        assert found.duration == math.inf
        assert found.window is None


def test_history_that_begins_after_the_fault_is_unknown() -> None:
    """Writes began only after the fault: whether it interrupted anything is not known."""
    found = unavailability(history(steady(5, 6)), since=1.0)

    assert found.valid is None
    assert "before the time looked at" in found.summary


def test_open_window_is_over_budget_or_unknown_but_never_a_pass() -> None:
    """Writes never came back: longer than the limit already is a failure, else nobody knows."""
    rows = [*steady(0, 1), *(write(200 + n, 1.1 + n * 0.1, "f", error="refused") for n in range(50))]

    assert unavailability(history(rows), at_most=3).valid is False
    assert unavailability(history(rows), at_most=30).valid is None
    assert "the end of the recording" in unavailability(history(rows), at_most=30).explain()


def test_stall_of_the_witness_makes_the_window_unknown() -> None:
    """The event loop stood still for most of the window: it says nothing about Redis."""
    rows = [*steady(0, 1), ["health", 2 * S, int(0.95 * S), 0, 0, 0], *steady(2.01, 3, start=200)]

    for found in (unavailability(history(rows)), unavailability(history(rows), at_most=0.5)):
        assert found.valid is None
        assert "witness itself" in found.summary


def test_stall_of_the_witness_cannot_hide_more_than_the_window() -> None:
    """Whatever Redis did while the witness stood still was over within the window: a limit above it was kept."""
    rows = [*steady(0, 1), ["health", 2 * S, int(0.95 * S), 0, 0, 0], *steady(2.01, 3, start=200)]

    assert unavailability(history(rows), at_most=30).valid is True


def test_many_small_stalls_do_not_add_up() -> None:
    """A starved witness that still tried every few milliseconds saw the outage as well as any other."""
    stalls = [["health", int((1 + n / 50) * S), 18_000, 0, 0, 0] for n in range(1, 101)]

    assert unavailability(history([*steady(0, 1), *stalls, *steady(3.1, 4, start=200)]), at_most=30).valid is True


def test_lag_at_an_edge_widens_the_resolution() -> None:
    """A stall of 40 ms just as writes came back: the window may be 40 ms shorter than it looks."""
    rows = [*steady(0, 1), ["health", 3 * S, 40_000, 0, 0, 0], *steady(3, 4, start=200)]

    found = unavailability(history(rows))

    assert math.isclose(found.resolution, 0.04)


def test_pinned_writers_do_not_hide_an_outage() -> None:
    """A writer pinned to a stale primary goes on: the Sentinel-aware ones' window is the one that counts."""
    pinned = [write(n, 0.995 + n / 100, writer=1) for n in range(101)]
    made = history([*steady(0, 0.99), *pinned, *steady(2, 3, start=200)], writers=2)
    made.writers = (made.writers[0], made.writers[0]._replace(group="pinned", target="redis-0"))

    assert math.isclose(unavailability(made).duration, 1.01)
    assert unavailability(made, group="pinned").duration < 0.02


def test_all_long_windows_are_listed() -> None:
    """Several outages in one recording, each by itself."""
    rows = [*steady(0, 1), *steady(2, 3, start=200), *steady(3.5, 4, start=400)]

    found = windows(history(rows), longer_than=0.3)

    assert [round(each.duration, 3) for each in found] == [1.0, 0.5]


def test_cause_is_told_in_words_by_the_time_it_took() -> None:
    """Eighteen quick refusals and one long wait: the wait is where the time went."""
    refused = [write(200 + n, 1.1 + n * 0.05, "f", error="refused") for n in range(18)]
    waited = ["w", 0, 300, int(2.05 * S), int(0.882 * S), "i", 0, "timeout"]
    answered = write(301, 2.95, "f", error="readonly")

    found = unavailability(history([*steady(0, 1), *refused, waited, answered, *steady(3, 4, start=400)]))

    assert found.window is not None
    assert found.window.cause == (
        "no answer in time (98%); nobody listened at the address (2%); "
        "the instance was a replica and refused writes (0%)"
    )
    assert f"cause: {found.window.cause}" in found.explain()


def test_cause_is_that_of_the_clients_asked_for() -> None:
    """What pinned writers met meanwhile explains nothing."""
    pinned = [write(n, 1.2 + n / 100, "f", writer=1, error="readonly") for n in range(20)]
    rows = [*steady(0, 1), *pinned, write(200, 1.9, "f", error="no-primary"), *steady(2, 3, start=300)]

    found = unavailability(history(rows, pinned=1))

    assert found.window is not None
    assert found.window.errors == {"no-primary": 1}


def test_reads_have_windows_of_their_own() -> None:
    """Writes went on while Sentinel-aware reads stood still; a replica's reader hides nothing."""
    reads = [read(0, 0.01 * n) for n in range(1, 100)] + [read(-1, 1.5, "f", error="timeout")]
    reads += [read(0, 1.6, by="redis-1", reader=1)] + [read(0, 2 + 0.01 * n) for n in range(100)]
    made = history([*steady(0, 3), *reads], readers=("sentinel", "redis-1"))

    found = unavailability(made, kind="read", at_most=2)

    assert found.valid is True, found.explain()
    assert math.isclose(found.duration, 1.01)
    assert "without an answered read" in found.explain()
    assert [round(each.duration, 2) for each in windows(made, kind="read")] == [1.01]
    assert unavailability(made).duration < 0.02
    assert unavailability(history(steady(0, 3)), kind="read").valid is None


def test_throttling_at_an_edge_widens_the_resolution() -> None:
    """Kept from running for 300 ms in the second in which writes came back: they may have been back so much earlier."""
    health = [["health", int(2.5 * S), 0, 0, 0, 0], ["health", int(3.5 * S), 0, 0, 0, 300_000]]
    made = history([*steady(0, 1), *health, *steady(3, 4, start=200)])

    assert math.isclose(unavailability(made).resolution, 0.3)
    assert unavailability(made, at_most=1.8).valid is None
    assert unavailability(made, at_most=1.6).valid is False
    assert unavailability(made, at_most=2.1).valid is True


def test_throttling_for_most_of_a_window_makes_it_unknown() -> None:
    """The witness had no CPU: nobody knows what Redis would have answered."""
    health = [["health", int(0.9 * S), 0, 0, 0, 0], ["health", int(1.9 * S), 0, 0, 0, 700_000]]

    found = unavailability(history([*steady(0, 1), *health, *steady(2, 3, start=200)]), at_most=0.5)

    assert found.valid is None
    assert "CPU quota" in found.summary


@settings(deadline=None, database=None)
@given(
    st.lists(st.tuples(st.integers(1, 400), st.sampled_from("ofi")), min_size=1, max_size=60),
    st.integers(0, 8000),
)
def test_worst_window_is_the_one_that_a_naive_search_finds(steps: list[tuple[int, str]], since_ms: int) -> None:
    """Every pair of acknowledgements compared with every other, for any history."""
    at, rows = 10, []
    for number, (step, outcome) in enumerate(steps):
        at += step
        rows.append(write(number, at / 1000, outcome, error="" if outcome == "o" else "x"))
    acks = [row[3] + row[4] for row in rows if row[5] == "o"]
    last = rows[-1][3] + rows[-1][4]
    ends = [*acks, *([last] if acks and last > acks[-1] + 50_000 else [])]
    gaps = [
        b - a
        for a in acks
        for b in ends
        if a < b and max(a, since_ms * 1000) < min(b, last) and not any(a < other < b for other in acks)
    ]

    found = unavailability(history(rows), since=since_ms / 1000)

    if acks and acks[0] <= since_ms * 1000 and gaps:
        assert found.window is not None
        assert round(found.duration * S) == max(gaps)
    else:
        assert found.valid is None
