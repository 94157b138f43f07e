"""How a reader finds the highest write that is there: exactly, however far back, in few round trips."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from witness.client import Surroundings
from witness.reader import NEAR, Reader
from witness.writer import PER_KEY


class Instance:
    """A link to an instance that holds some writes of writer 0; counts the round trips."""

    def __init__(self, *held: range) -> None:
        self.hashes: dict[str, set[int]] = {}
        self.trips = 0
        self.highest = [0, *(stretch[-1] for stretch in held)]
        for sequence in (each for stretch in held for each in stretch):
            self.hashes.setdefault(f"e2e:w:x:0:{sequence // PER_KEY}", set()).add(sequence)

    async def call(self, command: str, key: str, *arguments: Any) -> Any:
        self.trips += 1
        there = self.hashes.get(key, set())
        if command == "HKEYS":
            return [str(sequence % PER_KEY) for sequence in there]
        assert command == "HGET"
        return next((f"0.{sequence}" for sequence in there if sequence % PER_KEY == arguments[0]), None)

    async def calls(self, commands: list[tuple[str, str]]) -> list[int]:
        self.trips += 1
        assert {command for command, _ in commands} <= {"EXISTS"}
        return [int(key in self.hashes) for _, key in commands]


class Timeless:
    """A journal in which nothing is recorded."""

    def now(self) -> int:
        return 0


def seen(instance: Instance, expected: int) -> int:
    """What a reader that expects so much finds on an instance."""
    locator: Any = type("Locator", (), {"listen": lambda *_: None})()
    around = Surroundings(
        journal=cast("Any", Timeless()),
        locator=locator,
        password=None,
        timeout_s=1,
        reconnect_s=0.01,
        name_of=lambda _: None,
        run_ids={},
    )
    writer: Any = SimpleNamespace(index=0, highest_acknowledged=max(expected, *instance.highest))
    reader = Reader(0, "x", [writer], pinned=None, surroundings=around)
    reader._writer, reader._expected = 0, expected
    asyncio.run(reader._look(cast("Any", instance)))
    return reader._seen


@pytest.mark.parametrize(
    ("held", "expected", "found"),
    [
        ([range(501)], 500, 500),
        ([range(500)], 500, 499),
        ([range(300)], 500, 299),
        ([range(128)], 128, 127),
        ([], 500, -1),
        ([], 0, -1),
        ([], 500_000, -1),
        ([range(1)], 500_000, 0),
        ([range(129)], 500_000, 128),
        ([range(100_000)], 500_000, 99_999),
        ([range(100_000)], 100_000 + NEAR * PER_KEY, 99_999),
        ([range(100_000)], 100_000 + (NEAR + 1) * PER_KEY, 99_999),
        ([range(100_000)], 100_000 + (NEAR + 2) * PER_KEY, 99_999),
        ([range(200), range(210, 400)], 205, 399),  # 205 was lost, later ones are there: lost, but not stale
        ([range(120), range(128, 140)], 127, 139),  # the same at a hash's end
        ([range(1000), range(4000, 4100)], 5000, 4099),
        ([range(1000), range(4000, 4100)], 2000, 4099),  # lost, and the writer is far beyond it by now
    ],
)
def test_highest_write_is_found_wherever_it_is(held: list[range], expected: int, found: int) -> None:
    """There, just missing, long gone, not one, or with a hole before later ones."""
    assert seen(Instance(*held), expected) == found


def test_round_trips_are_few_however_far_back() -> None:
    """A replica that got nothing of ten million writes, or hardly anything."""
    for held in ([], [range(1)], [range(1_234_567)]):
        instance = Instance(*held)
        seen(instance, 10_000_000)

        assert instance.trips <= 4 + 17, held
