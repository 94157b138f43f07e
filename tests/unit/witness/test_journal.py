"""The journal on disk: what was recorded is there, whatever the disk and the workload's end do."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path

import pytest

from harness.errors import HistoryError
from harness.history import History
from witness.journal import Journal


def journal(path: Path) -> Journal:
    """Return an empty journal."""
    return Journal(path, max_bytes=1 << 20, workload={"id": "x", "writers": []})


def test_lines_waiting_for_a_busy_disk_survive_the_end_of_the_flusher(tmp_path: Path) -> None:
    """The flusher is cancelled while its lines wait behind a slow write: they are written all the same."""

    async def record() -> None:
        kept = journal(tmp_path / "x.jsonl")
        kept._disk.submit(time.sleep, 0.2)
        kept.add("health", 1, 2, 3, 4, 0)
        flushing = asyncio.create_task(kept.flush())
        await asyncio.sleep(0.02)
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        kept.add("health", 2, 2, 3, 4, 0)
        await kept.end("stopped")

    asyncio.run(record())

    history = History.load(tmp_path / "x.jsonl")
    assert [each.at for each in history.health] == [1, 2]
    assert history.is_complete


def test_full_disk_ends_the_journal_and_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No space left: the error is kept for the workload's status, and the file is never taken for a whole one."""
    write = os.write

    def full(file: int, data: bytes) -> int:
        if len(data) < 2000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    async def record() -> str | None:
        kept = journal(tmp_path / "x.jsonl")
        await kept.flush()
        monkeypatch.setattr(os, "write", full)
        kept.add("health", 1, 2, 3, 4, 0)
        await kept.flush()
        kept.add("health", 2, 2, 3, 4, 0)
        await kept.end("failed")
        return kept.error

    assert asyncio.run(record()) == "journal: No space left on device"
    assert not History.load(tmp_path / "x.jsonl").is_complete


def test_journal_never_overwrites_another(tmp_path: Path) -> None:
    """Two of one name would spoil both."""
    (tmp_path / "x.jsonl").write_text("evidence")

    with pytest.raises(FileExistsError):
        journal(tmp_path / "x.jsonl")
    with pytest.raises(HistoryError):
        History.load(tmp_path / "x.jsonl")
    assert (tmp_path / "x.jsonl").read_text() == "evidence"
