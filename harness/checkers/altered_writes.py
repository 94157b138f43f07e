"""Writes that are not what they were said to be: back from the dead, applied twice, seen and then gone, or nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.checkers.selection import SENTINEL, Seats, by_client, op
from harness.checkers.spans import Span, final_primary, inside, kept_by, minus, shown, size, spans_of, united
from harness.checkers.verdict import Verdict
from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import FAIL, MICRO

MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class AlteredWrites(Verdict):
    """How many writes of each kind there are, each counted once.

    `resurrected`: certainly not applied, but there at the end; or gone from the primary once, and back at the end.
    `duplicated`: acknowledged though the field was there already, or recorded twice. `rolled_back`: seen by a read and
    missing in a later one. `foreign`: there, but written by no writer, or with another value.
    """

    resurrected: int
    duplicated: int
    rolled_back: int
    foreign: int


@dataclass(frozen=True, slots=True)
class _Fall:
    """A read of `writer` that began at `at_us` saw up to `low` where one that ended by `seen_us` had seen `high`."""

    writer: int
    low: int
    high: int
    seen_us: int
    at_us: int
    seen_on: int
    at_on: int
    reader: int | None  # whose reads they were, if it was a Sentinel-aware reader's


def altered_writes(history: History) -> AlteredWrites:
    """Whether no write was resurrected, duplicated or rolled back, and nothing is there that nobody wrote.

    Rolled back is what a Sentinel-aware reader saw and, in a read that began after that one had ended, saw no more; and
    what a read of one seat saw, a later one did not, and the seat does not hold at the end (if it does, the seat was
    only behind for a while: see stale_reads). Of all between the two reads the acknowledged writes and the one seen
    count. All writers are judged. Unknown without acknowledged writes, without an answered read, or if a seat could not
    be swept: then it was not looked for everywhere.
    """
    kept = {sweep.instance: kept_by(history, sweep.instance) for sweep in history.sweeps if not sweep.error}
    writes = history.writes
    mine = dict(by_client(writes, writes.writer, np.ones(len(writes), dtype=bool)))
    denied, denied_lines = _denied(history, kept)
    rolled_back, back, rollback_lines = _rolled_back(history, kept, mine)
    duplicated, duplicated_lines = _duplicated(history, mine)
    foreign, foreign_lines = _foreign(history, kept, mine)
    counts = {
        "resurrected": denied + back,
        "duplicated": duplicated,
        "rolled back": rolled_back,
        "foreign": foreign,
    }
    found = any(counts.values())
    why = _not_judgeable(history)
    summary = ", ".join(f"{number} {name}" for name, number in counts.items())
    return AlteredWrites(
        checker="altered_writes",
        valid=False if found else None if why else True,
        summary=summary if found or not why else why,
        evidence=(*denied_lines, *duplicated_lines, *rollback_lines, *foreign_lines),
        resurrected=denied + back,
        duplicated=duplicated,
        rolled_back=rolled_back,
        foreign=foreign,
    )


def _not_judgeable(history: History) -> str:
    if not history.writes.is_ok.any():
        return "no write was acknowledged: a pass would be vacuous"
    if not history.is_complete:
        return history.why_incomplete
    if not history.sweeps:
        return "there was no final sweep"
    if unread := [history.instance_name(sweep.instance) for sweep in history.sweeps if sweep.error]:
        return f"not swept at the end: {', '.join(unread)}"
    if not history.reads.is_ok.any():
        return "no read was answered, so a rollback would not have been seen"
    return ""


_Kept = dict[int, dict[int, list[Span]]]  # by instance, by writer


def _denied(history: History, kept: _Kept) -> tuple[int, list[str]]:
    """Writes that had certainly failed and are there."""
    writes, lines, total = history.writes, [], 0
    failed = writes.have(FAIL, range(len(writes)))
    for writer, indices in by_client(writes, writes.writer, failed):
        sequences = writes.view(writes.sequence)[indices]
        there = np.zeros(len(indices), dtype=bool)
        for instance, by_writer in kept.items():
            here = inside(sequences, by_writer.get(writer, []))
            there |= here
            if here.any():
                spans = spans_of(np.sort(sequences[here]))
                index = int(indices[here][0])
                lines.append(
                    f"{history.instance_name(instance)}: holds {shown(spans)} of writer {writer}, reported as "
                    f"certainly not applied: {op(writes, index)} met {writes[index].error or 'a refusal'}"
                )
        total += len(np.unique(sequences[there]))
    return total, lines


def _duplicated(history: History, mine: dict[int, Ints]) -> tuple[int, list[str]]:
    writes = history.writes
    again = np.zeros(len(writes), dtype=bool)
    if "again" in writes.labels:
        again = (writes.view(writes.error) == writes.labels.index("again")) & writes.is_ok
    indices = np.flatnonzero(again).tolist()
    found = {(writes.writer[index], writes.sequence[index]) for index in indices}
    lines = [f"{op(writes, index)} was acknowledged, but had been there already" for index in indices[:MAX_EXAMPLES]]
    for writer, all_of_it in mine.items():
        sequences = writes.view(writes.sequence)[all_of_it]
        if (np.diff(sequences) > 0).all():
            continue
        order = np.sort(sequences)
        twice = np.unique(order[1:][np.diff(order) == 0]).tolist()
        found |= {(writer, sequence) for sequence in twice}
        lines += [f"{writer}.{sequence} was recorded more than once" for sequence in twice[:MAX_EXAMPLES]]
    return len(found), lines


def _foreign(history: History, kept: _Kept, mine: dict[int, Ints]) -> tuple[int, list[str]]:
    writes, lines, total = history.writes, [], 0
    tried = {
        writer: spans_of(np.sort(writes.view(writes.sequence)[indices], kind="stable"))
        for writer, indices in mine.items()
    }
    for writer in sorted({writer for by_writer in kept.values() for writer in by_writer}):
        everywhere: list[Span] = []
        for instance, by_writer in kept.items():
            if never := minus(by_writer.get(writer, []), tried.get(writer, [])):
                lines.append(f"{history.instance_name(instance)}: holds {shown(never)} of writer {writer}, never tried")
                everywhere += never
        total += size(united(everywhere))
    lines += [
        f"{history.instance_name(each.instance)}: {each.key} {each.field!r} holds {each.value!r}, which nobody wrote"
        for each in history.aliens[:MAX_EXAMPLES]
    ]
    return total + len({(each.key, each.field) for each in history.aliens}), lines


def _rolled_back(history: History, kept: _Kept, mine: dict[int, Ints]) -> tuple[int, int, list[str]]:
    """How many writes were seen and then gone, how many of these are back on the primary at the end, and which."""
    writes = history.writes
    is_ok = writes.is_ok
    told = {writer: indices[is_ok[indices]] for writer, indices in mine.items()}
    acknowledged = {
        writer: indices[np.argsort(writes.view(writes.sequence)[indices], kind="stable")]
        for writer, indices in told.items()
    }
    ordered = {writer: writes.view(writes.sequence)[indices] for writer, indices in acknowledged.items()}
    primary = final_primary(history)
    gone: dict[int, set[int]] = {}
    back: dict[int, set[int]] = {}
    lines = []
    for fall in _falls(history):
        sequences = np.array([fall.high], dtype=np.int64)
        if fall.writer in acknowledged:
            edges = np.searchsorted(ordered[fall.writer], (fall.low, fall.high), side="right")
            span = slice(int(edges[0]), int(edges[1]))
            known = writes.view(writes.completed)[acknowledged[fall.writer][span]] < fall.at_us
            sequences = np.union1d(ordered[fall.writer][span][known], sequences)
        if fall.reader is None:
            if fall.at_on not in kept:
                continue
            sequences = sequences[~inside(sequences, kept[fall.at_on].get(fall.writer, []))]
        elif primary is not None:
            there = sequences[inside(sequences, kept[primary.instance].get(fall.writer, []))]
            back.setdefault(fall.writer, set()).update(there.tolist())
        if len(sequences):
            gone.setdefault(fall.writer, set()).update(sequences.tolist())
            lines.append(_described(history, fall, sequences))
    if (more := len(lines) - MAX_EXAMPLES) > 0:
        lines = [*lines[:MAX_EXAMPLES], f"and {more} more rollbacks"]
    for writer, sequences_back in back.items():
        if sequences_back and primary is not None:
            spans = spans_of(np.array(sorted(sequences_back), dtype=np.int64))
            seat = history.instance_name(primary.instance)
            lines.append(f"{seat}: {shown(spans)} of writer {writer} had been gone and is there at the end")
    return sum(map(len, gone.values())), sum(map(len, back.values())), lines


def _described(history: History, fall: _Fall, sequences: Ints) -> str:
    who = "reads of one seat" if fall.reader is None else f"reader {fall.reader}"
    return (
        f"{who}: {len(sequences)} of writer {fall.writer} ({shown(spans_of(sequences))}) seen by "
        f"{fall.seen_us / MICRO:.3f} s on {history.instance_name(fall.seen_on)}, gone at {fall.at_us / MICRO:.3f} s "
        f"on {history.instance_name(fall.at_on)}"
    )


def _falls(history: History) -> Iterator[_Fall]:
    """From every Sentinel-aware reader's reads, and from all reads of every seat."""
    reads, seats = history.reads, Seats(history)
    aware = [each.target == SENTINEL for each in history.readers]
    codes = seats.codes(reads.view(reads.instance))
    for writer, indices in by_client(reads, reads.of, reads.is_ok):
        readers = reads.view(reads.reader)[indices]
        for reader in np.unique(readers).tolist():
            if aware[reader]:
                yield from _falls_among(history, writer, indices[readers == reader], reader)
        for code in np.unique(codes[indices]).tolist():
            if code >= 0:
                yield from _falls_among(history, writer, indices[codes[indices] == code], None)


def _falls_among(history: History, writer: int, indices: Ints, reader: int | None) -> Iterator[_Fall]:
    """Where a read saw less than one that had ended before it began; neighbours that still see less are one fall."""
    reads = history.reads
    completed, seen = reads.view(reads.completed)[indices], reads.view(reads.seen)[indices]
    invoked = completed - reads.view(reads.took)[indices]
    ended = np.searchsorted(completed, invoked, side="left")  # so many had ended before this one began
    before = np.append(np.maximum.accumulate(seen), -1)[ended - 1]
    low = seen < before
    begins = np.flatnonzero(low & ~np.concatenate(([False], low[:-1])))
    ends = np.flatnonzero(low & ~np.concatenate((low[1:], [False])))
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        worst = begin + int(np.argmin(seen[begin : end + 1]))
        high = int(before[begin : end + 1].max())
        source = int(np.argmax(seen == high))
        yield _Fall(
            writer,
            low=int(seen[worst]),
            high=high,
            seen_us=int(completed[source]),
            at_us=int(invoked[worst]),
            seen_on=reads.instance[int(indices[source])],
            at_on=reads.instance[int(indices[worst])],
            reader=reader,
        )
