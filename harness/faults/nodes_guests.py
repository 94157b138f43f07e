"""Which nodes may be hit: never the one that carries the API server, the cluster's DNS or our own witness."""

from __future__ import annotations

from harness.cluster import Cluster, Object
from harness.errors import InjectionFailed

#: Put on k3d's server by k3d-config.yaml; the other two are Kubernetes' own words for it.
SERVER_LABELS = ("e2e.redis/server", "node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")

#: Without DNS everything fails for another reason than the one that was to be shown, and without the witness nobody
#: sees it. (namespace, label) -> who that is; the namespace "" is the deployment's.
GUESTS = {
    ("kube-system", "k8s-app=kube-dns"): "the cluster's DNS",
    ("", "app.kubernetes.io/name=witness"): "the witness",
}


def require_expendable(cluster: Cluster, node: str) -> None:
    """Raise InjectionFailed, naming what sits there, when a drill cannot do without `node`."""
    reasons = [f"{who} ({pod['metadata']['name']}) runs there" for who, pod in _guests(cluster, node)]
    labels = cluster.get("Node", node)["metadata"].get("labels", {})
    if any(label in labels for label in SERVER_LABELS):
        reasons.insert(0, "it carries the API server")
    if reasons:
        raise InjectionFailed(f"node {node} must not be hit: {', '.join(reasons)}")


def _guests(cluster: Cluster, node: str) -> list[tuple[str, Object]]:
    where = f"spec.nodeName={node}"
    return [
        (who, pod)
        for (namespace, label), who in GUESTS.items()
        for pod in cluster.list("Pod", selector=label, fields=where, namespace=namespace or cluster.namespace)
    ]
