"""Acknowledged writes that are no longer there, by identity, against the final sweep of every instance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.checkers.verdict import Verdict
from harness.history.history import History
from harness.history.records import FAIL, INFO, MICRO, OK, SeatSweep

MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LostWrites(Verdict):
    """How many acknowledged writes there were, and how many each seat lacks."""

    acknowledged: int
    lost: dict[str, int]


class _Ops:
    """Sets of (writer, sequence): one byte an element, so that they are quick to fill and to subtract as wholes."""

    def __init__(self, rows: dict[int, bytes]) -> None:
        self._rows = rows

    def minus(self, other: _Ops) -> dict[int, list[int]]:
        """The elements that `other` does not have, by writer, ascending."""
        left = {}
        for writer, row in sorted(self._rows.items()):
            mine = int.from_bytes(row, "little")
            theirs = int.from_bytes(other._rows.get(writer, b""), "little")
            if missing := mine & ~theirs:
                left[writer] = list(_ones(missing.to_bytes(len(row), "little")))
        return left

    def chosen(self, letters: str) -> _Ops:
        """Those whose byte is one of these letters, where every byte is an op's outcome."""
        table = bytes(chr(byte) in letters for byte in range(256))
        return _Ops({writer: row.translate(table) for writer, row in self._rows.items()})


def lost_writes(history: History, *, at_most: int = 0) -> LostWrites:
    """Whether every acknowledged write is found, with its own value, on the primary and on each replica.

    Valid if no seat lacks more than `at_most`. Not valid either if something is there that cannot be: a write that had
    certainly failed, one never tried, or another value. Unknown without acknowledged writes, without one primary that
    the Sentinels name, or if an instance could not be read in step with it.
    """
    total = history.writes.counts()[OK]
    if why := _not_judgeable(history, total):
        return LostWrites(
            checker="lost_writes", valid=None, summary=why, acknowledged=total, lost={}, evidence=_unread(history)
        )
    outcomes = _outcomes(history)
    acknowledged = outcomes.chosen(OK)
    lost: dict[str, int] = {}
    evidence: list[str] = []
    impossible = 0
    for sweep in history.sweeps:
        seat = history.instance_name(sweep.instance)
        present = _present(history, sweep)
        missing = acknowledged.minus(present)
        lost[seat] = sum(map(len, missing.values()))
        evidence += _described_losses(history, f"{seat} ({sweep.role})", missing)
        wrong = _impossible(seat, present, outcomes)
        impossible += len(wrong)
        evidence += wrong
    evidence += [
        f"{history.instance_name(each.instance)}: {each.key} {each.field!r} holds {each.value!r}, which nobody wrote"
        for each in history.aliens[:MAX_EXAMPLES]
    ]
    impossible += len(history.aliens)
    worst = max(lost.values())
    summary = f"{total} acknowledged, lost on " + ", ".join(f"{seat} {number}" for seat, number in sorted(lost.items()))
    summary += f" (limit {at_most})" if at_most else ""
    summary += f"; {impossible} things are there that cannot be" if impossible else ""
    return LostWrites(
        checker="lost_writes",
        valid=worst <= at_most and not impossible,
        summary=summary,
        evidence=tuple(evidence),
        acknowledged=total,
        lost=lost,
    )


def _outcomes(history: History) -> _Ops:
    """Every op's outcome at its place; a byte of zero where there was no op."""
    writes = history.writes
    lengths: dict[int, int] = {}
    for writer, sequence in zip(writes.writer, writes.sequence, strict=True):
        if sequence >= lengths.get(writer, 0):
            lengths[writer] = sequence + 1
    rows = {writer: bytearray(length) for writer, length in lengths.items()}
    for writer, sequence, outcome in zip(writes.writer, writes.sequence, writes.outcome, strict=True):
        rows[writer][sequence] = outcome
    return _Ops({writer: bytes(row) for writer, row in rows.items()})


def _not_judgeable(history: History, acknowledged: int) -> str:
    if not acknowledged:
        return "no write was acknowledged: a pass would be vacuous"
    if not history.is_complete:
        return history.why_incomplete
    if not history.sweeps:
        return "there was no final sweep"
    primaries = [sweep for sweep in history.sweeps if sweep.role == "primary" and sweep.named]
    if len(primaries) != 1:
        return f"at the end {len(primaries)} readable instances were primary and named so by the Sentinels"
    if unread := _unread(history):
        return f"{len(unread)} of {len(history.sweeps)} instances could not be read in step with the primary"
    return ""


def _unread(history: History) -> tuple[str, ...]:
    return tuple(
        f"{history.instance_name(sweep.instance)}: " + (sweep.error or "had not caught up with the primary in time")
        for sweep in history.sweeps
        if sweep.error or not sweep.caught_up
    )


def _present(history: History, sweep: SeatSweep) -> _Ops:
    rows: dict[int, bytes] = {}
    for kept in history.kept:
        if kept.instance == sweep.instance and kept.ranges:
            row = bytearray(kept.ranges[-1][1] + 1)
            for first, last in kept.ranges:
                row[first : last + 1] = b"\x01" * (last + 1 - first)
            rows[kept.writer] = bytes(row)
    return _Ops(rows)


def _impossible(seat: str, present: _Ops, outcomes: _Ops) -> list[str]:
    """What the seat holds though it cannot."""
    never = present.minus(outcomes.chosen(OK + FAIL + INFO))
    refused = {writer: set(sequences) for writer, sequences in present.minus(outcomes.chosen(OK + INFO)).items()}
    for writer, sequences in never.items():
        refused[writer] -= set(sequences)
    denied = {writer: sorted(sequences) for writer, sequences in refused.items() if sequences}
    return [
        *(f"{seat}: holds {shown}, never tried" for shown in _ranges_shown(never)),
        *(f"{seat}: holds {shown}, reported as certainly not applied" for shown in _ranges_shown(denied)),
    ]


def _described_losses(history: History, seat: str, missing: dict[int, list[int]]) -> list[str]:
    """One line a writer: which sequences, acknowledged when and by whom."""
    if not missing:
        return []
    wanted = {writer: set(sequences) for writer, sequences in missing.items()}
    writes = history.writes
    when: dict[int, list[int]] = {writer: [] for writer in wanted}
    by: dict[int, set[str]] = {writer: set() for writer in wanted}
    for index in writes.oks():
        writer = writes.writer[index]
        if writer in wanted and writes.sequence[index] in wanted[writer]:
            when[writer].append(writes.completed[index])
            by[writer].add(history.instance_name(writes.instance[index]))
    lines = [
        f"{seat} lacks {len(sequences)} of writer {writer}: {', '.join(_spans(sequences))}; acknowledged "
        f"{min(when[writer]) / MICRO:.3f}..{max(when[writer]) / MICRO:.3f} s by {', '.join(sorted(by[writer]))}"
        for writer, sequences in missing.items()
    ]
    more = len(lines) - MAX_EXAMPLES
    return lines if more <= 0 else [*lines[:MAX_EXAMPLES], f"{seat} lacks writes of {more} more writers"]


def _ranges_shown(found: dict[int, list[int]]) -> list[str]:
    return [f"{', '.join(_spans(sequences))} of writer {writer}" for writer, sequences in found.items()]


def _spans(sequences: list[int]) -> list[str]:
    """Ascending numbers as up to five spans, like 3-17."""
    spans: list[list[int]] = []
    for number in sequences:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    shown = [f"{first}-{last}" if last > first else str(first) for first, last in spans[:MAX_EXAMPLES]]
    return shown if len(spans) <= MAX_EXAMPLES else [*shown, f"and {len(spans) - MAX_EXAMPLES} more stretches"]


def _ones(data: bytes) -> Iterable[int]:
    at = data.find(1)
    while at >= 0:
        yield at
        at = data.find(1, at + 1)
