"""What went wrong for the data or for the judging: split brain, losses, TILT, as stretches of time with their words.

Both pictures of a drill, the static and the interactive one, draw these rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from harness.report.record import DrillRecord
from harness.report.wording import since_fault


@dataclass(frozen=True, slots=True)
class Harm:
    """One stretch in the row `row`; `end` None: it had not ended. `words` are short, `telling` is a whole sentence."""

    kind: Literal["overlap", "loss", "tilt"]
    row: str
    start: float
    end: float | None
    words: str
    telling: str


def harms(record: DrillRecord) -> list[Harm]:
    """Return the stretches of a drill, split brain first; empty when nothing of the kind was seen."""
    return [*_overlaps(record), *_losses(record), *_tilts(record)]


def rows(record: DrillRecord) -> list[str]:
    """Return the names of the rows that `harms` needs, without repeating one."""
    return list(dict.fromkeys(harm.row for harm in harms(record)))


def _overlaps(record: DrillRecord) -> Iterator[Harm]:
    for one in record.overlaps:
        number = f"{one.acknowledged_by_stale:,}"
        until = "the end of the recording" if one.end is None else since_fault(record, one.end)
        yield Harm(
            "overlap",
            "two primaries",
            one.start,
            one.end,
            f"{one.stale} beside {one.rightful}: {number} acknowledged by it",
            f"{one.stale} took writes beside the rightful primary {one.rightful}, from"
            f" {since_fault(record, one.start)} to {until}, and acknowledged {number} of them.",
        )


def _losses(record: DrillRecord) -> Iterator[Harm]:
    """One row a group of writers: mostly every instance lacks the same, and bars over each other cannot be read."""
    for group in dict.fromkeys(one.group for one in record.losses):
        of_group = [one for one in record.losses if one.group == group]
        worst = max(of_group, key=lambda one: one.count)
        start, end = min(one.start for one in of_group), max(one.end for one in of_group)
        seats = " and ".join(sorted({one.seat for one in of_group}))
        most = "" if all(one.count == worst.count for one in of_group) else "up to "
        yield Harm(
            "loss",
            f"lost: {group}",
            start,
            end,
            f"{worst.count:,} lost",
            f"{most}{worst.count:,} acknowledged writes of {group} are not on {seats}; they were acknowledged from"
            f" {since_fault(record, start)} to {since_fault(record, end)}.",
        )


def _tilts(record: DrillRecord) -> Iterator[Harm]:
    for one in record.tilts:
        until = "the end of the recording" if one.end is None else since_fault(record, one.end)
        yield Harm(
            "tilt",
            f"TILT {one.sentinel}",
            one.start,
            one.end,
            "judges nothing, does nothing",
            f"{one.sentinel} was in TILT from {since_fault(record, one.start)} to {until}: it distrusted its clock, and"
            " neither judged nor acted.",
        )
