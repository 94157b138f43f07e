"""What the node remembers of each fault, on its disk before anything is changed: enough to undo it without the run."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from injector.errors import InjectorError
from injector.node import Node, Process

RECORD = "record.json"
LOCK = "lock"


@dataclass(slots=True)
class Record:
    """One fault on this node. `deadline` and `made` are seconds of time.time(): they must hold after its restart."""

    id: str
    kind: str
    about: str
    plan: dict[str, Any]
    deadline: float
    facts: dict[str, Any] = field(default_factory=dict)
    timer: Process | None = None
    injected: bool = False
    made: float = field(default_factory=time.time)

    def save(self, node: Node) -> None:
        """Write it so that a reader sees the old or the new content, also after a power cut."""
        folder = folder_of(node, self.id)
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f".{RECORD}"
        with fresh.open("w") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(folder / RECORD)

    def forget(self, node: Node) -> None:
        """Remove it with everything that the fault kept beside it."""
        shutil.rmtree(folder_of(node, self.id), ignore_errors=True)


def folder_of(node: Node, identity: str) -> Path:
    """Return the fault's own directory. Raises InjectorError for an id that is no plain word."""
    if not identity.isalnum():
        raise InjectorError(f"{identity!r} is no fault's id")
    return node.state / identity


def load(node: Node, identity: str) -> Record | None:
    """Return the record of a fault, None when there is none."""
    try:
        told = json.loads((folder_of(node, identity) / RECORD).read_text())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InjectorError(f"the record of fault {identity} cannot be read: {error}") from error
    timer = told.pop("timer")
    return Record(**told, timer=Process(**timer) if timer else None)


def everything(node: Node) -> list[Record]:
    """Return all records, the youngest fault first: faults are healed last in, first out."""
    try:
        folders = [each for each in node.state.iterdir() if (each / RECORD).is_file()]
    except FileNotFoundError:
        return []
    records = [record for each in folders if (record := load(node, each.name)) is not None]
    return sorted(records, key=lambda record: record.made, reverse=True)


@contextmanager
def locked(node: Node) -> Iterator[None]:
    """The state of being the only one who injects or heals on this node: a timer may fire at any moment."""
    node.state.mkdir(parents=True, exist_ok=True)
    with (node.state / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def seconds_left(record: Record) -> float:
    """Return how long the fault may last yet."""
    return max(0.0, record.deadline - time.time())
