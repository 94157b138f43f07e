"""What a run leaves on disk: ``reports/<run-id>/`` with its report, histories and logs, and the link ``latest`` to it.

Nothing here knows Kubernetes, Redis or pytest. Whatever the file system refuses comes out as one ArtifactError that
names the file, the reason and what to do.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.errors import HarnessError

LATEST = "latest"
LONGEST_NAME = 120  # of one path component; file systems allow 255 bytes, archives and other tools often less


class ArtifactError(HarnessError):
    """A file or directory of the run could not be written."""


@dataclass(frozen=True, slots=True)
class Run:
    """One pytest session and the directory that it fills."""

    run_id: str
    directory: Path
    started_at: datetime

    @property
    def report_html(self) -> Path:
        """The page for people."""
        return self.directory / "report.html"

    @property
    def junit_xml(self) -> Path:
        """The results for continuous integration."""
        return self.directory / "junit.xml"

    @property
    def run_json(self) -> Path:
        """Everything the page shows, for programs: docs/run-json.md."""
        return self.directory / "run.json"

    @property
    def faults(self) -> Path:
        """The ledger of injected faults."""
        return self.directory / "faults.jsonl"

    @property
    def history(self) -> Path:
        """Directory of the drills' histories."""
        return self.directory / "history"

    @property
    def logs(self) -> Path:
        """Directory of logs and of what was saved when a test failed."""
        return self.directory / "logs"

    def history_of(self, test_id: str) -> Path:
        """Return the history file of the drill with this test id; the file itself is the caller's to write."""
        return self.history / f"{file_name(test_id)}.jsonl"

    def dump_of(self, test_id: str) -> Path:
        """Return the directory, not yet made, for what is saved when this test fails."""
        return self.logs / file_name(test_id)

    def relative(self, path: Path) -> str:
        """Return `path` as the report's links have it: relative to the run's directory where it lies inside."""
        absolute = Path(os.path.abspath(path))  # noqa: PTH100  resolve() would follow `latest`
        return Path(os.path.relpath(absolute, self.directory)).as_posix()


def create_run(root: Path) -> Run:
    """Make a run's directory under `root` and let ``latest`` point to it.

    ``latest`` moves at the start, so that after a killed run nobody takes the report of the run before for its own.
    Raises ArtifactError when the directory cannot be made.
    """
    root = Path(os.path.abspath(root))  # noqa: PTH100  a `reports` that is itself a link stays what the user made it
    started_at = datetime.now(UTC)
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
    while True:
        run_id = new_run_id(started_at)
        run = Run(run_id, root / run_id, started_at)
        with writing(run.directory):
            try:
                run.directory.mkdir()
            except FileExistsError:
                continue
            run.history.mkdir()
            run.logs.mkdir()
        point_latest_to(run)
        return run


def new_run_id(started_at: datetime) -> str:
    """Return an id that sorts by time and is unique among runs started within one second."""
    return f"{started_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def point_latest_to(run: Run) -> None:
    """Let ``latest`` beside the run's directory point to it; a reader sees the old or the new target, never none."""
    link = run.directory.parent / LATEST
    fresh = link.with_name(f".{LATEST}-{run.run_id}")
    with writing(link):
        if link.is_dir() and not link.is_symlink():
            raise ArtifactError(f"cannot write {link}: a directory of that name is in the way; move it aside")
        fresh.symlink_to(run.directory.name)
        fresh.replace(link)


def file_name(text: str) -> str:
    """Return `text` (a test id, a pod's name) as one readable path component, distinct for distinct texts."""
    name = re.sub(r"[^A-Za-z0-9.=-]+", "_", text.removesuffix(".py")).strip("._") or "unnamed"
    name = name.replace("tests_", "", 1) if name.startswith("tests_") else name
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}-{digest}"


def write_text(path: Path, text: str) -> Path:
    """Write a whole file at once: readers see the old text or the new one. Raises ArtifactError."""
    part = path.with_name(f".{path.name}.part")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path


def write_json(path: Path, document: object) -> Path:
    """Write `document` as one JSON file; raises ValueError for numbers that JSON does not know (nan, infinity)."""
    return write_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


class JsonLines:
    """A file of one JSON object a line; every line has left this process when ``write`` returns.

    So it survives a kill of the process, and a line is there whole or not at all. Usable from several threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)

    def write(self, record: Mapping[str, object]) -> None:
        """Append one line. Raises ArtifactError, leaving no half a line behind where the file system lets us."""
        data = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        with self._lock, writing(self.path):
            before = self._file.tell()
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[self._file.write(rest) :]
            except OSError:
                with suppress(OSError):  # the first refusal is the one to tell
                    self._file.truncate(before)
                raise

    def close(self) -> None:
        """Close the file; allowed more than once."""
        with writing(self.path):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into one ArtifactError about `path`."""
    try:
        yield
    except OSError as error:
        raise ArtifactError(f"cannot write {path}: {why_refused(error, path)}") from error


def why_refused(error: OSError, path: Path) -> str:
    """Return the reason of a refused write in words, with what to do about it."""
    reason = error.strerror or type(error).__name__
    if isinstance(error, PermissionError):
        return f"{reason}; make the directory writable or choose another one with --report-dir"
    if "space" in reason.lower() or "quota" in reason.lower():
        return f"{reason}{_free_space(path)}; remove old runs under {path.parent} or choose --report-dir elsewhere"
    return f"{reason}; choose another directory with --report-dir if this one cannot be used"


def _free_space(path: Path) -> str:
    for place in (path, *path.parents):
        if place.exists():
            return f" ({shutil.disk_usage(place).free // 1_000_000} MB free)"
    return ""
