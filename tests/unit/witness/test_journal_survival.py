"""What is left of a recording when the witness dies, and when it is told to go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.checkers import lost_writes, stats
from harness.clock import Bracket
from harness.errors import WitnessError
from harness.history import History
from tests.unit.processes import Topology, running_topology, wait_until
from tests.unit.witness.local import LocalWitness, deployment_of, running_witness


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """Run a steady one."""
    with running_topology(tmp_path_factory.mktemp("redis"), down_after_ms=5000) as running:
        yield running


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[LocalWitness]:
    """Run one for each test."""
    with running_witness(tmp_path / "witness") as running:
        yield running


def started(witness: LocalWitness, topology: Topology) -> str:
    """Start a workload, let it write, and return its id."""
    identity = witness.client.start({"name": "doomed", "deployment": deployment_of(topology).as_json()}).id
    wait_until(lambda: witness.client.status(identity).acknowledged > 500, 20, "writes")
    return identity


def test_journal_survives_kill_9_of_the_witness(topology: Topology, witness: LocalWitness, tmp_path: Path) -> None:
    """The next witness serves what the killed one had recorded; it is readable, incomplete, and judged unknown."""
    identity = started(witness, topology)
    seen = witness.client.status(identity).acknowledged
    time.sleep(0.15)
    witness.kill()
    witness.start()
    witness.client.fetch_journal(identity, tmp_path / "kept.jsonl")

    history = History.load(tmp_path / "kept.jsonl")

    assert history.writes.counts()["o"] >= seen, "all but the last tenth of a second must be there"
    assert not history.is_complete
    assert "killed" in history.why_incomplete
    assert stats(history).valid is None
    assert lost_writes(history).valid is None


def test_termination_ends_the_journal_properly(topology: Topology, witness: LocalWitness) -> None:
    """SIGTERM: the writers stop, every acknowledged write is on disk, the end line says why."""
    identity = started(witness, topology)
    status = witness.terminate()

    history = History.load(witness.journals / f"{identity}.jsonl")

    assert status == 0
    assert history.end is not None
    assert history.end.reason == "witness terminated"
    assert history.end.counts["w"] == len(history.writes) > 500
    assert not history.is_complete
    assert lost_writes(history).valid is None


def test_drill_that_raises_leaves_its_history(topology: Topology, witness: LocalWitness) -> None:
    """An error in the block goes on unchanged, and names the file in which the evidence is."""

    def drill() -> None:
        with witness.workload_on(topology).running("x") as recording:
            wait_until(lambda: recording.status.acknowledged > 100, 20, "writes")
            raise RuntimeError("the drill failed")

    with pytest.raises(RuntimeError, match="the drill failed") as caught:
        drill()

    path = Path(caught.value.__notes__[0].rpartition(": ")[2])
    history = History.load(path)
    assert len(history.writes) > 100
    assert history.is_complete


def test_witness_that_restarts_in_mid_drill_is_an_error_with_its_history(
    topology: Topology, witness: LocalWitness
) -> None:
    """The workload is gone with the old process: the drill cannot be judged, but what was recorded is fetched."""
    files: list[Path] = []

    def drill() -> None:
        with witness.workload_on(topology).running("interrupted") as recording:
            files.append(recording.path)
            wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")
            recording.mark("nothing", Bracket(time.monotonic(), time.monotonic()))
            time.sleep(0.15)
            witness.kill()
            witness.start()

    with pytest.raises(WitnessError, match="no workload") as caught:
        drill()

    history = History.load(files[0])
    assert str(files[0]) in caught.value.__notes__[0]
    assert history.writes.counts()["o"] >= 300
    assert history.fault("nothing") is not None
    assert not history.is_complete


def test_full_journal_ends_the_workload(topology: Topology, witness: LocalWitness) -> None:
    """The size limit stops the writers rather than the recording: what is there is whole, and says why it ended."""
    spec = {"deployment": deployment_of(topology).as_json(), "writers": [{"rate": 0}], "max_journal_bytes": 65536}
    identity = witness.client.start(spec).id
    status = wait_until(lambda: (now := witness.client.status(identity, wait_s=5)).is_over and now, 30, "the end")

    history = History.load(witness.journals / f"{identity}.jsonl")

    assert status.state == "done"
    assert history.why_incomplete == "the recording ended early: journal full"
    assert history.sweeps, "what was written is still swept"


def test_time_limit_ends_a_forgotten_workload(topology: Topology, witness: LocalWitness) -> None:
    """A runner that died leaves a workload behind: it ends by itself."""
    spec = {"deployment": deployment_of(topology).as_json(), "max_seconds": 1}
    identity = witness.client.start(spec).id
    wait_until(lambda: witness.client.status(identity, wait_s=5).is_over, 30, "the end")

    history = History.load(witness.journals / f"{identity}.jsonl")

    assert history.why_incomplete == "the recording ended early: time limit"
