from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import deploy as subject
from harness.cluster import connection
from harness.deploy import deploy, in_namespace, render, require_own_namespace, undeploy
from harness.errors import ForeignCluster, ImageError, ManifestError, WaitTimeout
from tests.unit.api_server import Say, ScriptedApi, scripted_api, status

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "jewelry-shop"}}
SHOP = "/api/v1/namespaces/shop"
OURS = {"name": "shop", "uid": "n", "labels": {"e2e.redis/owner": "redis-e2e"}}


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedApi]:
    """Return a scripted API server."""
    monkeypatch.setattr(connection, "RETRY_S", 0.1)
    with scripted_api(tmp_path) as running:
        yield running


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a stand-in for kubectl that writes `output` and ends with the status in `status`."""
    (tmp_path / "overlays" / "default").mkdir(parents=True)
    monkeypatch.setattr(subject, "OVERLAYS", tmp_path / "overlays")
    path = tmp_path / "kubectl"
    path.write_text(f'#!/bin/sh\ncat {tmp_path}/output; cat {tmp_path}/error >&2; exit "$(cat {tmp_path}/status)"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    for name, text in (("output", ""), ("error", ""), ("status", "0")):
        (tmp_path / name).write_text(text)
    return path


def test_objects_move_to_the_runs_namespace() -> None:
    """The Namespace, what lies in it and role bindings' subjects move; other namespaces are left as they are."""
    subject_of = {"kind": "ServiceAccount", "name": "l", "namespace": "jewelry-shop"}
    objects: list[dict[str, Any]] = [
        NAMESPACE,
        {"kind": "Service", "metadata": {"name": "redis", "namespace": "jewelry-shop"}},
        {"kind": "RoleBinding", "metadata": {"name": "b", "namespace": "jewelry-shop"}, "subjects": [subject_of]},
        {"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "elsewhere"}},
    ]

    moved = in_namespace(objects, "shop")

    assert moved[0]["metadata"]["name"] == "shop"
    assert [item["metadata"].get("namespace") for item in moved] == [None, "shop", "shop", "elsewhere"]
    assert moved[2]["subjects"][0]["namespace"] == "shop"
    assert subject_of["namespace"] == "jewelry-shop"


@pytest.mark.parametrize("namespaces", [0, 2])
def test_manifests_bring_one_namespace(namespaces: int) -> None:
    """Without knowing which namespace is meant nothing is moved."""
    with pytest.raises(ManifestError, match=f"exactly one Namespace along, not {namespaces}"):
        in_namespace([NAMESPACE] * namespaces, "shop")


@pytest.mark.parametrize(
    ("output", "error", "ended", "complaint"),
    [
        (
            "",
            "Warning: old\nerror: yaml: line 3: mapping values\n",
            "1",
            "does not render: error: yaml: line 3: mapping",
        ),
        ("a: {", "", "0", "renders to no YAML"),
        ("", "", "0", "renders to nothing"),
    ],
)
def test_manifests_that_do_not_render_are_one_line(
    output: str, error: str, ended: str, complaint: str, kubectl: Path
) -> None:
    """Of kustomize's output the telling line is shown, with the overlay's name."""
    for name, text in (("output", output), ("error", error), ("status", ended)):
        (kubectl.parent / name).write_text(text)

    with pytest.raises(ManifestError, match=rf"^overlay default {complaint}[^\n]*$"):
        render("default", "shop", kubectl)


def test_namespace_of_somebody_else_is_left_alone(api: ScriptedApi) -> None:
    """A namespace without our label is neither deployed to nor deleted."""
    api.on(f"GET {SHOP}", Say({"kind": "Namespace", "metadata": {"name": "shop", "labels": {}}}))

    with pytest.raises(ForeignCluster, match="namespace shop exists and was not made by this suite"):
        deploy(api.cluster(), [NAMESPACE], print)
    with pytest.raises(ForeignCluster, match="left alone"):
        undeploy(api.cluster())

    assert set(api.asked) == {f"GET {SHOP}"}


def test_namespace_that_goes_away_is_waited_for(api: ScriptedApi) -> None:
    """The rest of an earlier run's namespace is not deployed into."""
    leaving = {"kind": "Namespace", "metadata": {**OURS, "deletionTimestamp": "now"}}
    api.on(f"GET {SHOP}", Say(leaving))
    api.on("GET /api/v1/namespaces", Say({"metadata": {"resourceVersion": "1"}, "items": [leaving]}))
    gone = {"type": "DELETED", "object": leaving}
    api.on("GET /api/v1/namespaces (watch)", Say(stream=(gone,)))

    require_own_namespace(api.cluster())

    assert api.count("GET /api/v1/namespaces (watch)") == 1


def deployment_with(api: ScriptedApi, state: dict[str, Any]) -> list[dict[str, Any]]:
    """Script a StatefulSet of one whose container is in `state`; return the objects to deploy."""
    statefulset = {"kind": "StatefulSet", "metadata": {"name": "redis", "namespace": "shop"}, "spec": {"replicas": 1}}
    pod = {
        "metadata": {"name": "redis-0", "uid": "p", "ownerReferences": [{"kind": "StatefulSet", "name": "redis"}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "redis", "ready": False, "state": state}]},
    }
    api.on(f"GET {SHOP}", Say({"kind": "Namespace", "metadata": OURS}))
    api.on("PATCH /apis/apps/v1/namespaces/shop/statefulsets/redis", Say())
    api.on(f"GET {SHOP}/pods", Say({"metadata": {"resourceVersion": "1"}, "items": [pod]}))
    api.on(f"GET {SHOP}/pods (watch)", Say(stream=()))
    api.on(f"GET {SHOP}/pods/redis-0/log", Say(b"Fatal error, can't open config file\n"))
    event = {
        "metadata": {"creationTimestamp": "t"},
        "type": "Warning",
        "reason": "BackOff",
        "message": "back-off restarting",
        "involvedObject": {"kind": "Pod", "name": "redis-0"},
    }
    api.on(f"GET {SHOP}/events", Say({"items": [event]}))
    return [statefulset]


def test_image_that_cannot_be_pulled_ends_the_wait_at_once(api: ScriptedApi) -> None:
    """Nobody waits minutes for an image that will not come."""
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "redis:nope"'}}
    objects = deployment_with(api, waiting)

    with pytest.raises(ImageError, match=r'redis-0: container redis waits: ImagePullBackOff: .*"redis:nope"'):
        deploy(api.cluster(), objects, print, seconds=30)


def test_deployment_that_does_not_stand_is_diagnosed(api: ScriptedApi) -> None:
    """The message names pod, container, reason, its last words and the warnings."""
    objects = deployment_with(api, {"waiting": {"reason": "CrashLoopBackOff"}})

    with pytest.raises(WaitTimeout) as caught:
        deploy(api.cluster(), objects, print, seconds=0.2)

    text = str(caught.value)
    assert "for 1 pods to be ready" in text
    assert "pod redis-0: redis-0: container redis waits: CrashLoopBackOff" in text
    assert "redis | Fatal error, can't open config file" in text
    assert "warning Pod redis-0: BackOff: back-off restarting" in text


def test_diagnosis_never_hides_the_trouble_it_is_about(api: ScriptedApi) -> None:
    """An API server that fails while the diagnosis is made costs the diagnosis only."""
    objects = deployment_with(api, {"waiting": {"reason": "CrashLoopBackOff"}})
    api.on(f"GET {SHOP}/events", status(403, "Forbidden", "no events for you"))

    with pytest.raises(WaitTimeout, match=r"no diagnosis: .*no events for you"):
        deploy(api.cluster(), objects, print, seconds=0.2)


def test_pods_of_a_namespace_that_goes_get_no_time_to_part(api: ScriptedApi) -> None:
    """The namespace first, so that no controller replaces them; then each pod at once."""
    namespace = {"kind": "Namespace", "metadata": OURS}
    api.on(f"GET {SHOP}", Say(namespace))
    api.on(f"DELETE {SHOP}", Say({}))
    api.on(f"GET {SHOP}/pods", Say({"items": [{"metadata": {"name": "redis-0"}}, {"metadata": {"name": "redis-1"}}]}))
    api.on(f"DELETE {SHOP}/pods/redis-0", Say({}))
    api.on(f"DELETE {SHOP}/pods/redis-1", status(404, "NotFound", "pods redis-1 not found"))
    api.on("GET /api/v1/namespaces", Say({"metadata": {"resourceVersion": "1"}, "items": []}))

    undeploy(api.cluster())

    deletions = [asked for asked in api.asked if asked.startswith("DELETE")]
    assert deletions == [f"DELETE {SHOP}", f"DELETE {SHOP}/pods/redis-0", f"DELETE {SHOP}/pods/redis-1"]
