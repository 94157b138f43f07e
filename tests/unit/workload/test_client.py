"""The harness's side of the witness: what it sends, what it makes of answers, and what it does when they are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HistoryError, WitnessError
from harness.workload import DatasetVerdict, Deployment, Readers, SeatData, WitnessClient, Workload, Writers
from tests.unit.history.made import file_of, write

DEPLOYMENT = Deployment({"redis-0": "a:1"}, {"sentinel-0": "b:2"}, password="s3cret")  # noqa: S106 - nobody's


class Answering:
    """A transport that answers from a script and remembers what it was asked."""

    def __init__(self, journal: bytes = b"", **changed: Any) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.journal = journal
        self.status = {
            "id": "0123456789ab", "name": "x", "state": "running", "error": None, "origin_ns": 0, "now_us": 9_000_000,
            "acknowledged": 10, "last_ok_us": 8_900_000, "primary": "a:1", "journal_bytes": len(journal),
        } | changed  # fmt: skip

    def __call__(self, method: str, path: str, body: bytes | None) -> bytes:
        self.asked.append((method, path, json.loads(body) if body else None))
        if path == "/clock":
            return b'{"monotonic_ns": 5000000000}'
        if "/journal" in path:
            offset = int(path.partition("offset=")[2].partition("&")[0])
            return self.journal[offset : offset + 1000]
        if path.endswith("/stop"):
            self.status["state"] = "done"
        if path == "/cleanup":
            return b'{"deleted": 3}'
        if path == "/dataset/write":
            return b'{"keys": 5, "primary": "a:1", "replicas": 1}'
        return json.dumps(self.status).encode()

    def paths(self) -> list[str]:
        """What was asked, clock left out."""
        return [f"{method} {path}" for method, path, _ in self.asked if path != "/clock"]


@pytest.fixture
def journal(tmp_path: Path) -> bytes:
    """Return a good journal, longer than one answer."""
    return file_of(tmp_path / "source.jsonl", [write(n, n / 100) for n in range(1, 200)]).read_bytes()


def test_workload_is_started_stopped_fetched_and_cleaned_up(journal: bytes, tmp_path: Path) -> None:
    """In this order, with the file named after the drill."""
    transport = Answering(journal)
    workload = Workload(WitnessClient(transport), DEPLOYMENT, tmp_path / "history")
    with workload.running("tests/drills/test_x.py::test_y[a b]", writers=[Writers(rate=50)]) as recording:
        assert recording.is_writing()

    start = next(body for method, path, body in transport.asked if (method, path) == ("POST", "/workloads"))
    assert start["deployment"]["password"] == DEPLOYMENT.password
    assert start["writers"][0]["rate"] == 50
    assert recording.path == tmp_path / "history" / "tests-drills-test_x.py-test_y-a-b.jsonl"
    assert recording.path.read_bytes() == journal
    assert len(recording.history.writes) == 199
    ends = [path for path in transport.paths() if not path.startswith("GET /workloads/0123456789ab/journal")]
    assert ends[-4:] == [
        "POST /workloads/0123456789ab/stop",
        "GET /workloads/0123456789ab?wait=5",
        "POST /workloads/0123456789ab/forget",
        "POST /cleanup",
    ]


def test_readers_and_services_are_passed_on(journal: bytes, tmp_path: Path) -> None:
    """As the witness wants them; a workload has none by itself."""
    transport = Answering(journal)
    workload = Workload(WitnessClient(transport), DEPLOYMENT, tmp_path)
    with workload.running("x", readers=[Readers("stale", "redis-0")], services={"redis": "redis:6379"}):
        pass
    with workload.running("y"):
        pass

    first, second = [body for method, path, body in transport.asked if (method, path) == ("POST", "/workloads")]
    assert first["readers"] == [{"name": "stale", "target": "redis-0", "connections": 1, "rate": 50.0}]
    assert first["services"] == {"redis": "redis:6379"}
    assert (second["readers"], second["services"]) == ([], {})


def test_history_that_cannot_be_loaded_is_not_forgotten(tmp_path: Path) -> None:
    """What the witness has may be whole where what arrived is not."""
    transport = Answering(b"no journal")
    with pytest.raises(HistoryError), Workload(WitnessClient(transport), DEPLOYMENT, tmp_path).running("x"):
        pass

    assert not [path for path in transport.paths() if path.endswith("/forget")]


@pytest.mark.parametrize("answer", [b"{}", b"<html>", b"[1]", b'[{"id": "x"}]'])
def test_list_that_makes_no_sense_is_an_error(answer: bytes) -> None:
    """As for one workload."""
    with pytest.raises(WitnessError, match="the witness"):
        WitnessClient(lambda *_: answer).workloads()


def test_second_recording_of_a_name_gets_a_file_of_its_own(journal: bytes, tmp_path: Path) -> None:
    """A repeated drill overwrites no evidence."""
    workload = Workload(WitnessClient(Answering(journal)), DEPLOYMENT, tmp_path)
    with workload.running("again"):
        pass
    with workload.running("again") as second:
        pass

    assert second.path.name == "again-2.jsonl"


def test_history_is_not_there_before_the_end(journal: bytes, tmp_path: Path) -> None:
    """Asking too early is an error that says when."""
    running = Workload(WitnessClient(Answering(journal)), DEPLOYMENT, tmp_path).running("x")
    with running as recording, pytest.raises(WitnessError, match="after the `with` block"):
        _ = recording.history


def test_workload_that_ended_by_itself_is_not_writing(journal: bytes, tmp_path: Path) -> None:
    """Waiting for writes of a dead workload would be waiting for ever."""
    transport = Answering(journal)
    with Workload(WitnessClient(transport), DEPLOYMENT, tmp_path).running("x") as recording:
        transport.status |= {"state": "failed", "error": "journal: No space left on device"}
        with pytest.raises(WitnessError, match="ended by itself: journal: No space left"):
            recording.is_writing()
        transport.status |= {"error": None}


def test_failed_workload_is_an_error_that_names_the_file(journal: bytes, tmp_path: Path) -> None:
    """What was recorded is kept, but it is no history to judge by."""
    transport = Answering(journal, error="the witness has a bug: KeyError")
    running = Workload(WitnessClient(transport), DEPLOYMENT, tmp_path).running("x")
    line = r"failed: the witness has a bug: KeyError; what it recorded is in .*x\.jsonl"
    with pytest.raises(WitnessError, match=line), running:
        pass

    assert (tmp_path / "x.jsonl").exists()


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b'{"id": "x"}'])
def test_answer_that_makes_no_sense_is_an_error(answer: bytes) -> None:
    """A proxy's page, or another version's answer."""
    with pytest.raises(WitnessError, match=r"the witness"):
        WitnessClient(lambda *_: answer).status("0123456789ab")


def test_data_set_without_enough_replicas_is_an_error(tmp_path: Path) -> None:
    """A survival drill on a data set that only the primary has would prove nothing."""
    workload = Workload(WitnessClient(Answering()), DEPLOYMENT, tmp_path)

    with pytest.raises(WitnessError, match="1 of 2 replicas confirmed the data set of 5 keys"):
        workload.write_dataset(keys=5)


def seat(**changed: Any) -> SeatData:
    """A seat with all its data, or with these differences."""
    whole = {
        "seat": "redis-0",
        "role": "primary",
        "error": None,
        "missing": 0,
        "different": 0,
        "extra": 0,
        "examples": (),
    }
    return SeatData(**(whole | changed))


def test_data_set_is_whole_only_if_every_seat_has_exactly_it() -> None:
    """Missing, different, extra, unreadable, nobody asked: none of these is whole."""
    assert DatasetVerdict(5, (seat(), seat(seat="redis-1"))).is_whole
    for broken in ({"missing": 1}, {"different": 1}, {"extra": 1}, {"error": "timeout"}):
        verdict = DatasetVerdict(5, (seat(), seat(**broken)))

        assert not verdict.is_whole
        assert len(verdict.explain().splitlines()) == 2
    assert not DatasetVerdict(5, ()).is_whole
