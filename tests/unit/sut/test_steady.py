from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from harness.sut import Topology, is_steady
from tests.unit.topologies import healthy, host, member, with_pod, with_redis, with_sentinel

Change = Callable[[Topology], Topology]

NOT_STEADY: dict[str, tuple[Change, str]] = {
    "a seat without a pod": (lambda t: dataclasses.replace(t, absent=("redis-2",)), "redis-2 has no pod"),
    "an instance that is silent": (
        lambda t: dataclasses.replace(t, silent={"redis-1": "Connection refused"}),
        "redis-1 does not answer: Connection refused",
    ),
    "a pod on its way out": (lambda t: with_pod(t, "redis-1", terminating=True), "redis-1 is being deleted"),
    "a pod that is not Ready": (lambda t: with_pod(t, "redis-1", ready=False), "redis-1 is not Ready"),
    "two primaries": (lambda t: with_redis(t, "redis-2", role="primary", follows=None), "primaries: redis-0, redis-2"),
    "no primary": (lambda t: with_redis(t, "redis-0", role="replica", follows="redis-1"), "primaries: none"),
    "a link that is down": (lambda t: with_redis(t, "redis-1", link_up=False), "redis-1 has its link down"),
    "a replica in full sync": (lambda t: with_redis(t, "redis-1", syncing=True), "redis-1 has its link in sync"),
    "a chain": (lambda t: with_redis(t, "redis-2", follows="redis-1"), "redis-2 follows redis-1, not redis-0"),
    "a data set being loaded": (lambda t: with_redis(t, "redis-1", loading=True), "redis-1 is loading"),
    "a Sentinel behind": (
        lambda t: with_sentinel(t, "redis-sentinel-2", primary_host=host("redis-1")),
        "redis-sentinel-2 names redis-1 as primary, not redis-0",
    ),
    "a primary called down": (
        lambda t: with_sentinel(t, "redis-sentinel-0", primary_flags=frozenset({"master", "s_down"})),
        "redis-sentinel-0 flags the primary master,s_down",
    ),
    "a leftover replica": (
        lambda t: with_sentinel(t, "redis-sentinel-0", replicas=(*t.sentinels[0].replicas, member("redis-9"))),
        "redis-sentinel-0 knows a replica redis-9 that is none",
    ),
    "an unknown replica": (
        lambda t: with_sentinel(t, "redis-sentinel-0", replicas=(member("redis-1"),)),
        "redis-sentinel-0 does not know replica redis-2",
    ),
    "a replica called down": (
        lambda t: with_sentinel(
            t, "redis-sentinel-0", replicas=(member("redis-1"), member("redis-2", flags=frozenset({"slave", "s_down"})))
        ),
        "redis-sentinel-0 sees replica redis-2 as s_down,slave",
    ),
    "a Sentinel that is only being connected to": (
        lambda t: with_sentinel(
            t, "redis-sentinel-0", sentinels=(member("redis-sentinel-1"), member("redis-sentinel-2", silent_s=4.4))
        ),
        "redis-sentinel-0 has not heard Sentinel redis-sentinel-2 for 4.4 s",
    ),
    "a Sentinel in tilt": (lambda t: with_sentinel(t, "redis-sentinel-1", tilt=True), "redis-sentinel-1 is in tilt"),
    "a Sentinel in its cool-down": (
        lambda t: with_sentinel(t, "redis-sentinel-1", cooling_down_s=42.0),
        "redis-sentinel-1 starts no failover for another 42 s",
    ),
    "no quorum": (
        lambda t: with_sentinel(t, "redis-sentinel-1", quorum_check="NOQUORUM 1 usable Sentinels"),
        "redis-sentinel-1 has no quorum: NOQUORUM 1",
    ),
    "two epochs": (
        lambda t: with_sentinel(t, "redis-sentinel-1", config_epoch=8),
        "the Sentinels are in different config epochs: [7, 8]",
    ),
}


def test_a_healthy_deployment_is_steady() -> None:
    """Nothing speaks against three followers, three agreeing Sentinels and one epoch."""
    assert is_steady(healthy())


@pytest.mark.parametrize("what", NOT_STEADY)
def test_whatever_is_under_way_is_named(what: str) -> None:
    """Each thing that is missing or under way makes the deployment unsteady and is named."""
    change, reason = NOT_STEADY[what]

    verdict = is_steady(change(healthy()))

    assert not verdict
    assert any(reason in each for each in verdict.reasons), verdict.reasons
