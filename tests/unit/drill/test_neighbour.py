from __future__ import annotations

from harness.drill.neighbour import strangers
from tests.unit.topologies import healthy, member, with_sentinel

NAMESPACE = "jewelry-shop"


def test_hosts_of_the_own_namespace_are_no_strangers() -> None:
    """A healthy deployment names its own hosts only."""
    assert strangers(healthy(), NAMESPACE) == []


def test_host_of_another_namespace_is_a_stranger() -> None:
    """A Sentinel that counts another deployment's member says so by its host, however alike the seat is called."""
    foreign = "redis-2.redis-headless.elsewhere.svc.cluster.local"
    topology = healthy()
    merged = with_sentinel(
        topology, "redis-sentinel-1", replicas=(*topology.sentinels[1].replicas, member("redis-2", host=foreign))
    )

    assert strangers(merged, NAMESPACE) == [f"redis-sentinel-1 of {NAMESPACE} names {foreign}"]


def test_primary_of_another_namespace_is_a_stranger() -> None:
    """A Sentinel that was taken over names another deployment's primary."""
    foreign = "redis-0.redis-headless.elsewhere.svc.cluster.local"

    assert strangers(with_sentinel(healthy(), "redis-sentinel-0", primary_host=foreign), NAMESPACE)
