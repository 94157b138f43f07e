"""A server that loses its data: the command on its node, with a real process, and what is taken for the effect."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Executed
from harness.errors import InjectionFailed
from harness.faults import DataLost
from harness.faults import injector as module
from harness.faults.injector import Injector, Process

FOLDER = "/volumes/pvc-1"


class Here:
    """A node that is this machine."""

    def run(self, script: str, seconds: float) -> Executed:
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=seconds, check=False)
        return Executed(done.stdout, done.stderr, done.returncode)


@pytest.fixture
def injector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Injector:
    monkeypatch.setattr(module, "NODE_ROOT", str(tmp_path))
    found = Injector.__new__(Injector)
    monkeypatch.setattr(found, "_on", lambda _: Here())
    return found


@contextmanager
def server() -> Iterator[subprocess.Popen[bytes]]:
    """A process to be killed."""
    with subprocess.Popen(["sleep", "60"]) as running:
        try:
            yield running
        finally:
            running.kill()


def volume(tmp_path: Path) -> Path:
    folder = tmp_path / FOLDER.lstrip("/")
    (folder / "appendonlydir").mkdir(parents=True)
    (folder / "appendonlydir" / "appendonly.aof.1.incr.aof").write_text("*1")
    (folder / ".hidden").write_text("")
    (folder.parent / "pvc-2").mkdir()
    return folder


def test_everything_on_the_volume_goes_and_the_process_with_it(injector: Injector, tmp_path: Path) -> None:
    """Hidden files too; the volume itself stays, and so do others."""
    folder = volume(tmp_path)
    with server() as process:
        injector.bereave(Process("redis-0", "agent-0", process.pid), FOLDER)
        assert process.wait(timeout=5) == -9

    assert list(folder.iterdir()) == []
    assert (folder.parent / "pvc-2").is_dir()


def test_volume_that_is_not_there_is_told_and_the_process_killed(injector: Injector) -> None:
    """A server that was stopped must not stay so."""
    with server() as process:
        with pytest.raises(InjectionFailed, match="could not be emptied"):
            injector.bereave(Process("redis-0", "agent-0", process.pid), FOLDER)
        assert process.wait(timeout=5) == -9


def test_data_of_a_process_that_is_gone_is_left_alone(injector: Injector, tmp_path: Path) -> None:
    """Another one may serve from it by now."""
    folder = volume(tmp_path)
    with server() as process:
        pass

    with pytest.raises(InjectionFailed, match=r"\.hidden"):
        injector.bereave(Process("redis-0", "agent-0", process.pid), FOLDER)

    assert len(list(folder.iterdir())) == 2


def pod(uid: str, container: str) -> dict[str, Any]:
    state = {"running": {}} if container else {"waiting": {}}
    status = {"name": "redis", "state": state, "containerID": f"containerd://{container}"}
    return {"metadata": {"uid": uid}, "status": {"containerStatuses": [status]}}


@pytest.mark.parametrize(
    ("with_pod", "found", "felt"),
    [
        (False, [pod("a", "2")], True),
        (False, [pod("a", "1")], False),
        (False, [pod("a", "")], False),
        (False, [pod("b", "2")], False),
        (True, [pod("b", "2")], True),
        (True, [pod("a", "2")], False),
        (True, [pod("b", "")], False),
        (True, [], False),
    ],
)
def test_effect_is_another_container_of_the_right_pod(with_pod: bool, found: list[dict[str, Any]], felt: bool) -> None:
    """The old one's pod or another one, as the fault is."""
    fault = DataLost("redis-0", with_pod=with_pod)
    fault._before, fault._pod_uid = "1", "a"

    assert bool(fault._runs_again(found)) is felt


def test_sentinel_has_no_data_to_lose() -> None:
    """For that there is SentinelStateLost."""
    with pytest.raises(InjectionFailed, match="no Redis"):
        DataLost("redis-sentinel-0")
