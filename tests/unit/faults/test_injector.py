"""The injector's shells: a broken one is replaced, and what the program says is passed on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from harness.cluster import Cluster, Executed
from harness.errors import ExecFailed, InjectionFailed
from harness.faults import injector as module
from harness.faults.injector import Injector, container_id

HANGS = ExecFailed("injector-a/injector: has not ended after 6.0 s")
BREAKS = ExecFailed("injector-a/injector: the connection broke, it may have run")


class Scripted:
    """A cluster whose injector pods answer as laid out; each pod has one shell at a time."""

    namespace = "redis-e2e"

    def __init__(self, *answers: Any, pods: tuple[str, ...] = ("injector-a",)) -> None:
        self.answers = list(answers)
        self.pods = list(pods)
        self.opened: list[str] = []
        self.asked: list[str] = []
        self.closed = 0

    def in_namespace(self, _: str) -> Scripted:
        return self

    def list(self, kind: str, **_: str) -> list[dict[str, Any]]:
        assert kind == "Pod"
        name = self.pods.pop(0) if len(self.pods) > 1 else self.pods[0]
        phase = "Running" if name else "Pending"
        return [{"metadata": {"name": name}, "status": {"phase": phase}, "spec": {"nodeName": "agent-0"}}]

    def gather(self, calls: list[Callable[[], Any]]) -> list[Any]:
        return [call() for call in calls]

    def shell(self, pod: str, container: str) -> Scripted:
        assert container == "injector"
        self.opened.append(pod)
        return self

    def run(self, script: str, seconds: float) -> Executed:
        assert seconds > 0
        self.asked.append(script)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return cast("Executed", answer)

    def close(self) -> None:
        self.closed += 1


def says(answer: Any, status: int = 0, stderr: str = "") -> Executed:
    return Executed(json.dumps(answer), stderr, status)


def injector(cluster: Scripted, monkeypatch: pytest.MonkeyPatch) -> Injector:
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    monkeypatch.setattr(module, "RECONNECT_S", 0.2)
    return Injector(cast("Cluster", cluster))


def test_a_verb_is_one_command_over_the_held_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one uses the shell of the first."""
    cluster = Scripted(says({"id": "ab", "injected": True}), says({"healed": "stopped(redis-0): healed"}))
    hands = injector(cluster, monkeypatch)

    assert hands.inject("agent-0", {"id": "ab", "about": "it's here"})["injected"]
    assert hands.heal("agent-0", "ab") == "stopped(redis-0): healed"

    assert cluster.opened == ["injector-a"]
    assert cluster.asked[1] == "cd /app && python3 -m injector heal ab"


@pytest.mark.parametrize("trouble", [HANGS, BREAKS], ids=["kubelet killed", "API server killed"])
def test_a_broken_shell_is_replaced_and_the_verb_repeated(trouble: ExecFailed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every verb may be repeated; the pod is looked up anew, for it may be another one."""
    cluster = Scripted(trouble, says({"healed": ""}), pods=("injector-a", "injector-b"))
    hands = injector(cluster, monkeypatch)

    assert hands.heal("agent-0", "ab") == ""

    assert cluster.opened == ["injector-a", "injector-b"]
    assert cluster.closed == 1


def test_an_injector_that_is_being_replaced_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pod is not running for a moment."""
    cluster = Scripted(says([]), pods=("", "", "injector-b"))

    assert injector(cluster, monkeypatch).listed("agent-0") == []
    assert cluster.opened == ["injector-b"]


def test_a_node_that_does_not_come_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was last seen of it."""
    hands = injector(Scripted(pods=("",)), monkeypatch)

    with pytest.raises(InjectionFailed, match="agent-0 cannot be told to heal: no injector runs on node agent-0"):
        hands.heal("agent-0", "ab")


def test_what_the_program_refuses_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A complaint is an answer."""
    cluster = Scripted(says(None, status=1, stderr="pod 0f6c is not on this node\n"))

    with pytest.raises(InjectionFailed, match="agent-0: pod 0f6c is not on this node"):
        injector(cluster, monkeypatch).inject("agent-0", {"id": "ab"})

    assert len(cluster.asked) == 1


def pod(state: dict[str, Any], identity: str = "containerd://4c1d") -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"name": "redis", "state": state, "containerID": identity}]}}


def test_a_container_is_known_by_its_id_while_it_runs() -> None:
    """The id of one that has ended would be a target that nobody hits."""
    assert container_id(pod({"running": {}}), "redis") == "4c1d"
    assert container_id(pod({"waiting": {"reason": "CrashLoopBackOff"}}), "redis") == ""
    assert container_id(pod({"running": {}}), "exporter") == ""
    assert container_id({"status": {}}, "redis") == ""
