"""The journals on disk, those of earlier processes of the witness included."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from witness.bodies import BadRequest

#: Journals kept, and their bytes; the oldest ones go first.
KEPT_JOURNALS = 40
KEPT_BYTES = 1 << 30
#: The state of a workload whose process is gone.
ABANDONED = "abandoned"

_ID = re.compile(r"[0-9a-f]{12}")
_MAX_HEADER = 1 << 20


class Shelf:
    """A directory of journals, each named after its workload's id. Its calls block, but not for long."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()  # nothing is deleted while somebody lists

    def path(self, identity: str) -> Path:
        """Where a workload's journal is. Raises BadRequest for what is no id."""
        if not _ID.fullmatch(identity):
            raise BadRequest(f"a workload's id is 12 hexadecimal digits, got {identity[:40]!r}")
        return self._directory / f"{identity}.jsonl"

    def read(self, identity: str, offset: int, limit: int) -> bytes:
        """A part of a journal, empty at its end. Raises FileNotFoundError."""
        with self.path(identity).open("rb") as file:
            file.seek(offset)
            return file.read(limit)

    def abandoned(self) -> list[dict[str, Any]]:
        """The status of each journal as of one whose process is gone, oldest first.

        How far such a workload was nobody knows without reading all of it: it has no counts.
        """
        with self._lock:
            return [
                {
                    "id": path.stem,
                    **_header(path),
                    "state": ABANDONED,
                    "error": None,
                    "now_us": 0,
                    "acknowledged": 0,
                    "last_ok_us": None,
                    "primary": None,
                    "journal_bytes": path.stat().st_size,
                }
                for path in reversed(self._newest_first())
            ]

    def remove(self, identity: str) -> None:
        """Delete a journal. Raises FileNotFoundError."""
        with self._lock:
            self.path(identity).unlink()

    def make_room(self, running: Collection[str]) -> list[str]:
        """Delete the oldest journals of workloads that do not run, so that the disk is bounded; returns their ids."""
        gone, kept_bytes = [], 0
        with self._lock:
            for place, path in enumerate(self._newest_first(), 1):
                kept_bytes += path.stat().st_size
                if path.stem not in running and (place >= KEPT_JOURNALS or kept_bytes > KEPT_BYTES):
                    path.unlink()
                    gone.append(path.stem)
        return gone

    def _newest_first(self) -> list[Path]:
        journals = [path for path in self._directory.glob("*.jsonl") if _ID.fullmatch(path.stem)]
        return sorted(journals, key=lambda path: path.stat().st_mtime, reverse=True)


def _header(path: Path) -> dict[str, Any]:
    """Name and origin as the journal's first line has them; a journal cut before its end has none."""
    with path.open("rb") as file:
        line = file.readline(_MAX_HEADER)
    try:
        header = json.loads(line)
        return {"name": str(header["workload"]["name"]), "origin_ns": int(header["origin_ns"])}
    except (ValueError, KeyError, TypeError):
        return {"name": "", "origin_ns": 0}
