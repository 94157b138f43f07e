"""A StatefulSet runs the promised number of instances, all Ready and of one revision, as the report sizes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.sut.names import EXPORTER_CONTAINER, INSTANCES, Kind

#: Report, "Components Deployed": requests and limits of the main container of each StatefulSet.
PROMISED_RESOURCES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "redis": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
    "redis-sentinel": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"cpu": "200m", "memory": "256Mi"}},
}


def against_stateful_set(found: Mapping[str, Any], kind: Kind) -> Iterator[str]:
    """Yield what is wrong with the StatefulSet object of `kind`."""
    name, spec, status = kind.stateful_set, found["spec"], found.get("status", {})
    if spec["replicas"] != INSTANCES:
        yield f"StatefulSet {name} asks for {spec['replicas']} instances, {INSTANCES} are promised"
    ready = status.get("readyReplicas", 0)
    if ready != INSTANCES:
        yield f"StatefulSet {name} has {ready} of {INSTANCES} instances Ready"
    if status.get("observedGeneration") != found["metadata"]["generation"]:
        yield f"StatefulSet {name} was changed and the change is not taken up yet"
    updated = status.get("updatedReplicas", 0)
    if status.get("currentRevision") != status.get("updateRevision") and updated != spec["replicas"]:
        yield f"StatefulSet {name} is in mid-rollout: {updated} of {spec['replicas']} instances are of the new revision"
    if spec.get("podManagementPolicy") != "Parallel":
        yield f"StatefulSet {name} starts its pods one after another: after an outage pod 0 would block all others"
    yield from _against_containers(spec["template"]["spec"]["containers"], kind)


def _against_containers(containers: list[Mapping[str, Any]], kind: Kind) -> Iterator[str]:
    by_name = {container["name"]: container for container in containers}
    missing = {kind.container, EXPORTER_CONTAINER} - set(by_name)
    yield from (f"StatefulSet {kind.stateful_set} has no container {name}" for name in sorted(missing))
    if kind.container not in by_name:
        return
    resources = by_name[kind.container].get("resources", {})
    for sort, promised in PROMISED_RESOURCES[kind.stateful_set].items():
        for resource, amount in promised.items():
            given = resources.get(sort, {}).get(resource)
            if given != amount:
                yield f"container {kind.container} {sort} {resource} {given or 'nothing'}, {amount} is promised"
