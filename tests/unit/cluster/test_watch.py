from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cluster.readiness import every, is_ready
from harness.errors import WaitTimeout
from tests.unit.api_server import Say, ScriptedApi, scripted_api, status

PODS = "GET /api/v1/namespaces/shop/pods"
WATCH = f"{PODS} (watch)"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ScriptedApi]:
    """Return a scripted API server."""
    with scripted_api(tmp_path) as running:
        yield running


def pod(name: str, *, ready: bool) -> dict[str, Any]:
    """Return a pod that is or is not Ready."""
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {
        "kind": "Pod",
        "metadata": {"name": name, "uid": name},
        "status": {"phase": "Running", "conditions": conditions},
    }


def listed(*pods: dict[str, Any]) -> Say:
    """Return a list answer."""
    return Say({"metadata": {"resourceVersion": "7"}, "items": list(pods)})


def event(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return a watch event."""
    return {"type": kind, "object": item}


def wait(api: ScriptedApi, seconds: float, count: int = 1) -> list[str]:
    """Wait until there are `count` ready pods; return their names."""
    until = every(is_ready, count=count)
    found = api.cluster().wait_for("Pod", until=until, seconds=seconds, what="pods to be ready")
    return [item["metadata"]["name"] for item in found]


def test_wait_returns_what_is_there_without_watching(api: ScriptedApi) -> None:
    """What holds already is not waited for."""
    api.on(PODS, listed(pod("a", ready=True)))

    assert wait(api, 5) == ["a"]
    assert api.asked == [PODS]


def test_wait_follows_changes(api: ScriptedApi) -> None:
    """Objects that come, change and go are followed one by one."""
    api.on(PODS, listed(pod("a", ready=False)))
    changes = (
        event("ADDED", pod("b", ready=False)),
        event("MODIFIED", pod("b", ready=True)),
        event("DELETED", pod("a", ready=False)),
    )
    api.on(WATCH, Say(stream=changes))

    assert wait(api, 5) == ["b"]
    assert api.count(PODS) == 1


@pytest.mark.parametrize(
    "ending",
    [
        Say(stream=()),
        Say(stream=(event("ERROR", {"code": 410, "reason": "Expired"}),)),
        status(410, "Expired", "too old"),
        Say(hang_up=True),
        status(500, "InternalError", "oops"),
    ],
)
def test_wait_lists_anew_when_a_watch_ends(ending: Say, api: ScriptedApi) -> None:
    """A watch that ends, breaks or grows too old costs a list, not the wait."""
    api.on(PODS, listed(pod("a", ready=False)), listed(pod("a", ready=True)))
    api.on(WATCH, ending)

    assert wait(api, 5) == ["a"]
    assert api.count(PODS) == 2


def test_wait_that_fails_says_what_was_last_seen_and_why(api: ScriptedApi) -> None:
    """The message names the objects, their state and the reasons of the predicate."""
    api.on(PODS, listed(pod("a", ready=False)))
    api.on(WATCH, Say(stream=()))

    with pytest.raises(WaitTimeout) as caught:
        wait(api, 0.3, count=2)

    text = str(caught.value)
    assert text.startswith("waited 0.")
    assert "for pods to be ready" in text
    assert "last seen: Pod a Running, not Ready" in text
    assert "because: there are 1 of 2; a is Running, not Ready" in text


def test_wait_for_nothing_at_all_says_so(api: ScriptedApi) -> None:
    """An empty selection is told as such."""
    api.on(PODS, listed())
    api.on(WATCH, Say(stream=()))

    with pytest.raises(WaitTimeout, match="last seen: no Pod"):
        wait(api, 0.2)
