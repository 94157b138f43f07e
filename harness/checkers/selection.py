"""Which clients a checker judges, and ops by client: what all checkers of columns begin with."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from harness.history.columns import Ints, Reads, Writes
from harness.history.history import History
from harness.history.records import MICRO, ReaderInfo, WriterInfo

SENTINEL = "sentinel"
_NOBODY = -1


def chosen(clients: Sequence[WriterInfo | ReaderInfo], group: str | None) -> NDArray[np.bool_]:
    """Which clients are judged: those of `group`; by default the Sentinel-aware ones or, if there are none, all.

    What a client pinned to one address meets is that address's fate, not the deployment's.
    """
    if group is not None:
        return np.array([each.group == group for each in clients], dtype=bool)
    aware = np.array([each.target == SENTINEL for each in clients], dtype=bool)
    return aware if aware.any() else np.ones(len(clients), dtype=bool)


def by_client(ops: Writes | Reads, column: array[int], among: NDArray[np.bool_]) -> Iterator[tuple[int, Ints]]:
    """The indices of the ops in `among`, ascending, for each number that stands in `column`."""
    values = ops.view(column)
    wanted = np.flatnonzero(among)
    order = wanted[np.argsort(values[wanted].astype(np.uint16), kind="stable")]
    numbers, starts = np.unique(values[order], return_index=True)
    for place, number in enumerate(numbers.tolist()):
        end = starts[place + 1] if place + 1 < len(starts) else len(order)
        yield number, order[starts[place] : end]


class Seats:
    """Who is meant by an instance's number: one seat may have been reached at several addresses."""

    def __init__(self, history: History) -> None:
        self.names = sorted({each.name for each in history.instances.values()})
        codes = {name: code for code, name in enumerate(self.names)}
        self._table = np.full(max(history.instances, default=-1) + 2, _NOBODY, dtype=np.int64)
        for number, each in history.instances.items():
            self._table[number] = codes[each.name]

    def codes(self, instances: Ints) -> Ints:
        """The places in `names` of these instances; -1 where nobody was reached."""
        known = (instances >= 0) & (instances < len(self._table))
        return self._table[np.where(known, instances, -1)]

    def code(self, name: str) -> int:
        """The place of a name; -2, which is nobody's, if no instance has it."""
        return self.names.index(name) if name in self.names else -2

    def named(self, instances: Ints) -> list[str]:
        """The distinct names of these instances, in order."""
        return [self.names[code] if code >= 0 else "nobody" for code in np.unique(self.codes(instances)).tolist()]


def op(writes: Writes, index: int) -> str:
    """An op as a person finds it again: its identity and when its outcome was known."""
    return f"{writes.writer[index]}.{writes.sequence[index]} ({writes.completed[index] / MICRO:.3f} s)"
