"""Histories made up by tests: a few lines say what happened, the rest is filled in as a healthy witness would."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.history import History
from harness.history.records import FIELDS, FORMAT, VERSION

SEATS = ("redis-0", "redis-1", "redis-2")
SENTINELS = ("sentinel-0", "sentinel-1", "sentinel-2")
#: Numbers of the instances in records: seats first.
NUMBER = {name: number for number, name in enumerate((*SEATS, *SENTINELS))}
S = 1_000_000

Row = list[Any]


def address(name: str) -> str:
    """Where an instance of that name listens."""
    return f"{name}.example:{6379 if name in SEATS else 26379}"


def header(writers: int = 1, target: str = "sentinel", readers: Sequence[str] = (), pinned: int = 0) -> dict[str, Any]:
    """The first line of a history with so many writers, `pinned` more on redis-0, and a reader for each target."""
    described = [{"group": "writer", "target": target, "rate": 100, "wait": 0}] * writers
    described += [{"group": "pinned", "target": "redis-0", "rate": 100, "wait": 0}] * pinned
    reading = [{"group": f"{where}-reader", "target": where, "rate": 100} for where in readers]
    workload = {"id": "0123456789ab", "name": "made-up", "writers": described, "readers": reading}
    records = {kind: list(fields) for kind, fields in FIELDS.items()}
    return {
        "format": FORMAT,
        "version": VERSION,
        "origin_ns": 10**12,
        "wall": "",
        "workload": workload,
        "records": records,
    }


def opening() -> list[Row]:
    """What every recording begins with: the instances, and that all Sentinels are listened to."""
    rows: list[Row] = [["instance", number, name, address(name)] for name, number in NUMBER.items()]
    rows += [["listening", NUMBER[name], 1000, "up", None] for name in SENTINELS]
    rows += [["view", NUMBER[name], 1500, address("redis-0"), 0, "master"] for name in SENTINELS]
    return rows


def write(
    sequence: int, at_s: float, outcome: str = "o", *, by: str = "redis-0", error: str = "", writer: int = 0
) -> Row:
    """An op completed at `at_s`, a millisecond after it began."""
    number = NUMBER.get(by, -1)
    return ["w", writer, sequence, round(at_s * S) - 1000, 1000, outcome, number, *([error] if error else [])]


def read(
    seen: int,
    at_s: float,
    outcome: str = "o",
    *,
    by: str = "redis-0",
    reader: int = 0,
    writer: int = 0,
    expected: int = -1,
    error: str = "",
    took_s: float = 0.001,
) -> Row:
    """A read completed at `at_s`."""
    took = round(took_s * S)
    invoked = round(at_s * S) - took
    tail = [error] if error else []
    return ["r", reader, invoked, took, outcome, NUMBER.get(by, -1), writer, max(expected, seen), seen, *tail]


def samples(seat: str, says: str, first_s: float, last_s: float) -> list[Row]:
    """ROLE samples every 100 ms."""
    return [role(seat, first_s + n / 10, says) for n in range(round((last_s - first_s) * 10) + 1)]


def in_order(*parts: Sequence[Row]) -> list[Row]:
    """Records by their instant, as a journal has them; of one kind only."""
    return sorted((row for part in parts for row in part), key=lambda row: int(row[2]))


def named(seat: str, at_s: float) -> list[Row]:
    """From then on all Sentinels name this seat."""
    return [["view", NUMBER[name], round(at_s * S), address(seat), 1, "master"] for name in SENTINELS]


def digests(**content: str) -> list[Row]:
    """What the seats held at the end: ``redis_0="aa"``; three keys each."""
    return [["digest", NUMBER[seat.replace("_", "-")], 99 * S, 10, 3, value] for seat, value in content.items()]


def role(seat: str, at_s: float, says: str, *, of: str = "redis-0", link: str = "connected") -> Row:
    """A ROLE sample answered within a millisecond, begun at `at_s`."""
    if says == "primary":
        return ["role", NUMBER[seat], round(at_s * S), 1000, "primary", 100, 2, {}]
    if says == "replica":
        return ["role", NUMBER[seat], round(at_s * S), 1000, "replica", 100, link, address(of)]
    return ["role", NUMBER[seat], round(at_s * S), 1000, says, None, None, "refused"]


def stands(seat: str, at_s: float, offset: int, *, of: str = "") -> Row:
    """A ROLE sample of a primary, or of a replica `of` somebody, that stands at this offset; a millisecond long."""
    if of:
        return ["role", NUMBER[seat], round(at_s * S), 1000, "replica", offset, "connected", address(of)]
    return ["role", NUMBER[seat], round(at_s * S), 1000, "primary", offset, 2, {}]


def event(sentinel: str, at_s: float, name: str, payload: str = "") -> Row:
    """An event of a Sentinel."""
    return ["event", NUMBER[sentinel], round(at_s * S), name, payload]


def switch(sentinel: str, at_s: float, old: str, new: str) -> Row:
    """A ``+switch-master``."""
    places = [address(name).split(":") for name in (old, new)]
    return event(sentinel, at_s, "+switch-master", " ".join(["mymaster", *places[0], *places[1]]))


def sweep(
    seat: str,
    kept: dict[int, list[list[int]]],
    *,
    says: str = "primary",
    caught_up: bool = True,
    error: str | None = None,
) -> list[Row]:
    """The final sweep of one seat and what it holds."""
    number = NUMBER[seat]
    found: list[Row] = [["kept", number, writer, ranges] for writer, ranges in kept.items()]
    named = says == "primary"
    return [*found, ["sweep", number, 99 * S, 10, None if error else says, 100, caught_up, named, error]]


def swept(kept: dict[int, list[list[int]]], *, primary: str = "redis-0") -> list[Row]:
    """All three seats swept, all holding the same."""
    return [row for seat in SEATS for row in sweep(seat, kept, says="primary" if seat == primary else "replica")]


def end(rows: Iterable[Row], reason: str = "stopped") -> Row:
    """The end line that fits these records."""
    return ["end", 100 * S, reason, dict(Counter(row[0] for row in rows))]


def history(
    rows: Sequence[Row],
    *,
    writers: int = 1,
    target: str = "sentinel",
    ended: str | None = "stopped",
    readers: Sequence[str] = (),
    pinned: int = 0,
) -> History:
    """A history of these records after the usual opening."""
    everything = [*opening(), *rows]
    closing = [end(everything, ended)] if ended else []
    return History.from_records(header(writers, target, readers, pinned), [*everything, *closing])


def file_of(
    path: Path,
    rows: Sequence[Row],
    *,
    ended: str | None = "stopped",
    writers: int = 1,
    readers: Sequence[str] = (),
    pinned: int = 0,
) -> Path:
    """The same as a file."""
    everything = [*opening(), *rows]
    closing = [end(everything, ended)] if ended else []
    lines = [header(writers, "sentinel", readers, pinned), *everything, *closing]
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    return path
