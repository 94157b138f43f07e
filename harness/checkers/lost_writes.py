"""Acknowledged writes that are no longer there, by identity, against the final sweep of every instance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from harness.checkers.selection import Seats, by_client, chosen
from harness.checkers.spans import inside, kept_by, shown, spans_of
from harness.checkers.verdict import Verdict
from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import MICRO

MAX_EXAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LostWrites(Verdict):
    """How many writes were acknowledged to the clients that are judged, and how many of them each seat lacks.

    `by_group` counts what the worst seat lacks of each group of writers, judged or not.
    """

    acknowledged: int
    lost: dict[str, int]
    by_group: dict[str, int] = field(default_factory=dict)


def lost_writes(history: History, *, at_most: int = 0, group: str | None = None) -> LostWrites:
    """Whether every acknowledged write is found, with its own value, on the primary and on each replica.

    Valid if no seat lacks more than `at_most`. Judges the writers of `group`, by default the Sentinel-aware ones (all,
    if there are none); what the others lost is counted and shown all the same. Unknown without acknowledged writes,
    without one primary that the Sentinels name, or if an instance could not be read in step with it.
    """
    writes = history.writes
    acknowledged = writes.is_ok
    judged = chosen(history.writers, group)
    total = int((acknowledged & judged[writes.view(writes.writer)]).sum())
    if why := why_losses_are_unknown(history, total):
        return LostWrites(
            checker="lost_writes", valid=None, summary=why, acknowledged=total, lost={}, evidence=_unread(history)
        )
    missing = _missing(history)
    lost: dict[str, int] = {}
    by_group: dict[str, int] = dict.fromkeys(sorted({each.group for each in history.writers}), 0)
    evidence: list[str] = []
    for sweep in history.sweeps:
        seat, lacks = history.instance_name(sweep.instance), missing[sweep.instance]
        lost[seat] = sum(len(gone) for writer, gone in lacks.items() if judged[writer])
        groups: Counter[str] = Counter()
        for writer, gone in lacks.items():
            groups[history.writers[writer].group] += len(gone)
        by_group = {name: max(number, groups[name]) for name, number in by_group.items()}
        evidence += _described(history, f"{seat} ({sweep.role})", lacks)
    return LostWrites(
        checker="lost_writes",
        valid=max(lost.values()) <= at_most,
        summary=_summary(total, lost, at_most, by_group, {*_groups(history, group)}),
        evidence=tuple(evidence),
        acknowledged=total,
        lost=lost,
        by_group=by_group,
    )


def lost_by_identity(history: History, group: str | None = None) -> Ints:
    """The indices of the acknowledged writes that some swept instance lacks, ascending; of all writers without a group.

    Ask `why_losses_are_unknown` before: where it has an answer this has none.
    """
    judged = np.ones(len(history.writers), dtype=bool) if group is None else chosen(history.writers, group)
    gone = [
        indices for by_writer in _missing(history).values() for writer, indices in by_writer.items() if judged[writer]
    ]
    return np.unique(np.concatenate(gone)) if gone else np.zeros(0, dtype=np.int64)


def _missing(history: History) -> dict[int, dict[int, Ints]]:
    """The indices of the acknowledged writes that each swept instance lacks, by writer."""
    writes = history.writes
    held = {sweep.instance: kept_by(history, sweep.instance) for sweep in history.sweeps}
    missing: dict[int, dict[int, Ints]] = {sweep.instance: {} for sweep in history.sweeps}
    for writer, indices in by_client(writes, writes.writer, writes.is_ok):
        sequences = writes.view(writes.sequence)[indices]
        for instance, by_writer in missing.items():
            gone = indices[~inside(sequences, held[instance].get(writer, []))]
            if len(gone):
                by_writer[writer] = gone
    return missing


def _groups(history: History, group: str | None) -> list[str]:
    judged = chosen(history.writers, group)
    return [each.group for each, is_judged in zip(history.writers, judged.tolist(), strict=True) if is_judged]


def _summary(total: int, lost: dict[str, int], at_most: int, by_group: dict[str, int], judged: set[str]) -> str:
    text = f"{total} acknowledged, lost on " + ", ".join(f"{seat} {number}" for seat, number in sorted(lost.items()))
    text += f" (limit {at_most})" if at_most else ""
    others = [f"{name} {number}" for name, number in by_group.items() if name not in judged]
    return text + (f"; not judged, lost on the worst seat: {', '.join(others)}" if others else "")


def why_losses_are_unknown(history: History, acknowledged: int) -> str:
    """Why nothing can be said of the losses among so many acknowledged writes; empty if it can."""
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


def _described(history: History, seat: str, lacks: dict[int, Ints]) -> list[str]:
    """One line a writer: which sequences, acknowledged when and by whom."""
    writes, seats = history.writes, Seats(history)
    lines = []
    for writer, gone in list(lacks.items())[:MAX_EXAMPLES]:
        sequences = writes.view(writes.sequence)[gone]
        sequences.sort()
        when = writes.view(writes.completed)[gone]
        by = ", ".join(seats.named(writes.view(writes.instance)[gone]))
        lines.append(
            f"{seat} lacks {len(gone)} of writer {writer} ({history.writers[writer].group}): "
            f"{shown(spans_of(sequences))}; acknowledged "
            f"{when.min() / MICRO:.3f}..{when.max() / MICRO:.3f} s by {by}"
        )
    more = len(lacks) - MAX_EXAMPLES
    return lines if more <= 0 else [*lines, f"{seat} lacks writes of {more} more writers"]
