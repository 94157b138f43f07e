from __future__ import annotations

from typing import Any

import pytest

from harness.cluster.readiness import container_troubles, every, is_ready, is_rolled_out, node_is_ready


def pod(*, containers: list[dict[str, Any]] | None = None, **status: Any) -> dict[str, Any]:
    """Return a pod with this status."""
    return {"kind": "Pod", "metadata": {"name": "p"}, "status": {"containerStatuses": containers or [], **status}}


def statefulset(**status: Any) -> dict[str, Any]:
    """Return a StatefulSet of three whose status differs from a rolled out one by `status`."""
    whole = {
        "observedGeneration": 2,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": "b",
        "updateRevision": "b",
    }
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "redis", "generation": 2},
        "spec": {"replicas": 3},
        "status": {**whole, **status},
    }


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"observedGeneration": 1}, "has not seen the newest version"),
        ({"readyReplicas": 2}, "2/3 ready"),
        ({"availableReplicas": 2}, "2/3 available"),
        ({"updateRevision": "c", "updatedReplicas": 1}, "1/3 of the newest revision"),
        ({"replicas": 2}, "2/3 of the newest revision"),
        ({"replicas": 4}, "4/3"),
    ],
)
def test_statefulset_is_not_rolled_out_for_a_reason(status: dict[str, Any], reason: str) -> None:
    """Whatever is missing from a rollout is named."""
    verdict = is_rolled_out(statefulset(**status))

    assert not verdict
    assert reason in str(verdict)


def test_statefulset_is_rolled_out() -> None:
    """Three of three, all new, all available."""
    assert is_rolled_out(statefulset())
    assert is_rolled_out(statefulset(updatedReplicas=0)), "the API leaves the count out when nothing is updating"


def test_pod_on_its_way_out_is_not_ready() -> None:
    """A pod that is being deleted is not ready, whatever its probes say."""
    leaving = pod(conditions=[{"type": "Ready", "status": "True"}])
    leaving["metadata"]["deletionTimestamp"] = "now"

    assert is_ready(pod(conditions=[{"type": "Ready", "status": "True"}]))
    assert str(is_ready(leaving)) == "p is being deleted"


@pytest.mark.parametrize(
    ("container", "told"),
    [
        (
            {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such host"}}},
            "container c waits: ImagePullBackOff: no such host",
        ),
        ({"state": {"waiting": {"reason": "CrashLoopBackOff"}}}, "container c waits: CrashLoopBackOff"),
        ({"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}, "ended with status 137 (OOMKilled)"),
        ({"state": {"running": {}}, "ready": False, "restartCount": 2}, "runs but is not ready (2 restarts)"),
    ],
)
def test_container_that_holds_a_pod_up_is_named(container: dict[str, Any], told: str) -> None:
    """Of an unready pod the container and its trouble are told."""
    unready = pod(containers=[{"name": "c", **container}], phase="Pending")

    assert told in container_troubles(unready)[0]
    assert told in str(is_ready(unready))


def test_pod_without_a_node_says_what_the_scheduler_said() -> None:
    """An unschedulable pod carries the scheduler's words."""
    condition = {"type": "PodScheduled", "status": "False", "message": "0/4 nodes are available"}

    assert "0/4 nodes are available" in str(is_ready(pod(conditions=[condition], phase="Pending")))


def test_every_names_what_is_missing() -> None:
    """Of many objects the absent and the unready are told, others are not looked at."""
    ready = {"kind": "Node", "metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    unready = {"kind": "Node", "metadata": {"name": "b"}, "status": {}}

    assert every(node_is_ready, count=1)([ready])
    assert str(every(node_is_ready, count=3)([ready, unready])) == "there are 2 of 3; Node b is not Ready"
    assert str(every(node_is_ready, names=["c"])([ready, unready])) == "c does not exist"
    assert not every(node_is_ready, names=["a"])([])
