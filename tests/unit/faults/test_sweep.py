"""What a killed run left is found in the cluster, and in its ledger; undone once, and then there is nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.artifacts import JsonLines
from harness.errors import HealFailed, InjectionFailed
from harness.faults import dns
from harness.faults import sweep as module
from harness.faults.sweep import left_on_ledger, note_swept, sweep
from harness.heal import ledgers
from tests.unit.api_server import Say, ScriptedApi, scripted_api

PODS = "GET /api/v1/namespaces/redis-e2e/pods"
NODES = "GET /api/v1/nodes"
COREDNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"


class Hands:
    """The injector's answers: by node, the faults on record and what a sweep says."""

    def __init__(self, swept: dict[str, Any], listed: dict[str, list[dict[str, Any]]] | None = None) -> None:
        self.swept = swept
        self.on_record = listed or {}

    def __call__(self, _: object) -> Hands:
        return self

    def nodes(self) -> list[str]:
        return sorted(self.swept)

    def listed(self, node: str) -> list[dict[str, Any]]:
        return self.on_record.get(node, [])

    def heal(self, _: str, identity: str) -> str:
        return f"{identity}: healed"

    def sweep(self, node: str) -> list[str]:
        answer = self.swept[node]
        if isinstance(answer, Exception):
            raise answer
        self.swept[node] = []
        return list(answer)

    def close(self) -> None:
        """Have nothing to close."""


@pytest.fixture
def api(tmp_path: Path) -> Any:
    """A cluster with one uncordoned node, a CoreDNS as it should be, and no injector."""
    with scripted_api(tmp_path) as api:
        api.on(NODES, Say({"items": [{"metadata": {"name": "agent-0"}}]}))
        api.on(PODS, Say({"items": []}))
        api.on("GET /api/v1/namespaces/shop/resourcequotas", Say({"items": []}))
        api.on("GET /apis/apps/v1/namespaces/shop/statefulsets", Say({"items": []}))
        api.on(f"GET {COREDNS}", Say({"metadata": {}, "spec": {"replicas": 1}}))
        api.on(f"PATCH {COREDNS}", Say())
        yield api


def test_a_cluster_without_an_injector_has_no_fault_of_a_node(api: ScriptedApi) -> None:
    """Nothing is asked of nodes, and nothing is deployed for it."""
    assert sweep(api.cluster()) == []
    assert not [asked for asked in api.asked if not asked.startswith("GET")]


def test_every_node_is_swept_and_the_second_time_there_is_nothing(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for each thing, with the node it was on."""
    hands = Hands({"agent-0": ["isolated(redis-0): healed"], "agent-1": []})
    monkeypatch.setattr(module, "Injector", hands)

    assert sweep(api.cluster()) == ["agent-0: isolated(redis-0): healed"]
    assert sweep(api.cluster()) == []


def test_one_node_that_cannot_be_healed_does_not_keep_the_others_from_it(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left is said last, and it is not a success."""
    broken = InjectionFailed("agent-0: paused(redis-0): process 7 is stopped")
    monkeypatch.setattr(module, "Injector", Hands({"agent-0": broken, "agent-1": ["isolated(redis-1): healed"]}))

    with pytest.raises(HealFailed, match=r"agent-1: isolated\(redis-1\): healed; agent-0: paused"):
        sweep(api.cluster())


def test_a_small_volume_is_put_back_before_its_node_is_swept(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pod must be away meanwhile, which the node alone cannot do. What was injected after it is healed before."""
    records = [
        {"id": "ballast", "kind": "filled", "plan": {}},
        {"id": "volume", "kind": "small_volume", "plan": {"seat": "redis-0"}},
        {"id": "older", "kind": "stopped", "plan": {}},
    ]
    monkeypatch.setattr(module, "Injector", Hands({"agent-0": ["older: healed"]}, {"agent-0": records}))
    monkeypatch.setattr(module, "put_back", lambda *args: f"{args[3]['plan']['seat']} put back")

    expected = ["agent-0: ballast: healed", "agent-0: redis-0 put back", "agent-0: older: healed"]
    assert sweep(api.cluster()) == expected


def test_coredns_gets_back_the_replicas_that_it_had(api: ScriptedApi) -> None:
    """The number stands in an annotation of ours, which goes with it."""
    left = {"metadata": {"annotations": {dns.REPLICAS_BEFORE: "2"}}, "spec": {"replicas": 0}}
    api.on(f"GET {COREDNS}", Say(left), Say({"metadata": {}, "spec": {"replicas": 2}}))

    assert sweep(api.cluster()) == ["CoreDNS was left without a pod by an earlier run: scaled to 2"]

    patch = {"metadata": {"annotations": {dns.REPLICAS_BEFORE: None}}, "spec": {"replicas": 2}}
    assert patch in api.bodies
    assert sweep(api.cluster()) == []


def test_a_coredns_that_somebody_else_scaled_down_stays_so(api: ScriptedApi) -> None:
    """It does not carry our mark."""
    api.on(f"GET {COREDNS}", Say({"metadata": {}, "spec": {"replicas": 0}}))

    assert sweep(api.cluster()) == []
    assert not api.count(f"PATCH {COREDNS}")


def written(ledger: Path, *events: dict[str, Any]) -> None:
    with JsonLines(ledger) as lines:
        for event in events:
            lines.write(event)


def test_a_fault_is_left_until_it_is_healed(tmp_path: Path) -> None:
    """By its id where it has one: the same fault may be injected twice."""
    ledger = tmp_path / "faults.jsonl"
    first = {"fault": "paused", "target": "redis-0", "id": "a1", "node": "agent-0"}
    second = first | {"id": "b2"}
    written(
        ledger,
        {**first, "event": "registered"},
        {**first, "event": "injected"},
        {**second, "event": "registered"},
        {**first, "event": "healed"},
        {"fault": "seat_empty", "target": "redis-1", "event": "registered"},
    )

    assert [entry.get("id", entry["target"]) for entry in left_on_ledger(ledger)] == ["b2", "redis-1"]


def test_what_was_swept_is_not_left(tmp_path: Path) -> None:
    """A ledger that was left open is closed by whoever cleaned up."""
    ledger = tmp_path / "faults.jsonl"
    written(ledger, {"fault": "paused", "target": "redis-0", "id": "a1", "event": "registered"})

    note_swept(ledger, left_on_ledger(ledger))

    assert left_on_ledger(ledger) == []
    note_swept(ledger, [])
    assert len(ledger.read_text().splitlines()) == 2


def test_half_a_line_of_a_killed_run_does_no_harm(tmp_path: Path) -> None:
    """The line before it counts."""
    ledger = tmp_path / "faults.jsonl"
    written(ledger, {"fault": "paused", "target": "redis-0", "id": "a1", "event": "registered"})
    with ledger.open("a") as file:
        file.write(json.dumps({"fault": "paused", "event": "healed"})[:20])

    assert [entry["id"] for entry in left_on_ledger(ledger)] == ["a1"]


def test_every_run_that_is_still_there_has_its_ledger_read(tmp_path: Path) -> None:
    """Each once, though `latest` leads to one of them."""
    for run in ("20261124T150000Z-aaaa", "20261124T160000Z-bbbb"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "faults.jsonl").touch()
    (tmp_path / "latest").symlink_to("20261124T160000Z-bbbb")

    assert [path.parent.name for path in ledgers(tmp_path)] == ["20261124T150000Z-aaaa", "20261124T160000Z-bbbb"]
