"""A history: everything that one workload recorded, loaded from its file and ready for the checkers."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from harness.errors import HistoryError
from harness.history.columns import Reads, Writes
from harness.history.reader import Split, read_header, read_records, split
from harness.history.records import (
    MICRO,
    Alien,
    Digest,
    DnsAnswer,
    End,
    FaultMark,
    Health,
    Identity,
    Instance,
    Kept,
    Listening,
    ReaderInfo,
    RoleSample,
    SeatSweep,
    SentinelEvent,
    ServiceSample,
    View,
    WriterInfo,
)


@dataclass(slots=True)
class History:
    """One workload's record. Read-only by convention once loaded; times count from its origin."""

    name: str
    path: Path | None
    origin_ns: int
    wall: str
    workload: dict[str, Any]
    writers: tuple[WriterInfo, ...]
    readers: tuple[ReaderInfo, ...]
    writes: Writes = field(default_factory=Writes)
    reads: Reads = field(default_factory=Reads)
    instances: dict[int, Instance] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    roles: list[RoleSample] = field(default_factory=list)
    events: list[SentinelEvent] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    listening: list[Listening] = field(default_factory=list)
    health: list[Health] = field(default_factory=list)
    faults: list[FaultMark] = field(default_factory=list)
    sweeps: list[SeatSweep] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    aliens: list[Alien] = field(default_factory=list)
    services: list[ServiceSample] = field(default_factory=list)
    dns: list[DnsAnswer] = field(default_factory=list)
    digests: list[Digest] = field(default_factory=list)
    end: End | None = None

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a history file once, streaming. Raises HistoryError with one clear line if it is not a whole record.

        A file without its end line (the witness was killed) loads: see :attr:`is_complete`.
        """
        header = read_header(path)
        history = cls._from_header(header, path)
        collects = gc.isenabled()
        gc.disable()  # a quarter of the time went into looking for cycles among lists of numbers
        try:
            for found in read_records(path):
                history.take(found)
        except (ValueError, TypeError, OverflowError) as exc:
            raise HistoryError(f"{path}: a record holds an impossible value: {exc}") from exc
        finally:
            if collects:
                gc.enable()
        return history

    @classmethod
    def from_records(cls, header: dict[str, Any], rows: Iterable[list[Any]]) -> Self:
        """A history from values instead of a file; for histories made up by tests."""
        history = cls._from_header(header, None)
        history.take(split(rows))
        return history

    @property
    def is_complete(self) -> bool:
        """Whether it ended as it should, with everything recorded; checkers judge an incomplete one as unknown."""
        return self.end is not None and self.end.reason == "stopped"

    @property
    def why_incomplete(self) -> str:
        """One line for a reader; empty if complete."""
        if self.end is None:
            return "the history has no end line: the witness was killed or the file cut, so the last part is missing"
        return "" if self.is_complete else f"the recording ended early: {self.end.reason}"

    def instance_name(self, index: int) -> str:
        """The seat's or Sentinel's name; ``nobody`` for an op that reached no instance."""
        return self.instances[index].name if index in self.instances else "nobody"

    def name_at(self, address: str) -> str:
        """The name of the instance that listens at ``host:port``, or the address itself."""
        return next((each.name for each in self.instances.values() if each.address == address), address)

    def fault(self, name: str = "", action: str = "inject") -> FaultMark | None:
        """The first fault mark with this action whose name begins with `name`."""
        return next((each for each in self.faults if each.action == action and each.name.startswith(name)), None)

    def largest_lag_us(self, begin_us: int, end_us: int) -> int:
        """The witness's worst event-loop lag that touches [begin, end]; microseconds."""
        return max(
            (each.lag for each in self.health if each.at >= begin_us and each.at - each.lag <= end_us), default=0
        )

    def largest_throttling_us(self, begin_us: int, end_us: int) -> int:
        """The most that the kernel kept the witness from running between two health records touching [begin, end].

        It lies somewhere between the two records, in pieces, so no single pause was longer. In microseconds.
        """
        worst = before = 0
        for each in self.health:
            if each.at >= begin_us and before <= end_us:
                worst = max(worst, each.throttled)
            before = each.at
        return worst

    @property
    def duration_s(self) -> float:
        """From the origin to the last op or to the end."""
        last = self.writes.completed[-1] if len(self.writes) else 0
        return max(last, self.end.at if self.end else 0) / MICRO

    @classmethod
    def _from_header(cls, header: dict[str, Any], path: Path | None) -> Self:
        workload = header["workload"]
        try:
            writers = tuple(
                WriterInfo(each["group"], each["target"], float(each["rate"]), int(each["wait"]))
                for each in workload.get("writers", ())
            )
            readers = tuple(
                ReaderInfo(each["group"], each["target"], float(each["rate"])) for each in workload.get("readers", ())
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise HistoryError(f"{path}:1: the header describes a writer or reader without {exc}") from exc
        name = str(workload.get("name") or (path.stem if path else ""))
        return cls(name, path, header["origin_ns"], str(header.get("wall", "")), workload, writers, readers)

    def take(self, found: Split) -> None:
        """Append records as they stand in a file. Raises ValueError, TypeError or OverflowError."""
        self.writes.extend(found.writes)
        self.reads.extend(found.reads)
        highest_writer = max(self.writes.writer[len(self.writes) - len(found.writes) :], default=-1)
        highest_reader = max(self.reads.reader[len(self.reads) - len(found.reads) :], default=-1)
        if highest_writer >= len(self.writers) or highest_reader >= len(self.readers):
            raise ValueError("an op is of a writer or reader that the header does not describe")
        kinds = self._kinds()
        for _, row in found.others:
            kind = row[0]
            if kind == "instance":
                self.instances[row[1]] = Instance(*row[1:])
            elif kind == "end":
                self.end = End(*row[1:])
            else:
                collected, record = kinds[kind]
                collected.append(record(*row[1:]))

    def _kinds(self) -> dict[str, tuple[list[Any], type]]:
        return {
            "identity": (self.identities, Identity),
            "role": (self.roles, RoleSample),
            "event": (self.events, SentinelEvent),
            "view": (self.views, View),
            "listening": (self.listening, Listening),
            "health": (self.health, Health),
            "fault": (self.faults, FaultMark),
            "sweep": (self.sweeps, SeatSweep),
            "kept": (self.kept, Kept),
            "alien": (self.aliens, Alien),
            "service": (self.services, ServiceSample),
            "dns": (self.dns, DnsAnswer),
            "digest": (self.digests, Digest),
        }
