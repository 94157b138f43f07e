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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from airgap.errors import AirgapError

KEY_LENGTH = 16


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
    def locked(self, name: str) -> Iterator[None]:
        """Hold the step's lock; a second builder waits here, then finds the result."""
        with (self.root / "locks" / f"{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
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
                _remove(folder)

    def discard_others(self, keep: Iterable[Path]) -> list[Path]:
        """Remove finished steps that no current recipe asks for; returns them."""
        wanted = set(keep)
        stale = [path for path in (self.root / "steps").glob("*") if path not in wanted]
        for path in stale:
            _remove(path)
        return stale


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    # Go's module cache and some packages hold read-only folders.
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o700)
    shutil.rmtree(folder)
