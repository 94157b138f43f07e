"""Reading a history from disk: streaming, strict, with one clear line for whatever is wrong with the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import HistoryError
from harness.history.records import FIELDS, FORMAT, VERSION

CHUNK = 1 << 20
MAX_HEADER = 1 << 20
_WRITE_LENGTHS = frozenset({len(FIELDS["w"]), len(FIELDS["w"]) + 1})  # with its type; without or with an error


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


def read_records(path: Path) -> Iterator[list[list[Any]]]:
    """All records after the header in chunks, each a list whose first value is the type.

    The end line, if there is one, must be the last and must count what precedes it. A file without one is incomplete
    (the witness was killed): then a last line cut short is left out. Whatever else is no record raises HistoryError.
    """
    counts: Counter[str] = Counter()
    ended: list[Any] | None = None
    line = 2
    for block, is_last in _blocks(path):
        rows = _parsed(path, block, line, may_be_cut=is_last)
        plain_writes = len(rows)
        for number, row in _others(rows, line):
            _check(path, number, row)
            plain_writes -= 1
            if row[0] == "end" and ended is None and number == line + len(rows) - 1:
                ended = row
            else:
                counts[row[0]] += 1
        counts["w"] += plain_writes
        line += len(rows)
        if counts["end"] or (ended is not None and rows and rows[-1] is not ended):
            raise HistoryError(f"{path}: a record follows the end line")
        yield rows
    if ended is not None and (wrong := _miscount(counts, ended[3])):
        raise HistoryError(f"{path}: {wrong}: the file was altered or damaged")


def _others(rows: list[Any], first: int) -> Iterator[tuple[int, Any]]:
    """The line number and value of all that is not plainly a write: it is little, so it is looked at closely."""
    for number, row in enumerate(rows, first):
        if type(row) is not list or len(row) not in _WRITE_LENGTHS or row[0] != "w":
            yield number, row


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
