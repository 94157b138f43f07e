"""What outlives a run: which clusters we made, whose they are now, and where their kubeconfig and ledger lie.

One folder per cluster in the state directory. A run holds a lock in it as long as it uses the cluster; the kernel drops
the lock of a process that was killed, so a record without a lock is a leftover, or a cluster kept on purpose.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from harness.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Record:
    """One cluster that we made. `stage` is "creating" until it has been handed out once, then "ready"."""

    name: str
    pid: int
    stage: str
    kept: bool
    config_hash: str
    made_at: str

    @classmethod
    def of(cls, name: str, config_hash: str, *, kept: bool, stage: str) -> Record:
        """Return the record of a cluster that is in the hands of this process from now on."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(name=name, pid=os.getpid(), stage=stage, kept=kept, config_hash=config_hash, made_at=now)


class Place:
    """The folder of one cluster name in the state directory."""

    def __init__(self, state_dir: Path, name: str) -> None:
        self.name = name
        self.folder = state_dir / name
        self._lock: IO[str] | None = None

    @property
    def kubeconfig(self) -> Path:
        """The cluster's own kubeconfig; nobody else's is ever touched."""
        return self.folder / "kubeconfig.yaml"

    @property
    def rendered(self) -> Path:
        """The configuration that k3d is started with."""
        return self.folder / "k3d-config.yaml"

    @property
    def ledger(self) -> Path:
        """Where faults are written down before they are injected, to be found by the next run."""
        return self.folder / "faults.jsonl"

    @property
    def log(self) -> Path:
        """What k3d and docker said."""
        return self.folder / "k3d.log"

    def claim(self) -> None:
        """Take the cluster's name for this process until ``yield_up`` or the process's end, however it ends.

        Raises ProviderError, naming the process, when another one uses it.
        """
        if self._lock is not None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = (self.folder / "lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise ProviderError(f"state directory {self.folder} cannot be used: {error}; set E2E_STATE_DIR") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise ProviderError(
                f"cluster {self.name} is in use by another run (process {holder}): wait for it, or give --cluster-name"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def is_free(self) -> bool:
        """Whether no process has claimed the name."""
        try:
            with (self.folder / "lock").open("a", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # claimed, or nothing that we may open
            return False
        return True

    def end_orphans(self) -> None:
        """End a k3d of ours that still works for a run that was killed; only for the holder of the name.

        It is known by our own rendered configuration among its arguments. Elsewhere than on Linux there is no telling.
        """
        mark = str(self.rendered).encode()
        for cmdline in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):  # it ended meanwhile, or is not ours to look at
                if mark in cmdline.read_bytes().split(b"\0"):
                    os.kill(int(cmdline.parent.name), signal.SIGKILL)

    def yield_up(self) -> None:
        """Let others take the name; harmless when it was not taken."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def read(self) -> Record | None:
        """Return what the last run wrote down; None when there is nothing, or nothing readable."""
        try:
            return Record(**json.loads((self.folder / "cluster.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None  # unreadable is as good as lost: the cluster's own labels still say that it is ours

    def write(self, record: Record) -> None:
        """Write the record down, whole or not at all."""
        fresh = self.folder / "cluster.json.new"
        try:
            fresh.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
            fresh.replace(self.folder / "cluster.json")
        except OSError as error:
            raise ProviderError(f"state directory {self.folder} cannot be written: {error}") from error

    def forget(self) -> None:
        """Remove everything but the lock and the log: the cluster is gone."""
        names = ("cluster.json", "cluster.json.new", "k3d-default-kubeconfig.yaml")
        for path in (*(self.folder / name for name in names), self.rendered, self.kubeconfig, self.ledger):
            path.unlink(missing_ok=True)


def left_behind(state_dir: Path, name: str) -> list[Record]:
    """Return the records of clusters under other names than `name` that killed runs left behind."""
    places = [Place(state_dir, folder.name) for folder in sorted(state_dir.glob("*")) if folder.is_dir()]
    records = [(place, place.read()) for place in places if place.name != name]
    return [record for place, record in records if record is not None and not record.kept and place.is_free()]
