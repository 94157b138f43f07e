from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import ClusterError, ObservationError
from harness.report.dump import KINDS, dump


def pod(name: str, owner: str, *, restarts: int = 0) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "ownerReferences": [{"name": owner}], "managedFields": [{"manager": "kubelet"}]},
        "spec": {"containers": [{"name": "main"}], "initContainers": [{"name": "init"}]},
        "status": {"containerStatuses": [{"name": "main", "restartCount": restarts}]},
    }


class FakeCluster:
    """Answers like the façade; `broken` kinds raise."""

    def __init__(self, *, broken: tuple[str, ...] = ()) -> None:
        self.broken = broken
        self.asked: list[str] = []

    def events(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "Warning",
                "reason": "FailedScheduling",
                "message": "0/4 nodes are available",
                "lastTimestamp": "2026-01-02T03:04:05Z",
                "involvedObject": {"kind": "Pod", "name": "redis-0"},
                "count": 3,
            }
        ]

    def list(self, kind: str) -> list[dict[str, Any]]:
        self.asked.append(kind)
        if kind in self.broken:
            raise ClusterError(f"{kind}: connection refused")
        if kind == "Pod":
            return [pod("redis-0", "redis", restarts=1), pod("redis-sentinel-0", "redis-sentinel"), pod("witness", "w")]
        return []

    def logs(self, pod: str, container: str, *, previous: bool = False, tail: int | None = None) -> str:
        assert tail
        return f"{pod} {container} {'before' if previous else 'now'}\n"


class FakeSut:
    """Answers every question with itself."""

    def ask(self, seat: str, *commands: str, seconds: float) -> list[Any]:
        assert seconds < 10
        return [["requirepass", "hunter2", "maxmemory", "1"] if "CONFIG" in c else f"{seat} on {c}" for c in commands]


def test_everything_is_saved_and_linked(tmp_path: Path) -> None:
    cluster = FakeCluster()

    links = dump(cluster, FakeSut(), tmp_path / "d")

    assert [str(link.relative_to(tmp_path / "d")) for link in links] == [
        "index.txt",
        "events.txt",
        "objects",
        "logs",
        "instances/redis-0.txt",
        "instances/redis-sentinel-0.txt",
    ]
    saved = {str(p.relative_to(tmp_path / "d")) for p in (tmp_path / "d").rglob("*") if p.is_file()}
    assert {f"objects/{kind}.yaml" for kind in KINDS} <= saved
    assert {"logs/redis-0-main.log", "logs/redis-0-main.previous.log", "logs/witness-init.log"} <= saved
    assert "logs/witness-main.previous.log" not in saved, "it has not restarted, so there is none"
    assert "(x3)" in (tmp_path / "d" / "events.txt").read_text()
    assert (tmp_path / "d" / "index.txt").read_text().startswith(f"{len(saved) - 1} of {len(saved) - 1} pieces saved")


def test_an_instance_is_asked_what_its_kind_can_answer(tmp_path: Path) -> None:
    dump(FakeCluster(), FakeSut(), tmp_path)

    assert "# ROLE\n" in (tmp_path / "instances/redis-0.txt").read_text()
    sentinel = (tmp_path / "instances/redis-sentinel-0.txt").read_text()
    for question in ("INFO all", "SENTINEL MASTERS", "SENTINEL REPLICAS mymaster", "SENTINEL CKQUORUM mymaster"):
        assert f"# {question}\n" in sentinel


def test_secrets_and_noise_are_left_out(tmp_path: Path) -> None:
    dump(FakeCluster(), FakeSut(), tmp_path)

    assert "Secret" not in KINDS
    text = (tmp_path / "instances/redis-0.txt").read_text()
    assert "hunter2" not in text
    assert "requirepass (not saved)" in text
    pods = list(yaml.safe_load_all((tmp_path / "objects/Pod.yaml").read_text()))
    assert [one["metadata"]["name"] for one in pods] == ["redis-0", "redis-sentinel-0", "witness"]
    assert "managedFields" not in pods[0]["metadata"]


def test_a_piece_that_fails_says_so_and_costs_only_itself(tmp_path: Path) -> None:
    class Silent(FakeSut):
        def ask(self, seat: str, *commands: str, seconds: float) -> list[Any]:
            if seat == "redis-0":
                raise ObservationError("redis-0 does not answer")
            return super().ask(seat, *commands, seconds=seconds)

    dump(FakeCluster(broken=("Node",)), Silent(), tmp_path)

    assert "could not be saved: ClusterError: Node: connection refused" in (tmp_path / "objects/Node.yaml").read_text()
    assert "redis-0 does not answer" in (tmp_path / "instances/redis-0.txt").read_text()
    assert "# INFO all" in (tmp_path / "instances/redis-sentinel-0.txt").read_text()
    index = (tmp_path / "index.txt").read_text()
    assert "FAILED  objects/Node.yaml  ClusterError" in index
    assert "saved   events.txt" in index


def test_a_dead_api_server_leaves_files_that_say_so(tmp_path: Path) -> None:
    links = dump(FakeCluster(broken=KINDS), FakeSut(), tmp_path)

    assert "FAILED  objects/Pod.yaml  ClusterError: Pod: connection refused" in links[0].read_text()


def test_a_piece_that_hangs_does_not_hold_the_others_up(tmp_path: Path) -> None:
    release = threading.Event()

    class Hanging(FakeCluster):
        def events(self) -> list[dict[str, Any]]:
            release.wait(20)
            return []

    try:
        dump(Hanging(), FakeSut(), tmp_path, seconds=0.4)
    finally:
        release.set()

    assert (tmp_path / "events.txt").read_text() == "could not be saved: not there within the 0.4 s of this dump\n"
    assert "redis-0 main now" in (tmp_path / "logs/redis-0-main.log").read_text()


@pytest.mark.parametrize("kind", ["Secret", "ServiceAccount"])
def test_credentials_are_never_asked_for(kind: str, tmp_path: Path) -> None:
    cluster = FakeCluster()

    dump(cluster, FakeSut(), tmp_path)

    assert kind not in cluster.asked
