"""Reading a history from disk: streaming, strict, with one clear line for whatever is wrong with the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import HistoryError
from harness.history.records import FIELDS, FORMAT, VERSION

CHUNK = 1 << 20
MAX_HEADER = 1 << 20

#: What a field of this name must be, in whatever record it stands; the others may be anything or nothing.
_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("number", "instance", "sentinel", "writer", "at", "invoked", "took", "lag", "cpu", "rss"), int),
    **dict.fromkeys(("throttled", "sent", "returned", "uncertainty", "keys"), int),
    **dict.fromkeys(("name", "address", "event", "payload", "state", "action", "key", "field", "value"), str),
    **dict.fromkeys(("run_id", "version", "service", "host", "digest", "reason"), str),
    **dict.fromkeys(("caught_up", "named"), bool),
    "ranges": list,
    "counts": dict,
}
_MAY_BE_NULL = frozenset({("alien", "field"), ("alien", "value")})
#: Records that stand in the order of what they say: as samplers and subscribers got to know it.
_ORDERED = frozenset({"role", "service", "event", "view", "listening", "health", "identity"})


class Split(NamedTuple):
    """Records by how they are stored: ops go into columns, the rest, with its line numbers, is little."""

    writes: list[list[Any]]
    reads: list[list[Any]]
    others: list[tuple[int, Any]]


def split(rows: Iterable[Any], first: int = 0) -> Split:
    """Sort values by what they are; what is not plainly a write or a read is looked at closely by others."""
    writes: list[list[Any]] = []
    reads: list[list[Any]] = []
    others = []
    for number, row in enumerate(rows, first):
        if type(row) is list and row:
            kind, length = row[0], len(row)
            if kind == "w" and 7 <= length <= 8:  # with its type; without or with an error
                writes.append(row)
                continue
            if kind == "r" and 9 <= length <= 10:
                reads.append(row)
                continue
        others.append((number, row))
    return Split(writes, reads, others)


def read_header(path: Path) -> dict[str, Any]:
    """The first line. Raises HistoryError if the file is missing, empty, of another kind or another version."""
    try:
        with path.open("rb") as file:
            line = file.readline(MAX_HEADER)
    except OSError as exc:
        raise HistoryError(f"{path}: cannot be read: {exc.strerror}") from exc
    if not line:
        raise HistoryError(f"{path}: the file is empty: nothing was recorded")
    try:
        header = json.loads(line)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise HistoryError(f"{path}:1: not the header of a history: {_excerpt(line)}")
    if header.get("version") != VERSION:
        raise HistoryError(f"{path}:1: version {header.get('version')!r} of the format, this reader knows {VERSION}")
    if not isinstance(header.get("origin_ns"), int) or not isinstance(header.get("workload"), dict):
        raise HistoryError(f"{path}:1: the header lacks origin_ns or workload")
    return header


def read_records(path: Path) -> Iterator[Split]:
    """All records after the header, in chunks.

    The end line, if there is one, must be the last and must count what precedes it. A file without one is incomplete
    (the witness was killed): then a last line cut short is left out. Whatever else is no record raises HistoryError.
    """
    counts: Counter[str] = Counter()
    latest: dict[str, int] = {}
    ended: list[Any] | None = None
    line = 2
    for block, is_last in _blocks(path):
        rows = _parsed(path, block, line, may_be_cut=is_last)
        if ended is not None and rows:
            raise HistoryError(f"{path}: a record follows the end line")
        found = split(rows, line)
        for number, row in found.others:
            _check(path, number, row)
            _check_order(path, number, row, latest)
            counts[row[0]] += 1
        counts += {"w": len(found.writes), "r": len(found.reads)}
        line += len(rows)
        if counts["end"]:
            if counts.pop("end") > 1 or rows[-1][0] != "end":
                raise HistoryError(f"{path}: a record follows the end line")
            ended = rows[-1]
        yield found
    if ended is not None and (wrong := _miscount(counts, ended[3])):
        raise HistoryError(f"{path}: {wrong}: the file was altered or damaged")


def _blocks(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Whole lines in blocks, header left out; the flag marks the file's unfinished last line."""
    try:
        with path.open("rb") as file:
            file.readline(MAX_HEADER)
            rest = b""
            while data := file.read(CHUNK):
                whole, newline, rest = (rest + data).rpartition(b"\n")
                if newline:
                    yield whole, False
            if rest:
                yield rest, True
    except OSError as exc:
        raise HistoryError(f"{path}: cannot be read: {exc.strerror}") from exc


def _parsed(path: Path, block: bytes, first: int, *, may_be_cut: bool) -> list[Any]:
    if may_be_cut:
        return []  # the end line ends in a newline, so this is the line that a kill cut short
    try:
        rows = json.loads(b"[" + block.replace(b"\n", b",") + b"]")
    except ValueError:
        return _parsed_singly(path, block, first)
    if len(rows) != block.count(b"\n") + 1:
        return _parsed_singly(path, block, first)
    return list(rows)


def _parsed_singly(path: Path, block: bytes, first: int) -> list[Any]:
    rows = []
    for number, line in enumerate(block.split(b"\n"), first):
        try:
            rows.append(json.loads(line))
        except ValueError:
            raise HistoryError(f"{path}:{number}: not a record: {_excerpt(line)}") from None
    return rows


def _check(path: Path, number: int, row: Any) -> None:
    fields = FIELDS.get(row[0]) if isinstance(row, list) and row and isinstance(row[0], str) else None
    if fields is None:
        raise HistoryError(f"{path}:{number}: not a record of a known type: {_excerpt(json.dumps(row).encode())}")
    optional = 1 if row[0] in {"w", "r"} else 0  # an op that ended well carries no error
    if not len(fields) + 1 - optional <= len(row) <= len(fields) + 1:
        raise HistoryError(f"{path}:{number}: a {row[0]!r} record has {len(fields)} fields, this one {len(row) - 1}")
    for field, value in zip(fields, row[1:], strict=False):
        wanted = _TYPES.get(field)
        if wanted is not None and not (type(value) is wanted or ((row[0], field) in _MAY_BE_NULL and value is None)):
            raise HistoryError(f"{path}:{number}: {field} of a {row[0]!r} record cannot be {value!r}")
    if row[0] == "kept" and not _are_ranges(row[3]):
        raise HistoryError(f"{path}:{number}: ranges of a 'kept' record are not ascending pairs: {row[3]!r:.80}")


def _are_ranges(ranges: list[Any]) -> bool:
    """Whether they are pairs of numbers, each above the one before."""
    last = -1
    for each in ranges:
        if type(each) is not list or len(each) != 2 or type(each[0]) is not int or type(each[1]) is not int:
            return False
        if not last < each[0] <= each[1]:
            return False
        last = each[1]
    return True


def _check_order(path: Path, number: int, row: list[Any], latest: dict[str, int]) -> None:
    kind = row[0]
    if kind in _ORDERED:
        known = row[2] + row[3] if kind in {"role", "service"} else row[1 if kind == "health" else 2]
        if known < latest.get(kind, known):
            raise HistoryError(f"{path}:{number}: a {kind!r} record is older than the one before it: lines were moved")
        latest[kind] = known


def _miscount(counts: Counter[str], promised: Any) -> str:
    """What the end line counts otherwise; empty if nothing."""
    if not isinstance(promised, dict):
        return "the end line has no counts"
    for kind in sorted({*counts, *promised}):
        if counts.get(kind, 0) != promised.get(kind, 0):
            return f"holds {counts.get(kind, 0)} {kind!r} records where its end line counts {promised.get(kind, 0)}"
    return ""


def _excerpt(line: bytes) -> str:
    text = line[:80].decode("utf-8", "replace").strip()
    return repr(text + ("..." if len(line) > len(text) + 1 else ""))
