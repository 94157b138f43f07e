"""Keeping a history: the witness's journal becomes a file of the run's own, with the runner's fault marks in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from harness.errors import HistoryError
from harness.history.records import FaultMark

TAIL = 1 << 16


def finish_journal(journal: Path, marks: Iterable[FaultMark]) -> None:
    """Add the fault marks to a fetched journal, before its end line, whose counts then include them.

    The marks come from the runner, the only one to know when a fault was sent; with them the file can be judged again
    without anything else. A journal without an end line (the witness was killed) gets them appended, and stays
    incomplete.
    """
    lines = [json.dumps(["fault", *mark], separators=(",", ":")) for mark in marks]
    if not lines:
        return
    with journal.open("r+b") as file:
        size = file.seek(0, 2)
        start = max(0, size - TAIL)
        file.seek(start)
        tail = file.read()
        whole = tail[: tail.rfind(b"\n") + 1]  # a last line cut short is nobody's record
        at = whole.rfind(b"\n", 0, len(whole) - 1) + 1
        end = _end_record(whole[at:])
        if end is not None:
            counts = end[3]
            counts["fault"] = counts.get("fault", 0) + len(lines)
            lines.append(json.dumps(end, separators=(",", ":")))
        else:
            at = len(whole)
        if not whole:
            raise HistoryError(f"{journal}: not a journal: no line end in its last {TAIL} bytes")
        file.seek(start + at)
        file.truncate()
        file.write(("\n".join(lines) + "\n").encode())


def _end_record(line: bytes) -> list[dict[str, int]] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if isinstance(record, list) and record and record[0] == "end":
        return record
    return None
