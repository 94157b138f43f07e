"""What a run that was killed left on nodes and seats, found by its marks and undone by the next one."""

from __future__ import annotations

from harness.cluster import Cluster
from harness.faults.pods import cordoned_by_the_suite, uncordon
from harness.faults.pods_held import release_held_seats
from harness.faults.sentinels_leader import clear_simulated_failures
from harness.faults.sentinels_renamed import forget_ghosts
from harness.faults.settings import set_as_before
from harness.providers import MendsNodes


def sweep_nodes(cluster: Cluster, provider: object) -> list[str]:
    """Give back every node and seat that an earlier run took; return one line for each.

    Nodes first: nothing else can be undone on one that is stopped. Harmless when there is nothing.
    """
    healed = provider.mend_nodes() if isinstance(provider, MendsNodes) else []
    for node in cordoned_by_the_suite(cluster):
        uncordon(cluster, node)
        healed.append(f"node {node} was left cordoned by an earlier run: uncordoned")
    healed += [f"quota {name} was left by an earlier run: deleted" for name in release_held_seats(cluster)]
    healed += [
        f"{seat} was left told to crash by an earlier run: cleared" for seat in clear_simulated_failures(cluster)
    ]
    healed += [f"{seat} still counted a Sentinel of an earlier run: it forgot" for seat in forget_ghosts(cluster)]
    healed += set_as_before(cluster)
    return healed
