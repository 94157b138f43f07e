"""What a run that was killed in mid-drill left in the cluster, found and undone by the next one."""

from __future__ import annotations

from harness.cluster import Cluster
from harness.faults.pods import cordoned_by_the_suite, uncordon


def sweep(cluster: Cluster) -> list[str]:
    """Undo every fault of an earlier run; return one line for each."""
    healed = []
    for node in cordoned_by_the_suite(cluster):
        uncordon(cluster, node)
        healed.append(f"node {node} was left cordoned by an earlier run: uncordoned")
    return healed
