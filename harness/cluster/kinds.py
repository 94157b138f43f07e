"""Kubernetes kinds: where each lives in the API and in which order they are applied.

A table instead of API discovery: discovery costs a dozen requests, and the suite touches these kinds only. The group
versions are those served by Kubernetes 1.25 and later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from harness.errors import ClusterError

#: An object as decoded from the API's JSON.
Object: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind's place in the API."""

    name: str
    api_version: str
    plural: str
    namespaced: bool = True

    @property
    def root(self) -> str:
        """Path of its group version, without a trailing slash."""
        return f"/api/{self.api_version}" if "/" not in self.api_version else f"/apis/{self.api_version}"

    def collection(self, namespace: str | None) -> str:
        """Path of all objects of the kind; `namespace` is ignored for cluster-wide kinds, None means everywhere."""
        if self.namespaced and namespace is not None:
            return f"{self.root}/namespaces/{namespace}/{self.plural}"
        return f"{self.root}/{self.plural}"


# In the order of application: what others refer to comes first.
_KINDS = (
    Kind("Namespace", "v1", "namespaces", namespaced=False),
    Kind("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses", namespaced=False),
    Kind("StorageClass", "storage.k8s.io/v1", "storageclasses", namespaced=False),
    Kind("ResourceQuota", "v1", "resourcequotas"),
    Kind("LimitRange", "v1", "limitranges"),
    Kind("ServiceAccount", "v1", "serviceaccounts"),
    Kind("ClusterRole", "rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
    Kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    Kind("Role", "rbac.authorization.k8s.io/v1", "roles"),
    Kind("RoleBinding", "rbac.authorization.k8s.io/v1", "rolebindings"),
    Kind("Secret", "v1", "secrets"),
    Kind("ConfigMap", "v1", "configmaps"),
    Kind("NetworkPolicy", "networking.k8s.io/v1", "networkpolicies"),
    Kind("PodDisruptionBudget", "policy/v1", "poddisruptionbudgets"),
    Kind("PersistentVolume", "v1", "persistentvolumes", namespaced=False),
    Kind("PersistentVolumeClaim", "v1", "persistentvolumeclaims"),
    Kind("Service", "v1", "services"),
    Kind("DaemonSet", "apps/v1", "daemonsets"),
    Kind("Deployment", "apps/v1", "deployments"),
    Kind("StatefulSet", "apps/v1", "statefulsets"),
    Kind("Job", "batch/v1", "jobs"),
    Kind("CronJob", "batch/v1", "cronjobs"),
    Kind("Pod", "v1", "pods"),
    # Never applied, only read
    Kind("ControllerRevision", "apps/v1", "controllerrevisions"),
    Kind("ReplicaSet", "apps/v1", "replicasets"),
    Kind("Endpoints", "v1", "endpoints"),
    Kind("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
    Kind("Event", "v1", "events"),
    Kind("Lease", "coordination.k8s.io/v1", "leases"),
    Kind("Node", "v1", "nodes", namespaced=False),
)
_BY_NAME = {kind.name: kind for kind in _KINDS}
_ORDER = {kind.name: rank for rank, kind in enumerate(_KINDS)}


def kind_of(name: str) -> Kind:
    """Return the kind called `name` ("StatefulSet"); ClusterError when the suite does not know it."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise ClusterError(f"kind {name!r} is not in the table of harness/cluster/kinds.py: add it there") from None


def in_order(objects: list[Object]) -> list[Object]:
    """Sort so that what others refer to comes first; unknown kinds go last, where applying them says so."""
    return sorted(objects, key=lambda item: _ORDER.get(str(item.get("kind")), len(_ORDER)))


def called(item: Object) -> str:
    """Name an object for a message: ``StatefulSet redis``."""
    return f"{item.get('kind', 'object')} {item.get('metadata', {}).get('name', '(without a name)')}"
