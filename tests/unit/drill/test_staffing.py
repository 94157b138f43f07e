"""What the judgements of staffing say of histories in which it holds, and of others in which it just does not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from harness.drill.staffing import Staffing
from harness.faults import RolledOut
from harness.faults.rollout import Step
from tests.unit.history.made import NUMBER, SENTINELS, Row, S, event, history, role, switch, write
from tests.unit.topologies import healthy, host, with_sentinel

FELL: Row = ["fault", "paused(redis-0)", "inject", 5 * S, 5 * S, 0]
HEALED: Row = ["fault", "paused(redis-0)", "heal", 20 * S, 20 * S, 0]
NO_GOOD = "-failover-abort-no-good-slave"


def drill_of(rows: Sequence[Row]) -> Staffing:
    """A drill that is over and left this history."""
    drill = Staffing.__new__(Staffing)
    drill._history = history(rows)
    drill.before = drill.now = healthy()
    return drill


def promoted(*moves: tuple[float, str, str]) -> list[Row]:
    return [switch(name, at, old, new) for at, old, new in moves for name in SENTINELS]


@pytest.mark.parametrize(
    ("moves", "holds"),
    [
        ([(11, "redis-0", "redis-1"), (30, "redis-1", "redis-2")], True),
        ([(11, "redis-0", "redis-2"), (30, "redis-2", "redis-1")], False),
        ([(11, "redis-0", "redis-1")], False),
        ([(11, "redis-0", "redis-1"), (30, "redis-1", "redis-2"), (50, "redis-2", "redis-0")], False),
        ([], False),
    ],
)
def test_promotions_in_order(moves: list[tuple[float, str, str]], holds: bool) -> None:
    """Another order, one too few and one too many are told."""
    assert drill_of([FELL, *promoted(*moves)]).promoted_were("redis-1", "redis-2") is holds


def test_promotion_of_which_a_busy_sentinel_tells_in_one_step_is_no_third_one() -> None:
    """It was not through with the first when the second was made known: from redis-0 to redis-2 at once."""
    first = [switch(name, 11, "redis-0", "redis-1") for name in SENTINELS[1:]]
    second = [switch(name, 19, "redis-1", "redis-2") for name in SENTINELS[1:]]
    late = switch(SENTINELS[0], 19.1, "redis-0", "redis-2")

    assert drill_of([FELL, *first, *second, late]).promoted_were("redis-1", "redis-2")


@pytest.mark.parametrize(
    ("says", "link", "holds"), [("replica", "connected", False), ("replica", "sync", True), ("primary", "", True)]
)
def test_instance_that_does_not_follow_when_the_fault_comes(says: str, link: str, holds: bool) -> None:
    """What it said afterwards does not count."""
    rows = [
        role("redis-2", 4, says, of="redis-0", link=link),
        role("redis-2", 6, "replica", of="redis-0"),
        FELL,
    ]

    assert drill_of(rows).was_not_following_when("redis-2", "paused") is holds
    assert not drill_of(rows).was_not_following_when("redis-2", "another")
    assert not drill_of(rows).was_not_following_when("redis-1", "paused"), "nobody asked it"


def offset(seat: str, at_s: float, stands: int) -> Row:
    return ["role", NUMBER[seat], round(at_s * S), 1000, "replica", stands, "connected", "redis-0.example:6379"]


@pytest.mark.parametrize(("behind", "ahead", "holds"), [(10, 20, True), (20, 20, False), (30, 20, False)])
def test_replica_that_is_behind_when_the_fault_comes(behind: int, ahead: int, holds: bool) -> None:
    """Both as they said last before it."""
    rows = [offset("redis-1", 4, behind), offset("redis-2", 4.1, ahead), offset("redis-1", 6, 1), FELL]

    assert drill_of(rows).was_behind_when("redis-1", "redis-2", "paused") is holds


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ([NO_GOOD], True),
        ([NO_GOOD, NO_GOOD], True),
        (["-failover-abort-not-elected"], False),
        ([NO_GOOD, "-failover-abort-not-elected"], False),
        ([], False),
    ],
)
def test_reason_for_giving_up(told: list[str], holds: bool) -> None:
    """Nothing tried is no reason, another reason is another one."""
    rows = [
        row
        for number, name in enumerate(told)
        for row in (
            event("sentinel-0", 11 + 70 * number, "+try-failover", "master mymaster redis-0.example 6379"),
            event("sentinel-0", 12 + 70 * number, name, "master mymaster redis-0.example 6379"),
        )
    ]

    assert drill_of([FELL, *rows]).was_given_up_for_want_of_a_good_replica() is holds


@pytest.mark.parametrize(("at_s", "holds"), [(19, False), (21, True)])
def test_promotion_after_healing(at_s: float, holds: bool) -> None:
    """Somebody was promoted, and not before."""
    rows = [FELL, HEALED]

    assert not drill_of(rows).nobody_was_promoted_before_the_healing_of("paused"), "nobody was promoted at all"
    moved = drill_of([*rows, *promoted((at_s, "redis-0", "redis-1"))])
    assert moved.nobody_was_promoted_before_the_healing_of("paused") is holds


@pytest.mark.parametrize(("down", "holds"), [(0, False), (1, True), (2, False), (3, False)])
def test_majority_of_sentinels_stays(down: int, holds: bool) -> None:
    """None gone is no trial of it, two of three gone is no majority."""
    rows = [["listening", NUMBER[name], (7 + n) * S, "down", None] for n, name in enumerate(SENTINELS[:down])]

    assert drill_of([FELL, *rows]).sentinels_went_and_their_majority_stayed() is holds


def test_sentinels_one_after_the_other_leave_a_majority() -> None:
    """The next one goes when the one before is back."""
    rows = [
        ["listening", NUMBER[name], (7 + 2 * n + back) * S, "up" if back else "down", None]
        for n, name in enumerate(SENTINELS)
        for back in (0, 1)
    ]

    assert drill_of([FELL, *rows]).sentinels_went_and_their_majority_stayed()


@pytest.mark.parametrize(
    ("seats", "holds"),
    [
        (["redis-1", "redis-sentinel-2"], True),
        (["redis-1"], False),
        (["redis-1", "redis-2"], False),
        (["redis-1", "redis-2", "redis-sentinel-0"], False),
        ([], False),
    ],
)
def test_one_of_each(seats: list[str], holds: bool) -> None:
    """One Redis and one Sentinel, neither less nor more."""
    assert drill_of([]).is_one_of_each(seats) is holds


def test_every_sentinel_names() -> None:
    """One that names another is enough to say no."""
    drill = drill_of([])
    primary = drill.now.primaries[0]
    assert drill.every_sentinel_names(primary)

    drill.now = with_sentinel(healthy(), "redis-sentinel-1", primary_host=host("redis-2"))
    assert not drill.every_sentinel_names(primary)


def steps(*spans: tuple[str, int, int]) -> tuple[Step, ...]:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    return tuple(
        Step(seat, begin + timedelta(seconds=made), begin + timedelta(seconds=ready)) for seat, made, ready in spans
    )


@pytest.mark.parametrize(
    ("spans", "holds"),
    [
        ([("redis-2", 0, 5), ("redis-1", 6, 9), ("redis-0", 9, 12)], True),
        ([("redis-2", 0, 5), ("redis-1", 4, 9), ("redis-0", 9, 12)], False),
        ([("redis-2", 0, 5), ("redis-1", 6, 9)], False),
        ([], False),
    ],
)
def test_pods_replaced_in_turn(spans: list[tuple[str, int, int]], holds: bool) -> None:
    """Two at a time, and one that was left out, are told."""
    rollout = RolledOut("redis")
    rollout.steps = steps(*spans)

    assert drill_of([]).replaced_each_pod_in_turn(rollout) is holds


def test_first_in_line_is_the_smaller_run_id() -> None:
    """Where nothing else decides."""
    drill: Any = drill_of([])
    views = [SimpleNamespace(seat=f"redis-{n}", run_id=i, role=r) for n, i, r in
             [(0, "0", "primary"), (1, "B", "replica"), (2, "a", "replica")]]  # fmt: skip
    drill.before = SimpleNamespace(redis=views, replicas=("redis-1", "redis-2"))

    assert (drill.first_in_line, drill.second_in_line) == ("redis-2", "redis-1")


def came(seat: str, at_s: float, run_id: str) -> Row:
    return ["identity", NUMBER[seat], round(at_s * S), run_id, "7.0.15"]


def test_gap_of_each_step() -> None:
    """Each gap belongs to the step in which it was; a connection to the same process anew is no step."""
    acknowledged = [n / 10 for n in range(400) if not 70 < n < 90 and not 200 < n < 250]
    rows = [
        *[came(seat, 1, f"{seat} before") for seat in ("redis-1", "redis-2")],
        *[write(n, at) for n, at in enumerate(acknowledged)],
        came("redis-1", 6, "redis-1 before"),
        came("redis-2", 10, "redis-2 after"),
        came("redis-1", 26, "redis-1 after"),
        FELL,
    ]
    drill = drill_of(rows)
    drill._limits = []
    gaps = drill.gap_of_each_step()
    rollout = RolledOut("redis")
    rollout.steps = steps(("redis-2", 0, 5), ("redis-1", 6, 20))

    assert gaps == {"redis-2": pytest.approx(2.0, abs=0.01), "redis-1": pytest.approx(5.0, abs=0.01)}
    assert drill.each_step_has_its_gap(rollout, gaps)
    assert not drill.each_step_has_its_gap(rollout, {**gaps, "redis-1": 30.1})
    assert not drill.each_step_has_its_gap(rollout, {"redis-2": 2.0})
    assert not drill.each_step_has_its_gap(rollout, {**gaps, "redis-1": None})


def test_candidate_beaten_by_the_one_that_gave_up_is_no_other_reason() -> None:
    """Two stood for one election: the winner found no replica, the loser heard ten seconds later that it had lost."""
    about = "master mymaster redis-0.example 6379"
    rows = [
        event("sentinel-0", 11, "+try-failover", about),
        event("sentinel-1", 11.001, "+try-failover", about),
        event("sentinel-0", 11.2, NO_GOOD, about),
        event("sentinel-1", 21, "-failover-abort-not-elected", about),
    ]

    assert drill_of(rows).was_given_up_for_want_of_a_good_replica()
