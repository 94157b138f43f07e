"""The writes of a history, in columns: 24 bytes an op, so that ten million fit in memory and are walked quickly."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress
from operator import le
from typing import Any

from harness.history.records import OK, Write

_IS_OK = bytes(byte == ord(OK) for byte in range(256))


class Writes:
    """All ops in the order of their completion. Columns are parallel: one index, one op."""

    def __init__(self) -> None:
        self.writer = array("H")
        self.sequence = array("L")
        self.completed = array("q")
        self.took = array("q")
        self.instance = array("h")
        self.outcome = bytearray()
        self._errors: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.outcome)

    def __getitem__(self, index: int) -> Write:
        took = self.took[index]
        return Write(
            self.writer[index],
            self.sequence[index],
            self.completed[index] - took,
            took,
            chr(self.outcome[index]),
            self.instance[index],
            self._errors.get(index, ""),
        )

    def __iter__(self) -> Iterator[Write]:
        return (self[index] for index in range(len(self)))

    def extend(self, rows: Sequence[list[Any]]) -> None:
        """Append records as they stand in the file, type first. Raises ValueError, TypeError or OverflowError."""
        if not rows:
            return
        first = len(self)
        _, writer, sequence, invoked, took, outcome, instance = list(zip(*rows, strict=False))[:7]
        letters = "".join(outcome).encode()
        if letters.strip(b"ofi") or len(letters) != len(rows):
            raise ValueError("an outcome is none of o, f, i")
        self.writer.extend(writer)
        self.sequence.extend(sequence)
        self.took.extend(took)
        self.completed.extend(map(int.__add__, invoked, took))
        self.instance.extend(instance)
        self.outcome.extend(letters)
        for index, row in enumerate(rows, first):
            if len(row) > 7:
                self._errors[index] = str(row[7])
        if not all(map(le, self.completed[max(0, first - 1) : -1], self.completed[max(1, first) :])):
            raise ValueError("ops do not stand in the order of their completion")

    def between(self, begin_us: int, end_us: int) -> range:
        """The indices of the ops completed in [begin, end]."""
        return range(bisect_left(self.completed, begin_us), bisect_right(self.completed, end_us))

    def oks(self) -> Iterator[int]:
        """The indices of the acknowledged ops."""
        letter, find = ord(OK), self.outcome.find
        index = find(letter)
        while index >= 0:
            yield index
            index = find(letter, index + 1)

    def of_oks(self, column: array[int]) -> Iterator[int]:
        """The values of a column of which the op was acknowledged."""
        return compress(column, self.outcome.translate(_IS_OK))

    def counts(self, indices: range | None = None) -> Counter[str]:
        """How many ops had which outcome."""
        letters = bytes(self.outcome if indices is None else self.outcome[indices.start : indices.stop])
        return Counter({letter: number for letter in "ofi" if (number := letters.count(letter.encode()))})

    def errors(self, indices: range | None = None) -> Counter[str]:
        """How many ops met which class of error."""
        if indices is None:
            return Counter(self._errors.values())
        return Counter(self._errors[index] for index in indices if index in self._errors)
