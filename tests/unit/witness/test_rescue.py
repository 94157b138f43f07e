"""A run that was killed leaves its workload running: the next run stops it and loses nothing of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.history import History
from harness.workload import rescued
from harness.workload.rescue import RUNNER_GONE
from tests.unit.processes import Topology, running_topology, wait_until
from tests.unit.witness.local import PROJECT, LocalWitness, Refused, deployment_of, running_witness

#: A run of its own: it starts a workload, says which, and then does not get any further.
RUNNER = """
import json, sys, time
from pathlib import Path
from harness.workload import Deployment, Workload
from tests.unit.witness.local import LocalWitness
witness = LocalWitness(Path(sys.argv[1]))
witness.port = int(sys.argv[2])
deployment = Deployment(**json.loads(sys.argv[3]))
with Workload(witness.client, deployment, Path(sys.argv[1])).running("killed run") as recording:
    print(recording.id, flush=True)
    time.sleep(600)
"""


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


def started(witness: LocalWitness, topology: Topology, name: str = "doomed") -> str:
    """Start a workload that nobody minds, let it write, and return its id."""
    identity = witness.client.start({"name": name, "deployment": deployment_of(topology).as_json()}).id
    wait_until(lambda: witness.client.status(identity).acknowledged > 500, 20, "writes")
    return identity


def test_recording_of_a_killed_runner_is_rescued_whole(
    topology: Topology, witness: LocalWitness, tmp_path: Path
) -> None:
    """SIGKILL in mid-recording: every acknowledged write is in the file, which says that its runner was gone."""
    arguments = [str(tmp_path / "runner"), str(witness.port), json.dumps(deployment_of(topology).as_json())]
    with subprocess.Popen([sys.executable, "-c", RUNNER, *arguments], cwd=PROJECT, stdout=subprocess.PIPE) as runner:
        assert runner.stdout is not None
        identity = runner.stdout.readline().decode().strip()
        wait_until(lambda: witness.client.status(identity).acknowledged > 500, 20, "writes")
        runner.kill()
    time.sleep(0.3)
    still = witness.client.status(identity)

    (path,) = rescued(witness.client, tmp_path / "rescued")

    history = History.load(path)
    assert path.name == f"rescued-killed-run-{identity}.jsonl"
    assert not still.is_over
    assert history.writes.counts()["o"] > still.acknowledged
    assert history.end is not None
    assert history.end.counts["w"] == len(history.writes)
    assert history.why_incomplete == f"the recording ended early: {RUNNER_GONE}"
    assert witness.client.workloads() == []
    assert rescued(witness.client, tmp_path / "again") == []


def test_journal_of_a_killed_witness_is_rescued(topology: Topology, witness: LocalWitness, tmp_path: Path) -> None:
    """Both the runner and the witness died: the next witness lists the journal by its workload's name."""
    identity = started(witness, topology)
    seen = witness.client.status(identity).acknowledged
    time.sleep(0.15)
    witness.kill()
    witness.start()
    (listed,) = witness.client.workloads()

    (path,) = rescued(witness.client, tmp_path)

    assert (listed.id, listed.name, listed.state, listed.is_over) == (identity, "doomed", "abandoned", True)
    assert listed.journal_bytes == path.stat().st_size
    assert History.load(path).writes.counts()["o"] >= seen
    assert witness.client.workloads() == []


def test_recording_that_ended_well_is_not_rescued(topology: Topology, witness: LocalWitness, tmp_path: Path) -> None:
    """Its journal was fetched and loaded: the witness has forgotten it."""
    with witness.workload_on(topology).running("fine") as recording:
        wait_until(lambda: recording.status.acknowledged > 100, 20, "writes")

    assert witness.client.workloads() == []
    assert list(witness.journals.glob("*.jsonl")) == []
    assert rescued(witness.client, tmp_path / "rescued") == []
    assert recording.history.is_complete


def test_journal_without_a_header_is_rescued_all_the_same(witness: LocalWitness, tmp_path: Path) -> None:
    """A witness killed before its first line was on disk: there is little, but it is evidence."""
    (witness.journals / "0123456789ab.jsonl").write_text('{"format": "redis-e2e-his')
    (witness.journals / "notes.jsonl").write_text("no journal")

    (path,) = rescued(witness.client, tmp_path)

    assert path.name == "rescued-workload-0123456789ab.jsonl"
    assert path.read_text() == '{"format": "redis-e2e-his'
    assert (witness.journals / "notes.jsonl").exists()


def test_running_workload_is_not_forgotten(topology: Topology, witness: LocalWitness) -> None:
    """409: its journal is still being written. What is not there is a 404."""
    identity = started(witness, topology)
    with pytest.raises(Refused, match=f"409: the workload '{identity}' is still running"):
        witness.client.forget(identity)
    with pytest.raises(Refused, match="404: no journal of a workload 'ffffffffffff'"):
        witness.client.forget("ffffffffffff")
    assert witness.client.status(identity).state == "running"
