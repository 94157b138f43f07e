"""When a primary is killed with its pod: once the kubelet is seen to know of the deletion."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.faults import Bench, SeatEmpty
from harness.faults import pods as module
from harness.faults.injector import Process


class Scene:
    """A deployment that notes what is done to it; its hook runs from the given look on."""

    def __init__(self, role: str = "primary", hook_at: int = 3) -> None:
        self.done: list[str] = []
        self._role = role
        self._looks_left = hook_at
        self.cluster = SimpleNamespace(
            patch=lambda *_: None,
            cordon=lambda _: self.done.append("cordon"),
            delete=lambda *_, **__: self.done.append("delete"),
            gather=lambda calls: [call() for call in calls],
        )

    def bench(self) -> Bench:
        found = Process("redis-0", "agent-0", 42)
        hands = SimpleNamespace(found=lambda *_: found, kill=lambda _: self.done.append("kill"))
        return Bench(cast("Any", self), cast("Any", hands))

    def pod_objects(self) -> dict[str, Any]:
        return {seat: {"metadata": {"uid": seat}} for seat in ("redis-0", "redis-sentinel-0")}

    def pod(self, _: str) -> Any:
        return SimpleNamespace(node="agent-0")

    def redis_view(self, _: str) -> Any:
        return SimpleNamespace(role=self._role)

    def run(self, *_: Any) -> Any:
        self.done.append("look")
        self._looks_left -= 1
        return SimpleNamespace(status=int(self._looks_left > 0))


def emptied(scene: Scene, seat: str = "redis-0", *, abruptly: bool = True) -> list[str]:
    fault = SeatEmpty(seat, abruptly=abruptly)
    fault.prepare(scene.bench())
    fault.inject(scene.bench())
    return scene.done


def test_primary_dies_when_its_hook_is_seen() -> None:
    """Not before: the kubelet may not know yet that it must not start it again."""
    assert emptied(Scene()) == ["cordon", "delete", "look", "look", "look", "kill"]


def test_primary_whose_hook_is_missed_dies_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that is over has handed over by then; the drill's kind tells."""
    monkeypatch.setattr(module, "HOOK_S", 0.1)
    done = emptied(Scene(hook_at=10**6))

    assert done[-1] == "kill"
    assert "look" in done


@pytest.mark.parametrize(("seat", "role"), [("redis-0", "replica"), ("redis-sentinel-0", "primary")])
def test_who_hands_nothing_over_dies_at_once(seat: str, role: str) -> None:
    """Its hook is over too soon to be seen."""
    assert emptied(Scene(role), seat) == ["cordon", "delete", "kill"]


def test_graceful_deletion_kills_nobody() -> None:
    """The hook does its work."""
    assert emptied(Scene(), abruptly=False) == ["cordon", "delete"]
