"""Rendering the manifests, bringing them into a namespace of our own and waiting until they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from harness.cluster import Cluster, Object, is_owned
from harness.cluster.readiness import Readiness, container_troubles, every, is_ready, is_rolled_out
from harness.diagnosis import diagnosis
from harness.errors import ForeignCluster, ImageError, ManifestError, NotFound, WaitTimeout
from harness.programs import run_program
from harness.settings import OVERLAYS

Progress = Callable[[str], None]

RENDER_S = 60.0
#: Image pulls of a first run on a slow line included; on built images all stand after about 15 s.
ROLLED_OUT_S = 240.0
GONE_S = 120.0
CONTROLLERS = ("StatefulSet", "Deployment")
OWNERS = ("StatefulSet", "ReplicaSet")
#: Waiting reasons that time does not cure. ErrImagePull is missing: the first try may meet a hiccup.
HOPELESS = ("ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


def render(overlay: str, namespace: str, kubectl: Path) -> list[Object]:
    """Return the overlay's objects, moved to `namespace`. ManifestError with kustomize's telling line."""
    folder = OVERLAYS / overlay
    ran = run_program([kubectl, "kustomize", folder], seconds=RENDER_S)
    if not ran.ok:
        raise ManifestError(f"overlay {overlay} does not render: {ran.telling('error', 'Error')}")
    try:
        objects = [item for item in yaml.safe_load_all(ran.stdout) if item]
    except yaml.YAMLError as error:
        raise ManifestError(f"overlay {overlay} renders to no YAML: {' '.join(str(error).split())}") from error
    if not objects:
        raise ManifestError(f"overlay {overlay} renders to nothing")
    return in_namespace(objects, namespace)


def in_namespace(objects: Sequence[Mapping[str, Any]], namespace: str) -> list[Object]:
    """Return copies of the objects moved from the namespace that they bring along to another.

    Moves the Namespace itself, what lies in it and the subjects of role bindings; scripts ask for theirs at run time.
    """
    brought = [item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"]
    if len(brought) != 1:
        raise ManifestError(f"the manifests must bring exactly one Namespace along, not {len(brought)}")
    return [_moved(item, brought[0], namespace) for item in objects]


def deploy(cluster: Cluster, objects: Sequence[Object], progress: Progress, *, seconds: float = ROLLED_OUT_S) -> None:
    """Apply the objects to the cluster's namespace and return when all that they start is rolled out.

    The namespace is created, or is ours already; ForeignCluster when it is somebody else's. Raises ManifestError for an
    object that is refused, ImageError for an image that cannot be had, WaitTimeout with a diagnosis otherwise.
    """
    require_own_namespace(cluster)
    cluster.apply(objects)
    progress(f"namespace {cluster.namespace}: {len(objects)} objects applied")
    try:
        _await_pods(cluster, objects, seconds)
        controllers = [item for item in objects if item["kind"] in CONTROLLERS]
        cluster.gather([partial(_await_controller, cluster, item, seconds) for item in controllers])
    except WaitTimeout as error:
        raise WaitTimeout(f"{error}\n{diagnosis(cluster)}") from error
    progress(f"namespace {cluster.namespace}: all rolled out")


def undeploy(cluster: Cluster, *, seconds: float = GONE_S) -> None:
    """Delete the namespace with everything in it and return when it is gone; ForeignCluster when it is not ours.

    Its pods get no time to part: a primary's hand-over would wait for replicas that go as well (48 s were seen).
    """
    require_own_namespace(cluster)
    cluster.delete("Namespace", cluster.namespace, missing_ok=True)
    for pod in cluster.list("Pod"):
        cluster.delete("Pod", pod["metadata"]["name"], grace_s=0, missing_ok=True)
    _await_gone(cluster, seconds)


def require_own_namespace(cluster: Cluster) -> None:
    """Raise ForeignCluster when the namespace exists and was not made by the suite; waits while one is going away."""
    try:
        there = cluster.get("Namespace", cluster.namespace)
    except NotFound:
        return
    if there["metadata"].get("deletionTimestamp"):
        _await_gone(cluster, GONE_S)
        return
    if not is_owned(there):
        raise ForeignCluster(
            f"namespace {cluster.namespace} exists and was not made by this suite, so it is left alone: "
            "give --namespace another name, or remove it"
        )


def _await_gone(cluster: Cluster, seconds: float) -> None:
    name = cluster.namespace
    cluster.wait_for("Namespace", name=name, until=lambda there: not there, seconds=seconds, what=f"{name} to be gone")


def _await_pods(cluster: Cluster, objects: Sequence[Object], seconds: float) -> None:
    """Return when as many pods are ready as the objects ask for; ImageError as soon as one never will be."""
    wanted = sum(item["spec"].get("replicas", 1) for item in objects if item["kind"] in CONTROLLERS)

    def enough(there: list[Object]) -> Readiness:
        pods = [pod for pod in there if _is_made_by_a_controller(pod)]
        for pod in pods:
            _require_images(pod)
        states = [is_ready(pod) for pod in pods]
        if sum(map(bool, states)) >= wanted:
            return Readiness()
        missing = (f"{len(pods)} of {wanted} pods exist",) if len(pods) < wanted else ()
        return Readiness(missing + tuple(reason for state in states for reason in state.reasons))

    cluster.wait_for("Pod", until=enough, seconds=seconds, what=f"{wanted} pods to be ready")


def _is_made_by_a_controller(pod: Object) -> bool:
    # What else runs in the namespace (the witness, say) is awaited by whoever started it.
    return any(owner.get("kind") in OWNERS for owner in pod["metadata"].get("ownerReferences") or [])


def _require_images(pod: Object) -> None:
    for trouble in container_troubles(pod):
        if any(f"waits: {reason}" in trouble for reason in HOPELESS):
            raise ImageError(f"{pod['metadata']['name']}: {trouble}")


def _await_controller(cluster: Cluster, item: Object, seconds: float) -> None:
    kind, name = item["kind"], item["metadata"]["name"]
    until = every(is_rolled_out, names=[name])
    cluster.wait_for(kind, name=name, until=until, seconds=seconds, what=f"{kind} {name} to be rolled out")


def _moved(item: Mapping[str, Any], old: str, new: str) -> Object:
    moved = dict(item)
    metadata = moved["metadata"] = dict(item["metadata"])
    if item["kind"] == "Namespace":
        metadata["name"] = new
    elif metadata.get("namespace") == old:
        metadata["namespace"] = new
    if item.get("subjects"):
        moved["subjects"] = [
            {**subject, "namespace": new} if subject.get("namespace") == old else subject
            for subject in item["subjects"]
        ]
    return moved
