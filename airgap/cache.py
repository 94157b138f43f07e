"""The cache outside the checkout: content-addressed, written by rename, locked.

Layout under the root (``E2E_CACHE_DIR``, else ``$XDG_CACHE_HOME`` or
``~/.cache`` followed by ``redis-sentinel-e2e``)::

    steps/<name>-<key>/   one finished step; appears by rename, never changes
    logs/<name>.log       what the last run of the step printed
    locks/<name>.lock     held while the step is looked up and built
    tmp/<name>-<pid>/     work in progress; a killed run's are swept
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from airgap.errors import AirgapError

KEY_LENGTH = 16
LOCK_POLL = 0.2
"""Seconds between two tries for a lock that another run holds."""

KEPT_OLDER = 2
"""Entries of earlier sources that are kept for each step: going back to them is free."""

KEPT_SECONDS = 3600.0
"""An entry used within this time is kept whatever its number: another run may be about to mount it."""


def digest(parts: Iterable[str | Path]) -> str:
    """Hex digest of the content of all parts, in order.

    A string stands for itself; a file for its content and its executable bit;
    a folder for every file in it with its relative path. A path that does not
    exist is a part too: its appearance changes the digest.
    """
    total = hashlib.sha256()
    for part in parts:
        for line in _described(part):
            total.update(line)
    return total.hexdigest()[:KEY_LENGTH]


def _described(part: str | Path) -> Iterator[bytes]:
    if isinstance(part, str):
        yield _framed("text", part.encode())
    elif part.is_dir():
        for path in sorted(part.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield _framed(f"file {path.relative_to(part)} {os.access(path, os.X_OK)}", path.read_bytes())
    elif part.is_file():
        yield _framed(f"file {part.name} {os.access(part, os.X_OK)}", part.read_bytes())
    else:
        yield _framed(f"absent {part.name}", b"")


def _framed(label: str, content: bytes) -> bytes:
    return f"{label} {len(content)}\n".encode() + content


def default_root() -> Path:
    """Where the cache lives when nobody says otherwise."""
    chosen = os.environ.get("E2E_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "redis-sentinel-e2e"


@dataclass(frozen=True, slots=True)
class Cache:
    """Finished steps by name and key."""

    root: Path

    def entry(self, name: str, key: str) -> Path:
        """Where the finished step is, or will be."""
        return self.root / "steps" / f"{name}-{key}"

    def log(self, name: str) -> Path:
        """The log of the last time the step was really run."""
        return self.root / "logs" / f"{name}.log"

    def create(self) -> None:
        """Make the folders; one clear error where that is not possible."""
        try:
            for folder in ("steps", "logs", "locks", "tmp"):
                (self.root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AirgapError(
                f"cannot write the cache {self.root}: {error.strerror}; set E2E_CACHE_DIR to a writable folder"
            ) from error

    @contextlib.contextmanager
    def locked(self, name: str, abandoned: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Hold the step's lock; a second builder waits here, then finds the result.

        Raises AirgapError when ``abandoned`` says that nobody waits any more.
        """
        with (self.root / "locks" / f"{name}.lock").open("w") as handle:
            while not _taken(handle.fileno()):
                if abandoned():
                    raise AirgapError(f"gave up waiting for another run that builds {name}")
                time.sleep(LOCK_POLL)
            yield

    @contextlib.contextmanager
    def workspace(self, name: str) -> Iterator[Path]:
        """An empty folder on the cache's file system, removed whatever happens."""
        folder = self.root / "tmp" / f"{name}-{os.getpid()}"
        _remove(folder)
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            _remove(folder)

    def publish(self, output: Path, name: str, key: str) -> Path:
        """Make a complete output visible in one instant."""
        entry = self.entry(name, key)
        output.rename(entry)
        return entry

    def sweep(self) -> None:
        """Remove the work in progress of processes that are gone."""
        for folder in (self.root / "tmp").glob("*-*"):
            pid = folder.name.rpartition("-")[2]
            if pid.isdigit() and not Path("/proc", pid).exists():
                with contextlib.suppress(FileNotFoundError):  # another run sweeps as well
                    _remove(folder)

    def touch(self, entries: Iterable[Path]) -> None:
        """Note that these entries were used now."""
        for entry in entries:
            os.utime(entry)

    def discard(self, current: Iterable[Path], *, older: int = KEPT_OLDER, seconds: float = KEPT_SECONDS) -> list[Path]:
        """Remove entries that the current sources do not ask for; returns them.

        Of each step, the ``older`` used last stay, those used within
        ``seconds``, and what a running container has mounted.
        """
        wanted = set(current)
        others: dict[str, dict[Path, float]] = {}
        for path in (self.root / "steps").glob("*-*"):
            with contextlib.suppress(FileNotFoundError):  # another run tidies up as well
                if path not in wanted:
                    others.setdefault(path.name.rpartition("-")[0], {})[path] = path.stat().st_mtime
        removed = []
        for paths in others.values():
            for path, used in sorted(paths.items(), key=lambda item: item[1], reverse=True)[older:]:
                if time.time() - used > seconds and not _mounted(path) and self._retire(path):
                    removed.append(path)
        return removed

    def _retire(self, entry: Path) -> bool:
        """Remove an entry, out of sight first: nobody may find one that is half gone. False if another run did."""
        place = self.root / "tmp" / f"{entry.name}-{os.getpid()}"
        try:
            entry.rename(place)
        except FileNotFoundError:
            return False
        _remove(place)
        return True


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _mounted(entry: Path) -> bool:
    """Whether any process sees the entry as a mount, such as those of a cluster's nodes."""
    mark = f"steps/{entry.name} "
    for table in Path("/proc").glob("[0-9]*/mountinfo"):
        try:
            if mark in table.read_text():
                return True
        except OSError:  # the process ended, or is not ours to look at
            continue
    return False


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    # Go's module cache and some packages hold read-only folders.
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o700)
    shutil.rmtree(folder)
