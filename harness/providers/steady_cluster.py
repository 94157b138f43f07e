"""Waiting until a fresh cluster can take a deployment: k3d's own ``--wait`` covers the servers only."""

from __future__ import annotations

from collections.abc import Callable

from harness.cluster import Cluster, Object
from harness.cluster.readiness import Readiness, deployment_is_rolled_out, every, node_is_ready
from harness.errors import WaitTimeout

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SYSTEM = "kube-system"


def await_usable(cluster: Cluster, *, nodes: int, seconds: float) -> None:
    """Return when all nodes are Ready, DNS runs and claims find a default class; WaitTimeout says what is missing."""
    waits: list[Callable[[], object]] = [
        lambda: cluster.wait_for(
            "Node", until=every(node_is_ready, count=nodes), seconds=seconds, what=f"{nodes} nodes to be Ready"
        ),
        lambda: cluster.wait_for(
            "Deployment",
            name="coredns",
            namespace=SYSTEM,
            until=every(deployment_is_rolled_out, names=["coredns"]),
            seconds=seconds,
            what="cluster DNS",
        ),
        lambda: cluster.wait_for("StorageClass", until=_has_default, seconds=seconds, what="a default StorageClass"),
    ]
    cluster.gather(waits)


def is_usable(cluster: Cluster, *, nodes: int, seconds: float) -> str | None:
    """Say why the cluster is not usable within `seconds`; None when it is."""
    try:
        await_usable(cluster, nodes=nodes, seconds=seconds)
    except WaitTimeout as error:
        return " ".join(str(error).split())
    return None


def _has_default(classes: list[Object]) -> Readiness:
    marks = [(item["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) for item in classes]
    return Readiness() if "true" in marks else Readiness((f"none of {len(classes)} classes is the default",))
