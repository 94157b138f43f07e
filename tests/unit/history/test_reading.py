"""A history file is read as a whole record, or refused with one line that says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.checkers import lost_writes, split_brain, stats, unavailability
from harness.errors import HistoryError
from harness.history import FaultMark, History, finish_journal
from harness.history.records import FIELDS
from tests.unit.history.made import event, file_of, read, role, swept, write
from witness.journal import RECORDS, VERSION

ROWS = [
    *(write(number, 0.01 * number) for number in range(1, 50)),
    role("redis-0", 0.6, "primary"),
    *swept({0: [[1, 49]]}),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a good history's file."""
    return file_of(tmp_path / "good.jsonl", ROWS)


def test_witness_and_harness_agree_on_every_record() -> None:
    """Two programs, one format: the tables of fields are the same, and so is the version."""
    assert {kind: tuple(fields) for kind, fields in RECORDS.items()} == dict(FIELDS)
    assert VERSION == 2


def test_good_file_is_read_back_as_it_was_written(path: Path) -> None:
    """Ops, samples, sweeps and the end line arrive in their fields."""
    history = History.load(path)

    assert history.is_complete
    assert len(history.writes) == 49
    assert history.writes[0]._asdict() == {
        "writer": 0, "sequence": 1, "invoked": 9000, "took": 1000, "outcome": "o", "instance": 0, "error": "",
    }  # fmt: skip
    assert history.roles[0].role == "primary"
    assert [each.role for each in history.sweeps] == ["primary", "replica", "replica"]
    assert history.instance_name(history.writes[0].instance) == "redis-0"


def test_errors_of_failed_ops_are_kept(tmp_path: Path) -> None:
    """The class of an error stands with its op, also across the reader's blocks."""
    rows = [write(n, n / 1000, "f" if n % 2 else "o", error="refused" if n % 2 else "") for n in range(1, 40_000)]

    history = History.load(file_of(tmp_path / "long.jsonl", rows))

    assert history.writes.errors() == {"refused": 20_000}
    assert history.writes[39_998 - 1].error == ""
    assert history.writes[39_999 - 1].error == "refused"
    assert history.writes.counts(range(10)) == {"o": 5, "f": 5}


def test_reads_are_kept_in_columns(tmp_path: Path) -> None:
    """Each is read back as it was written, counted and found by its instant, like writes."""
    rows = [*ROWS[:49], *(read(n, n / 100, by="redis-1") for n in range(1, 50)), read(-1, 0.6, "f", error="timeout")]

    history = History.load(file_of(tmp_path / "reads.jsonl", rows, readers=["redis-1"]))

    assert len(history.reads) == 50
    assert history.reads[0]._asdict() == {
        "reader": 0, "invoked": 9000, "took": 1000, "outcome": "o", "instance": 1, "writer": 0, "expected": 1,
        "seen": 1, "error": "",
    }  # fmt: skip
    assert history.reads.counts() == {"o": 49, "f": 1}
    assert history.reads.errors() == {"timeout": 1}
    assert [each.seen for each in history.reads][-2:] == [49, -1]
    assert list(history.reads.between(100_000, 120_000)) == [9, 10, 11]
    assert len(list(history.reads.oks())) == 49


def test_missing_file_is_named(tmp_path: Path) -> None:
    """No such file: its path and the reason."""
    with pytest.raises(HistoryError, match=r"none\.jsonl: cannot be read: No such file"):
        History.load(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "the file is empty: nothing was recorded"),
        ("\n", "not the header of a history"),
        ("hello\n", "not the header of a history: 'hello'"),
        ('{"format":"another","version":1}\n', "not the header of a history"),
        ('{"format":"redis-e2e-history","version":1}\n', "version 1 of the format, this reader knows 2"),
        ('{"format":"redis-e2e-history","version":2}\n', "the header lacks origin_ns or workload"),
        (
            '{"format":"redis-e2e-history","version":2,"origin_ns":1,"workload":{"writers":[{"group":"a"}]}}\n',
            "describes a writer or reader without 'target'",
        ),
    ],
)
def test_file_without_a_header_is_refused(tmp_path: Path, content: str, line: str) -> None:
    """Empty, of another kind, or of another version: one line says which."""
    (tmp_path / "bad.jsonl").write_text(content)

    with pytest.raises(HistoryError, match=line):
        History.load(tmp_path / "bad.jsonl")


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ('["w",0,7,1', r":20: not a record: "),
        ("[]", "not a record of a known type"),
        ("7", "not a record of a known type: '7'"),
        ('["unheard",1]', "not a record of a known type"),
        ('["w",0,7]', "a 'w' record has 7 fields, this one 2"),
        ('["w",0,7,1,1,"o",0,"x","y"]', "a 'w' record has 7 fields, this one 8"),
        ('["w",0,7,1,1,"x",0]', "impossible value"),
        ('["w",0,"7",1,1,"o",0]', "impossible value"),
        ('["w",-3,7,1,1,"o",0]', "impossible value"),
        ('["w",0,7,1,1,"o",0]', "order of their completion"),
        ("", ":20: not a record"),
        ('["w",1,7,69000,1000,"o",0]', "of a writer or reader that the header does not describe"),
        ('["r",0,1,1,"o",0,0,1,1]', "of a writer or reader that the header does not describe"),
        ('["w",0,7,990000,-990000,"o",0]', "impossible value"),
        ('["w",0,-7,1,1,"o",0]', "a sequence number is negative"),
        ('["health",1,"2",3,4,5]', "lag of a 'health' record cannot be '2'"),
        ('["event",3,1,null,""]', "event of a 'event' record cannot be None"),
        ('["kept",0,0,[[5,3]]]', "ranges of a 'kept' record are not ascending pairs"),
        ('["kept",0,0,[[0,3],[3,4]]]', "ranges of a 'kept' record are not ascending pairs"),
        ('["kept",0,0,[["0",3]]]', "ranges of a 'kept' record are not ascending pairs"),
        ('["end",1,"stopped",{}]', "a record follows the end line"),
    ],
)
def test_damaged_line_is_refused(path: Path, damage: str, line: str) -> None:
    """A line that is no record, in the middle of the file: its number and what is wrong with it."""
    lines = path.read_text().splitlines()
    lines[19] = damage
    path.write_text("\n".join(lines) + "\n")

    with pytest.raises(HistoryError, match=line):
        History.load(path)


@pytest.mark.parametrize("removed", [20, 25, -5])
def test_missing_line_is_noticed(path: Path, removed: int) -> None:
    """The end line counts the records of each kind: a line taken out does not go unnoticed."""
    lines = path.read_text().splitlines()
    del lines[removed]
    path.write_text("\n".join(lines) + "\n")

    with pytest.raises(HistoryError, match=r"holds \d+ '\w+' records where its end line counts \d+"):
        History.load(path)


def test_cut_file_is_never_a_pass(path: Path) -> None:
    """Cut anywhere: either a clear error, or an incomplete history that every complete judgement calls unknown."""
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for size in range(first, len(whole), 41):
        path.write_bytes(whole[:size])

        history = History.load(path)

        assert not history.is_complete
        assert "no end line" in history.why_incomplete
        assert {checker(history).valid for checker in (stats, lost_writes, split_brain, unavailability)} == {None}


def test_recording_that_ended_early_is_incomplete(tmp_path: Path) -> None:
    """An end line with another reason than the drill's own stop: unknown, with that reason."""
    history = History.load(file_of(tmp_path / "early.jsonl", ROWS, ended="journal full"))

    assert not history.is_complete
    assert history.why_incomplete == "the recording ended early: journal full"
    assert lost_writes(history).valid is None


MARK = FaultMark("killed(redis-0)", "inject", 100_000, 101_000, 250)


def test_fault_marks_join_the_journal_and_its_counts(path: Path) -> None:
    """The runner's marks are added before the end line, and counted by it: the file is whole without the runner."""
    finish_journal(path, [MARK, MARK._replace(action="heal", sent=200_000, returned=200_500)])

    history = History.load(path)

    assert history.is_complete
    assert history.fault() == MARK
    assert history.fault("killed", action="heal") is not None
    assert history.fault("paused") is None


def test_fault_marks_join_a_cut_journal(path: Path) -> None:
    """A journal that a kill cut short in a line gets its marks as well, and stays incomplete."""
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b'["sweep"') + 10])
    finish_journal(path, [MARK])

    history = History.load(path)

    assert history.faults == [MARK]
    assert not history.is_complete


def test_no_marks_leave_the_file_alone(path: Path) -> None:
    """Nothing to add, nothing changed."""
    before = path.read_bytes()
    finish_journal(path, [])

    assert path.read_bytes() == before


def test_unavailability_of_an_unfinished_recording_is_unknown_while_open(tmp_path: Path) -> None:
    """A window that had not ended when the recording broke off cannot be judged."""
    rows = [
        *(write(n, 0.01 * n) for n in range(1, 50)),
        *(write(n, 0.01 * n, "f", error="refused") for n in range(50, 90)),
    ]
    history = History.load(file_of(tmp_path / "cut.jsonl", rows, ended=None))

    assert unavailability(history).valid is None
    assert "still open" in unavailability(history).summary


def test_file_is_readable_line_by_line(path: Path) -> None:
    """JSON lines: any tool can read it, and the header explains every record."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert set(lines[0]["records"]) == set(FIELDS)
    assert all(row[0] in lines[0]["records"] for row in lines[1:])
    assert event("sentinel-0", 1, "+sdown")[0] == "event"
