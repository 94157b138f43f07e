"""What the judgements of who returns say of histories in which it holds, and of others in which it just does not."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.budget import CRASH, budget
from harness.drill.returning import Returning
from harness.errors import BrokenPromise, HarnessError, ObservationError
from harness.faults import Felled
from harness.judgement import Judgement
from tests.unit.budget.measured import CONFIGURATION
from tests.unit.history.made import NUMBER, SENTINELS, Row, S, event, history, switch, write
from tests.unit.topologies import healthy, redis

FELL: Row = ["fault", "seat_empty(redis-0)", "inject", 5 * S, 5 * S, 0]


def drill_of(rows: Sequence[Row]) -> Returning:
    """A drill that is over and left this history."""
    drill = Returning.__new__(Returning)
    drill._history = history(rows)
    drill._judgement = Judgement()
    drill._limits = []
    drill.before = drill.now = healthy()
    drill.budget = budget(CONFIGURATION)
    return drill


DOWN = event("sentinel-0", 10.1, "+odown", "master mymaster redis-0.example 6379 #quorum 2/2")


def promoted(at_s: float, old: str, new: str) -> list[Row]:
    return [switch(name, at_s, old, new) for name in SENTINELS]


@pytest.mark.parametrize(
    ("at_s", "old", "holds"), [(11, "redis-0", True), (25, "redis-0", False), (11, "redis-2", False)]
)
def test_replacement_in_its_course(at_s: float, old: str, holds: bool) -> None:
    """Too late, and of somebody else, are told."""
    rows = [FELL, write(0, 4.5), DOWN, *promoted(at_s, old, "redis-1")]

    assert drill_of(rows).was_replaced_within_its_course("redis-0", "seat_empty", CRASH) is holds


def test_hand_over_is_no_replacement_of_who_crashed() -> None:
    """Nobody agreed that it was down, or only that another one was."""
    moved = promoted(11, "redis-0", "redis-1")
    other = event("sentinel-0", 10.1, "+odown", "master mymaster redis-1.example 6379 #quorum 2/2")

    for rows in ([FELL, write(0, 4.5), *moved], [FELL, write(0, 4.5), other, *moved]):
        assert not drill_of(rows).was_replaced_within_its_course("redis-0", "seat_empty", CRASH)


def test_replacement_of_who_was_not_struck() -> None:
    """A fault of another seat is none of this one's."""
    with pytest.raises(HarnessError, match="seat_empty of redis-2"):
        drill_of([FELL]).was_replaced_within_its_course("redis-2", "seat_empty", CRASH)


@pytest.mark.parametrize(("healed_s", "holds"), [(19, True), (21, False)])
def test_return_before_the_successor(healed_s: float, holds: bool) -> None:
    """The end of the fault is compared with the promotion of the third."""
    healed = ["fault", "seat_empty(redis-0)", "heal", round(healed_s * S), round(healed_s * S), 0]
    rows = [FELL, healed, *promoted(11, "redis-0", "redis-1"), *promoted(20, "redis-1", "redis-2")]

    assert drill_of(rows).was_back_before_its_successor("redis-0", "seat_empty", "redis-2") is holds


REFUSED = write(7, 12, "f", by="redis-1", error="noreplicas")


def alone(at_s: float, replicas: int) -> Row:
    return ["role", NUMBER["redis-1"], round(at_s * S), 1000, "primary", 100, replicas, {}]


@pytest.mark.parametrize(
    ("ops", "holds"),
    [
        ([REFUSED, write(8, 15.3, by="redis-1")], True),
        ([REFUSED, write(8, 15.05, by="redis-1")], True),  # the replica may have come since the last sample
        ([REFUSED, write(8, 14, by="redis-1")], False),
        ([write(8, 15.3, by="redis-1")], False),  # nobody tried
        ([write(7, 12, "f", by="redis-2", error="noreplicas")], False),  # another one refused
        ([write(7, 15.5, "f", by="redis-1", error="noreplicas")], False),  # it refused later
        ([write(7, 12, "f", by="redis-1", error="loading")], False),
    ],
)
def test_primary_that_takes_nothing_alone(ops: list[Row], holds: bool) -> None:
    """A write before anybody followed is told, and so is a time in which nobody tried to write."""
    rows = [FELL, *promoted(11, "redis-0", "redis-1"), alone(14.9, 0), alone(15.1, 1), alone(16, 0), *ops]

    assert drill_of(rows).took_no_write_before_it_was_followed("redis-1") is holds


@pytest.mark.parametrize("seen", [[], [alone(11.1, 1)], [alone(10.9, 0), alone(11.1, 1)]])
def test_primary_that_was_not_seen_alone(seen: list[Row]) -> None:
    """Who had a replica at once was on no trial; before its promotion it was none either."""
    rows = [FELL, *promoted(11, "redis-0", "redis-1"), *seen, REFUSED]

    assert not drill_of(rows).took_no_write_before_it_was_followed("redis-1")


@pytest.mark.parametrize(("at_s", "holds"), [(11, True), (4, False)])
def test_promotion_after_a_fault(at_s: float, holds: bool) -> None:
    """Somebody was promoted, and not before."""
    first = ["fault", "isolated(redis-sentinel-2)", "inject", 1 * S, 1 * S, 0]

    assert not drill_of([first, FELL]).nobody_was_promoted_before("seat_empty", "redis-0"), "nobody was promoted"
    moved = drill_of([first, FELL, *promoted(at_s, "redis-0", "redis-1")])
    assert moved.nobody_was_promoted_before("seat_empty", "redis-0") is holds


@pytest.mark.parametrize(("effect_at", "holds"), [(104.0, True), (106.0, False), (None, False)])
def test_fault_that_is_over_soon(effect_at: float | None, holds: bool) -> None:
    """From its order to the proof of its effect."""
    felled = Felled("data_lost", "redis-0", injected_at=100.0, effect_at=effect_at)

    assert drill_of([FELL]).was_felt_within(5.0, felled) is holds


def test_pods_that_are_all_others() -> None:
    """One that stayed is told; Sentinels do not count."""
    drill = drill_of([FELL])
    assert not drill.every_pod_is_another()

    seats = ("redis-0", "redis-1", "redis-2")
    pods = [SimpleNamespace(seat=seat, uid=f"new-{seat}") for seat in seats]
    drill.now = cast("Any", SimpleNamespace(pods=pods))
    assert drill.every_pod_is_another()


class Counted:
    """A deployment whose instances say these numbers of keys, the last one for good."""

    def __init__(self, *keys: int, follows_after: int = 6) -> None:
        self._keys = list(keys)
        self._looks = 0
        self._follows_after = follows_after

    def ask(self, _: str, __: str) -> list[int]:
        return [self._keys.pop(0) if len(self._keys) > 1 else self._keys[0]]

    def redis_view(self, seat: str) -> Any:
        self._looks += 1
        return redis(seat, role="replica", link_up=self._looks >= self._follows_after)


def counting(sut: Counted) -> Returning:
    drill = drill_of([FELL])
    drill._sut = cast("Any", sut)
    return drill


def test_nobody_loses_keys() -> None:
    """More keys are none lost."""
    counting(Counted(2000, 2000, 2010)).nobody_else_has_fewer_keys_until_it_follows("redis-0", 2000)


def test_somebody_loses_keys() -> None:
    """A single look suffices, whatever is there afterwards."""
    with pytest.raises(BrokenPromise, match="redis-2 has 3 keys and had 2000"):
        counting(Counted(2000, 3, 2000)).nobody_else_has_fewer_keys_until_it_follows("redis-0", 2000)


def test_too_few_looks_are_no_judgement() -> None:
    """Who follows at the first look was not watched."""
    with pytest.raises(ObservationError, match="too seldom"):
        counting(Counted(2000, follows_after=1)).nobody_else_has_fewer_keys_until_it_follows("redis-0", 2000)
