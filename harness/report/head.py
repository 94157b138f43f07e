"""What the head of the report says of the deployment, as it answered itself."""

from __future__ import annotations

from typing import Any

from harness.errors import HarnessError
from harness.observations.metrics import samples
from harness.properties.exporters import label
from harness.sut import Sut
from harness.sut.topology import Topology


def describe_deployment(head: dict[str, Any], sut: Sut) -> None:
    """Fill `head` with versions, nodes and settings of what runs; what does not answer is named, not left out."""
    head["versions"] |= {"Kubernetes": sut.cluster.version()}
    head["nodes"] = [node["metadata"]["name"] for node in sut.cluster.list("Node")]
    topology = sut.topology()
    head["versions"] |= {
        "Redis": ", ".join(sorted({view.version for view in topology.redis})) or "no instance answers",
        "redis_exporter": _exporter_version(sut, topology),
    }
    for view in topology.sentinels[:1]:
        head["settings"] |= {
            "namespace": sut.cluster.namespace,
            "quorum": view.quorum,
            "down-after": f"{view.down_after_s:g} s",
            "failover-timeout": f"{view.failover_timeout_s:g} s",
            "parallel-syncs": view.parallel_syncs,
        }


def _exporter_version(sut: Sut, topology: Topology) -> str:
    for pod in topology.pods:
        try:
            return label(samples(sut, pod.seat), "redis_exporter_build_info", "version") or "tells no version"
        except HarnessError as error:
            return f"does not answer: {error}"
    return "there is no pod"
