"""What a drill says of a data set that it compares."""

from __future__ import annotations

from typing import cast

from harness.checkers import Verdict
from harness.drill import Dataset
from harness.workload import DatasetVerdict, SeatData, Workload


def seat(error: str | None = None, missing: int = 0) -> SeatData:
    return SeatData("redis-1", None if error else "replica", error, missing, 0, 0, ())


class Answers:
    """A workload whose comparisons are scripted."""

    def __init__(self, *seats: SeatData) -> None:
        self._seats = list(seats)

    def verify_dataset(self, *, keys: int, seed: int) -> DatasetVerdict:
        del seed
        return DatasetVerdict(keys, (self._seats.pop(0),))


def compared(*seats: SeatData) -> tuple[bool, list[Verdict]]:
    verdicts: list[Verdict] = []
    return Dataset(cast("Workload", Answers(*seats)), 1, verdicts).is_whole(), verdicts


def test_an_instance_whose_name_is_not_known_yet_is_asked_again() -> None:
    """Right after its return a pod's name does not resolve: that is no loss of keys."""
    whole, verdicts = compared(seat(error="unresolved"), seat(error="unresolved"), seat())

    assert whole
    assert [verdict.valid for verdict in verdicts] == [True]


def test_missing_keys_are_not_asked_for_again() -> None:
    """A key that is missing once is lost; waiting for it would hide it."""
    whole, verdicts = compared(seat(missing=3), seat())

    assert not whole
    assert [verdict.valid for verdict in verdicts] == [False]
