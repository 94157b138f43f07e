"""The ops of a history in columns: some thirty bytes an op, so that ten million fit in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.history.records import OK, Read, Write

_IS_OK = bytes(byte == ord(OK) for byte in range(256))

Op = TypeVar("Op", Write, Read)
Ints = NDArray[np.int64]


class Ops(ABC, Generic[Op]):
    """Ops of one kind in the order of their completion. Columns are parallel: one index, one op.

    They grow while a file is read. For whole-column work :meth:`view` gives one as a numpy array that shares its
    memory; while such a view lives, nothing can be appended.
    """

    #: How many fields an op of this kind has in the file, its type included and its error left out.
    WIDTH = 0

    def __init__(self) -> None:
        self.completed = array("q")
        self.took = array("q")
        self.instance = array("h")
        self.outcome = bytearray()
        self.error = array("H")
        self.labels = [""]  # what the numbers in the column of errors stand for
        self._codes = {"": 0}

    def __len__(self) -> int:
        return len(self.outcome)

    @abstractmethod
    def __getitem__(self, index: int) -> Op:
        """One op as a record."""

    def __iter__(self) -> Iterator[Op]:
        return (self[index] for index in range(len(self)))

    @abstractmethod
    def extend(self, rows: Sequence[list[Any]]) -> None:
        """Append records as they stand in the file, type first. Raises ValueError, TypeError or OverflowError."""

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
        codes = self.error if indices is None else self.error[indices.start : indices.stop]
        numbers = np.bincount(self.view(codes), minlength=1).tolist()
        return Counter({self.labels[code]: number for code, number in enumerate(numbers) if code and number})

    def view(self, column: array[int]) -> Ints:
        """A column as an array; 64-bit ones share its memory, others are copied."""
        return np.frombuffer(column, dtype=column.typecode).astype(np.int64, copy=False) if column else _NOTHING

    @property
    def is_ok(self) -> NDArray[np.bool_]:
        """Which ops were acknowledged, as an array."""
        return self.have(OK, range(len(self)))

    def have(self, outcome: str, indices: range) -> NDArray[np.bool_]:
        """Which of these neighbouring ops had that outcome, as an array."""
        letters = bytes(self.outcome[indices.start : indices.stop])
        found: NDArray[np.bool_] = np.frombuffer(letters, dtype=np.uint8) == ord(outcome)
        return found

    def _extend(self, rows: Sequence[list[Any]], invoked: Any, took: Any, outcome: Any, instance: Any) -> None:
        """The columns that ops of both kinds have; called once the others have taken theirs."""
        first = len(self)
        letters = "".join(outcome).encode()
        if letters.strip(b"ofi") or len(letters) != len(rows):
            raise ValueError("an outcome is none of o, f, i")
        self.took.extend(took)
        self.completed.extend(map(int.__add__, invoked, took))
        self.instance.extend(instance)
        self.outcome.extend(letters)
        self.error.frombytes(self._errors(rows))
        if np.any(np.diff(self.view(self.completed[max(0, first - 1) :])) < 0):
            raise ValueError("ops do not stand in the order of their completion")
        if np.any(self.view(self.took[first:]) < 0):
            raise ValueError("an op ended before it began")

    def _errors(self, rows: Sequence[list[Any]]) -> bytes:
        """The codes of the rows' errors. Few rows have one: the others are not looked at one by one."""
        lengths = np.fromiter(map(len, rows), dtype=np.int8, count=len(rows))
        codes = np.zeros(len(rows), dtype=self.error.typecode)
        for index in np.flatnonzero(lengths > self.WIDTH).tolist():
            codes[index] = self._code(rows[index][self.WIDTH])
        return codes.tobytes()

    def _code(self, label: Any) -> int:
        code = self._codes.get(label)
        if code is None:
            code = self._codes[label] = len(self.labels)
            self.labels.append(str(label))
        return code


class Writes(Ops[Write]):
    """All writes."""

    WIDTH = 7

    def __init__(self) -> None:
        super().__init__()
        self.writer = array("H")
        self.sequence = array("q")

    def __getitem__(self, index: int) -> Write:
        took = self.took[index]
        return Write(
            self.writer[index],
            self.sequence[index],
            self.completed[index] - took,
            took,
            chr(self.outcome[index]),
            self.instance[index],
            self.labels[self.error[index]],
        )

    def extend(self, rows: Sequence[list[Any]]) -> None:
        """Append records as they stand in the file, type first. Raises ValueError, TypeError or OverflowError."""
        if not rows:
            return
        _, writer, sequence, invoked, took, outcome, instance = list(zip(*rows, strict=False))[: self.WIDTH]
        if min(sequence) < 0:
            raise ValueError("a sequence number is negative")
        self.writer.extend(writer)
        self.sequence.extend(sequence)
        self._extend(rows, invoked, took, outcome, instance)


class Reads(Ops[Read]):
    """All reads: `of` is the column of the writers whose writes were looked for."""

    WIDTH = 9

    def __init__(self) -> None:
        super().__init__()
        self.reader = array("H")
        self.of = array("H")
        self.expected = array("q")
        self.seen = array("q")

    def __getitem__(self, index: int) -> Read:
        took = self.took[index]
        return Read(
            self.reader[index],
            self.completed[index] - took,
            took,
            chr(self.outcome[index]),
            self.instance[index],
            self.of[index],
            self.expected[index],
            self.seen[index],
            self.labels[self.error[index]],
        )

    def extend(self, rows: Sequence[list[Any]]) -> None:
        """Append records as they stand in the file, type first. Raises ValueError, TypeError or OverflowError."""
        if not rows:
            return
        _, reader, invoked, took, outcome, instance, of, expected, seen = list(zip(*rows, strict=False))[: self.WIDTH]
        if min(*expected, *seen) < -1:
            raise ValueError("a sequence number is negative")
        self.reader.extend(reader)
        self.of.extend(of)
        self.expected.extend(expected)
        self.seen.extend(seen)
        self._extend(rows, invoked, took, outcome, instance)


_NOTHING: Ints = np.zeros(0, dtype=np.int64)
