"""What node faults, drains and evictions refuse, and what the next run finds of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from harness.cluster import Cluster
from harness.errors import InjectionFailed
from harness.faults import Bench, Evicted, NodePaused, NodeStopped, sweep_nodes
from harness.faults.nodes_drained import leaving
from harness.faults.nodes_guests import require_expendable
from harness.faults.sentinels_leader import SIMULATED_EXIT, CrashAfterElection, end_of
from harness.providers import Provider
from harness.sut import Sut
from tests.unit.api_server import Say, ScriptedApi, scripted_api, status

NODE = "/api/v1/nodes/agent-0"
SHOP = "/api/v1/namespaces/shop"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ScriptedApi]:
    """An API server that answers what a test lays out."""
    with scripted_api(tmp_path) as scripted:
        yield scripted


def items(*found: dict[str, Any]) -> Say:
    return Say({"items": list(found)})


def pod(name: str, *, owner: str | None = None, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    owners = [{"kind": owner, "name": "x", "controller": True}] if owner else []
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "ownerReferences": owners}
    return {"metadata": metadata, "spec": {"nodeName": "agent-0"}, "status": {"phase": "Running"}, **more}


@pytest.mark.parametrize(
    ("labels", "dns", "witness", "why"),
    [
        ({"e2e.redis/server": "true"}, [], [], "it carries the API server"),
        ({}, [pod("coredns-1")], [], r"the cluster's DNS \(coredns-1\) runs there"),
        ({}, [], [pod("witness")], r"the witness \(witness\) runs there"),
    ],
)
def test_node_that_drills_need_is_not_hit(
    labels: dict[str, str], dns: list[Any], witness: list[Any], why: str, api: ScriptedApi
) -> None:
    """The node of the API server, of DNS or of the witness is refused, naming who sits there."""
    api.on(f"GET {NODE}", Say({"metadata": {"name": "agent-0", "labels": labels}}))
    api.on("GET /api/v1/namespaces/kube-system/pods", items(*dns))
    api.on(f"GET {SHOP}/pods", items(*witness))

    with pytest.raises(InjectionFailed, match=f"node agent-0 must not be hit: {why}"):
        require_expendable(api.cluster(), "agent-0")


def test_expendable_node_is_let_through(api: ScriptedApi) -> None:
    """A node that carries none of them may be hit."""
    api.on(f"GET {NODE}", Say({"metadata": {"name": "agent-0"}}))
    api.on("GET /api/v1/namespaces/kube-system/pods", items())
    api.on(f"GET {SHOP}/pods", items())

    require_expendable(api.cluster(), "agent-0")


@pytest.mark.parametrize("fault", [NodePaused("redis-0"), NodeStopped("redis-0")], ids=["paused", "stopped"])
def test_provider_without_the_capability_is_refused(fault: NodePaused | NodeStopped) -> None:
    """Nothing is asked of a provider that cannot do it; the reason is the one a drill is skipped with."""

    class Context:
        name = "context"

    bench = Bench(cast("Sut", None), cast("Any", None), cast("Provider", Context()))

    with pytest.raises(InjectionFailed, match=r"provider context cannot (pause|stop) nodes"):
        fault.prepare(bench)
    fault.heal(bench)  # nothing was taken, so nothing is given back


def test_drain_takes_what_a_controller_brings_back(api: ScriptedApi) -> None:
    """DaemonSets', static and finished pods stay, as with kubectl drain; all namespaces are looked at."""
    api.on("GET /api/v1/namespaces", items({"metadata": {"name": "shop"}}, {"metadata": {"name": "other"}}))
    finished = pod("job", status={"phase": "Succeeded"})
    shop = [pod("redis-0", owner="StatefulSet"), pod("static", owner="Node"), finished]
    api.on(f"GET {SHOP}/pods", items(*shop))
    other = [pod("x", owner="ReplicaSet", namespace="other"), pod("injector", owner="DaemonSet")]
    api.on("GET /api/v1/namespaces/other/pods", items(*other))

    assert [str(guest) for guest in leaving(api.cluster(), "agent-0")] == ["redis-0", "x"]


def test_drain_refuses_a_pod_that_nobody_would_bring_back(api: ScriptedApi) -> None:
    """A pod without a controller would be lost for good."""
    api.on("GET /api/v1/namespaces", items({"metadata": {"name": "shop"}}))
    api.on(f"GET {SHOP}/pods", items(pod("alone")))

    with pytest.raises(InjectionFailed, match="agent-0 cannot be drained: nobody would bring alone back"):
        leaving(api.cluster(), "agent-0")


def evicting(api: ScriptedApi, *answers: Say) -> Evicted:
    """Evict two pods, the second of which is answered so."""
    fault = Evicted("redis-1", "redis-2")

    class Deployment:
        cluster: Cluster = api.cluster()

        def pod_objects(self) -> dict[str, Any]:
            return {seat: pod(seat) for seat in fault.seats}

    api.on(f"POST {SHOP}/pods/redis-1/eviction", Say({}))
    api.on(f"POST {SHOP}/pods/redis-2/eviction", *answers)
    bench = Bench(cast("Sut", Deployment()), cast("Any", None))
    fault.prepare(bench)
    fault.inject(bench)
    return fault


def test_eviction_beyond_the_budget_is_an_answer_not_an_error(api: ScriptedApi) -> None:
    """429 is asked for once and kept with the API server's words; the granted one is told apart."""
    words = "Cannot evict pod as it would violate the pod's disruption budget."

    fault = evicting(api, status(429, "TooManyRequests", words))

    assert fault.granted == ("redis-1",)
    assert words in fault.refused["redis-2"]
    assert api.count(f"POST {SHOP}/pods/redis-2/eviction") == 1
    left = fault._as_answered([pod("redis-1")])
    assert left.reasons == ("the old pod on redis-1 is still there", "redis-2 left although it was refused")
    assert fault._as_answered([pod("redis-2")])


def test_eviction_that_is_refused_otherwise_is_an_error(api: ScriptedApi) -> None:
    """A missing permission is no disruption budget."""
    with pytest.raises(InjectionFailed, match="redis-2 was refused, and not by a budget"):
        evicting(api, status(403, "Forbidden", "no"))


def test_simulated_crash_is_known_by_its_exit_status() -> None:
    """Only a container that ended since, and with the status of the simulation, is the Sentinel that was hit."""

    def sentinel(code: int, restarts: int) -> dict[str, Any]:
        ended = {"name": "sentinel", "restartCount": restarts, "lastState": {"terminated": {"exitCode": code}}}
        return pod("redis-sentinel-1", status={"containerStatuses": [ended]})

    fault = CrashAfterElection()
    fault._restarts = {"redis-sentinel-1": 3}

    assert end_of(sentinel(SIMULATED_EXIT, 3), since=3) is None
    assert not fault._has_died([sentinel(SIMULATED_EXIT, 3)]), "it ended so before, not now"
    assert fault._has_died([sentinel(137, 4)]).reasons == ("redis-sentinel-1 ended with 137",)
    assert fault._has_died([sentinel(SIMULATED_EXIT, 4)])
    assert fault.hit == "redis-sentinel-1"


def test_sweep_finds_cordons_quotas_and_nodes(api: ScriptedApi) -> None:
    """What carries a mark of ours is undone and told; nodes come first."""
    marked = {"metadata": {"name": "agent-0", "annotations": {"e2e.redis/cordoned-by": "redis-0"}}}
    api.on("GET /api/v1/nodes", items(marked, {"metadata": {"name": "agent-1"}}))
    api.on(f"PATCH {NODE}", Say({}))
    api.on(f"GET {SHOP}/resourcequotas", items({"metadata": {"name": "e2e-seats-empty-1"}}))
    api.on(f"DELETE {SHOP}/resourcequotas/e2e-seats-empty-1", Say({}))
    api.on("GET /apis/apps/v1/namespaces/shop/statefulsets", items())

    class Mends:
        name = "k3d"

        def mend_nodes(self) -> list[str]:
            return ["node agent-1 was left paused: it goes on"]

    assert sweep_nodes(api.cluster(), cast("Provider", Mends())) == [
        "node agent-1 was left paused: it goes on",
        "node agent-0 was left cordoned by an earlier run: uncordoned",
        "quota e2e-seats-empty-1 was left by an earlier run: deleted",
    ]
    assert api.count(f"DELETE {SHOP}/resourcequotas/e2e-seats-empty-1") == 1


def test_sweep_without_anything_left_changes_nothing(api: ScriptedApi) -> None:
    """It only looks where there is nothing, also with a provider that has no nodes."""
    for kind in ("GET /api/v1/nodes", f"GET {SHOP}/resourcequotas", "GET /apis/apps/v1/namespaces/shop/statefulsets"):
        api.on(kind, items())

    assert sweep_nodes(api.cluster(), None) == []
    assert all(asked.startswith("GET") for asked in api.asked)
