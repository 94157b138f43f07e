"""Removing a k3d cluster that is ours, completely, and no other.

By Docker alone: ``k3d cluster delete`` does the same, but edits the user's default kubeconfig on its way.
"""

from __future__ import annotations

from harness.cluster import OWNER, OWNER_LABEL
from harness.errors import ForeignCluster, ProviderError
from harness.leftovers import Place
from harness.providers.docker import Remains, docker, engine_answers, remains_of
from harness.settings import Settings

#: A node that is paused or under load takes seconds to be killed.
REMOVE_S = 90.0


def remove_cluster(settings: Settings) -> str:
    """Remove the cluster of the settings, whoever of us made it; return what was done, in one line.

    Raises ForeignCluster when it is somebody else's, ProviderError when it is in use or cannot be removed.
    """
    place = Place(settings.state_dir, settings.cluster_name)
    if not engine_answers() and place.read() is None:
        return f"nothing to remove: no cluster {place.name} is known, and no Docker engine answers"
    place.claim()
    try:
        place.end_orphans()
        there = remains_of(place.name)
        if there:
            require_ours(there, place)
            delete(place)
        place.forget()
    finally:
        place.yield_up()
    return f"cluster {place.name}: removed" if there else f"nothing to remove: there is no cluster {place.name}"


def require_ours(there: Remains, place: Place) -> None:
    """Raise ForeignCluster unless every node carries our label, or our record explains a rest without nodes."""
    foreign = [node.name for node in there.nodes if node.labels.get(OWNER_LABEL) != OWNER]
    if foreign or (not there.nodes and place.read() is None):
        raise ForeignCluster(
            f"cluster {place.name} exists and was not made by this suite, so it is left alone ({there}): "
            "give --cluster-name another name"
        )


def delete(place: Place) -> None:
    """Delete everything under the cluster's name, its volumes included; ProviderError naming what is still there."""
    there = remains_of(place.name)
    if there.containers:
        # One command for all: they are killed side by side.
        docker("rm", "--force", "--volumes", *(container.name for container in there.containers), seconds=REMOVE_S)
    for network in there.networks:
        docker("network", "rm", network)
    for volume in there.volumes:
        docker("volume", "rm", volume)
    left = remains_of(place.name)
    if left:
        raise ProviderError(f"cluster {place.name} is not gone, left are: {left}")
