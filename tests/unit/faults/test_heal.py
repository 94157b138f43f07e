"""`make heal`: what it says and with which status it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import heal
from harness.errors import HealFailed, ProviderError
from harness.leftovers import Place, Record
from tests.unit.api_server import Say, scripted_api

Healing = Callable[..., int]


@pytest.fixture
def healing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Healing:
    """Runs the program in a state directory and a folder of reports of the test's own, where no node needs mending."""
    monkeypatch.setenv("E2E_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(heal.K3dNodes, "mend_nodes", lambda _: [])

    def run(*arguments: str) -> int:
        reports = ["--report-dir", str(tmp_path / "reports")]
        monkeypatch.setattr(sys, "argv", ["heal", *reports, *arguments])
        return heal.main()

    return run


def known(tmp_path: Path) -> Place:
    place = Place(tmp_path / "state", "redis-e2e")
    place.folder.mkdir(parents=True)
    place.write(Record.of("redis-e2e", "hash", kept=True, stage="ready"))
    return place


def test_without_a_cluster_there_is_nothing_that_could_be_healed(
    healing: Healing, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and a status that is neither success nor failure."""
    assert healing() == 2

    assert capsys.readouterr().err.splitlines() == [
        "no cluster redis-e2e is known: there is nothing that could be healed"
    ]


def test_nodes_that_cannot_be_looked_at_are_said(
    healing: Healing, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line and no success: whether a node is stopped is not known."""

    def fails(_: object) -> list[str]:
        raise ProviderError("docker ps --all: Cannot connect to the Docker daemon")

    monkeypatch.setattr(heal.K3dNodes, "mend_nodes", fails)
    known(tmp_path)

    assert healing() == 1
    assert capsys.readouterr().err.splitlines() == ["error: docker ps --all: Cannot connect to the Docker daemon"]


def test_a_cluster_that_does_not_answer_is_none(
    healing: Healing, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kubeconfig outlived it."""
    monkeypatch.setattr("harness.cluster.connection.RETRY_S", 0.1)
    known(tmp_path).kubeconfig.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:9"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "x",
            }
        )
    )

    assert healing() == 2
    assert capsys.readouterr().err.startswith("cluster redis-e2e does not answer: ")


def test_it_says_what_it_healed_and_closes_the_ledgers(
    healing: Healing, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each thing; then the next run finds no ledger with anything left in it."""
    ledger = tmp_path / "reports/20261124T150000Z-aaaa/faults.jsonl"
    ledger.parent.mkdir(parents=True)
    ledger.write_text(json.dumps({"fault": "paused", "target": "redis-0", "id": "a1", "event": "registered"}) + "\n")
    lines = [["agent-0: paused(redis-0): healed"], []]
    monkeypatch.setattr(heal, "sweep", lambda _: lines.pop(0))
    with scripted_api(known(tmp_path).folder) as api:
        api.kubeconfig.rename(api.kubeconfig.with_name("kubeconfig.yaml"))
        api.on("GET /version", Say({"gitVersion": "v1.34.2"}))

        assert healing() == 0
        assert capsys.readouterr().out.splitlines() == ["agent-0: paused(redis-0): healed"]
        assert heal.left_on_ledger(ledger) == []

        assert healing() == 0
        assert capsys.readouterr().out.splitlines() == ["nothing to heal"]


def test_what_is_left_is_no_success(
    healing: Healing, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said on stderr, and by the status."""

    def fails(_: object) -> list[str]:
        raise HealFailed("agent-0: paused(redis-0): process 7 is stopped")

    monkeypatch.setattr(heal, "sweep", fails)
    with scripted_api(known(tmp_path).folder) as api:
        api.kubeconfig.rename(api.kubeconfig.with_name("kubeconfig.yaml"))
        api.on("GET /version", Say({"gitVersion": "v1.34.2"}))

        assert healing() == 1
        assert "process 7 is stopped" in capsys.readouterr().err


def test_a_cluster_that_a_run_uses_is_left_alone(
    healing: Healing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its faults are that run's business."""
    place = known(tmp_path)
    place.kubeconfig.write_text("{}")
    place.claim()

    assert healing() == 1
    assert "is in use by another run" in capsys.readouterr().err
    place.yield_up()
