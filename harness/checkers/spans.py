"""Sets of sequence numbers as ascending stretches (first, last), both included: small however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import SeatSweep

Span = tuple[int, int]
MAX_SHOWN = 5


def spans_of(numbers: Ints) -> list[Span]:
    """The stretches that these numbers form; ascending, repetitions allowed."""
    if not len(numbers):
        return []
    breaks = np.flatnonzero(np.diff(numbers) > 1)
    firsts = numbers[np.concatenate(([0], breaks + 1))]
    lasts = numbers[np.concatenate((breaks, [len(numbers) - 1]))]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def united(spans: Iterable[Span]) -> list[Span]:
    """All that lies in any of them, in any order given."""
    merged: list[Span] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def minus(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in `spans` and in none of `others`; both ascending."""
    left: list[Span] = []
    place = 0
    for first, last in spans:
        while place < len(others) and others[place][1] < first:
            place += 1
        begin, here = first, place
        while here < len(others) and others[here][0] <= last:
            if others[here][0] > begin:
                left.append((begin, others[here][0] - 1))
            begin = others[here][1] + 1
            here += 1
        if begin <= last:
            left.append((begin, last))
    return left


def inside(numbers: Ints, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which of the numbers lie in the stretches; these ascending."""
    if not spans:
        return np.zeros(len(numbers), dtype=bool)
    firsts, lasts = (np.array(each, dtype=np.int64) for each in zip(*spans, strict=True))
    place = np.searchsorted(firsts, numbers, side="right") - 1
    found: NDArray[np.bool_] = (place >= 0) & (numbers <= lasts[place])
    return found


def size(spans: Iterable[Span]) -> int:
    """How many numbers that is."""
    return sum(last - first + 1 for first, last in spans)


def shown(spans: Sequence[Span]) -> str:
    """At most five of them, like ``3-17, 19``."""
    texts = [f"{first}-{last}" if last > first else str(first) for first, last in spans[:MAX_SHOWN]]
    return ", ".join(texts if len(spans) <= MAX_SHOWN else [*texts, f"and {len(spans) - MAX_SHOWN} more stretches"])


def kept_by(history: History, instance: int) -> dict[int, list[Span]]:
    """What a seat held at the end, by writer."""
    return {kept.writer: list(starmap(_span, kept.ranges)) for kept in history.kept if kept.instance == instance}


def final_primary(history: History) -> SeatSweep | None:
    """The sweep of the one instance that was primary at the end and named so by the Sentinels, if it was read."""
    found = [sweep for sweep in history.sweeps if sweep.role == "primary" and sweep.named and not sweep.error]
    return found[0] if len(found) == 1 else None


def _span(first: int, last: int) -> Span:
    return first, last
