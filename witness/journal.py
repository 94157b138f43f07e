"""The journal on disk: JSON lines, appended as things happen, in the format of ``docs/history-format.md``.

Lines wait in memory for at most `FLUSH_S` and are then handed to the operating system by a thread of their own, so
that a slow disk delays no measurement; whatever was handed over survives a kill -9 of the witness.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

FORMAT = "redis-e2e-history"
VERSION = 2
FLUSH_S = 0.05

#: Every record is a JSON array: its type, then these fields. The header repeats this table, so a file explains itself.
RECORDS: dict[str, list[str]] = {
    "instance": ["number", "name", "address"],
    "identity": ["instance", "at", "run_id", "version"],
    "w": ["writer", "sequence", "invoked", "took", "outcome", "instance", "error"],
    "r": ["reader", "invoked", "took", "outcome", "instance", "writer", "expected", "seen", "error"],
    "role": ["instance", "invoked", "took", "role", "offset", "link", "detail"],
    "service": ["service", "invoked", "took", "instance", "role", "error"],
    "dns": ["host", "at", "took", "addresses", "error"],
    "event": ["sentinel", "at", "event", "payload"],
    "view": ["sentinel", "at", "primary", "epoch", "flags"],
    "listening": ["sentinel", "at", "state", "detail"],
    "health": ["at", "lag", "cpu", "rss", "throttled"],
    "fault": ["name", "action", "sent", "returned", "uncertainty"],
    "sweep": ["instance", "at", "took", "role", "offset", "caught_up", "named", "error"],
    "kept": ["instance", "writer", "ranges"],
    "alien": ["instance", "key", "field", "value"],
    "digest": ["instance", "at", "took", "keys", "digest"],
    "end": ["at", "reason", "counts"],
}


class Journal:
    """One workload's record, from its header to its end line.

    Times in records are microseconds since `origin_ns` (a value of ``time.monotonic_ns`` on this machine).
    """

    def __init__(self, path: Path, *, max_bytes: int, workload: dict[str, Any]) -> None:
        self.path = path
        self.origin_ns = time.monotonic_ns()
        self.size = 0
        self.error: str | None = None
        self._max_bytes = max_bytes
        self._lines: list[str] = []
        self._counts: Counter[str] = Counter()
        self._instances: dict[str, int] = {}
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        header = {
            "format": FORMAT,
            "version": VERSION,
            "origin_ns": self.origin_ns,
            "wall": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "workload": workload,
            "records": RECORDS,
        }
        self._lines.append(json.dumps(header, separators=(",", ":")))

    def now(self) -> int:
        """Microseconds since the journal's origin."""
        return (time.monotonic_ns() - self.origin_ns) // 1000

    def instance(self, name: str, address: str) -> int:
        """The number that stands for an instance in records; its line is written on first use."""
        key = f"{name} {address}"
        if key not in self._instances:
            index = self._instances[key] = len(self._instances)
            self.add("instance", index, name, address)
        return self._instances[key]

    def add(self, kind: str, *values: Any) -> None:
        """Append one record."""
        self._counts[kind] += 1
        self._lines.append(json.dumps((kind, *values), separators=(",", ":")))

    def add_write(
        self, writer: int, sequence: int, *, invoked: int, took: int, outcome: str, instance: int, error: str
    ) -> None:
        """Append a write; as ``add`` but without its cost, for this happens thousands of times a second."""
        self._counts["w"] += 1
        tail = f',"{error}"]' if error else "]"
        self._lines.append(f'["w",{writer},{sequence},{invoked},{took},"{outcome}",{instance}{tail}')

    @property
    def is_full(self) -> bool:
        """Whether the size limit is reached: the workload must stop, so that the record stays whole."""
        return self.size >= self._max_bytes

    async def flush(self) -> None:
        """Hand all waiting lines to the operating system; a failure is kept in `error` and ends the journal."""
        if not self._lines or self.error:
            return
        lines, self._lines = self._lines, []
        # Shielded: a cancellation would otherwise take the lines back out of the queue of a disk that is busy.
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._disk, self._write, lines))

    async def keep_flushing(self) -> None:
        """Flush every `FLUSH_S` until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def end(self, reason: str) -> None:
        """Write the end line, which counts the records of each kind, and close. A journal without it is incomplete."""
        self.add("end", self.now(), reason, dict(self._counts))
        await self.flush()
        await asyncio.get_running_loop().run_in_executor(self._disk, self._close)
        self._disk.shutdown(wait=False)

    def _write(self, lines: list[str]) -> None:
        data = memoryview(("\n".join(lines) + "\n").encode())
        try:
            while data and not self.error:
                written = os.write(self._file, data)
                self.size += written
                data = data[written:]
        except OSError as exc:
            self.error = f"journal: {exc.strerror or exc}"

    def _close(self) -> None:
        os.close(self._file)
