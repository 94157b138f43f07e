"""Seeded defects of what the instances say: each is found, by the check that owns it, in words that name the cause."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from harness.properties import VacuousObservation
from harness.properties.monitoring import against_monitoring
from harness.properties.replication import against_progress, against_replication
from harness.sut import Topology
from harness.sut.topology import Link
from tests.unit.topologies import healthy, host, member, with_redis, with_sentinel

Change = Callable[[Topology], Topology]

REPLICATION: dict[str, tuple[Change, str]] = {
    "standalone": (
        lambda t: with_redis(t, "redis-2", role="primary", follows=None),
        "redis-0 and redis-2 say that they are primary; exactly one must",
    ),
    "no primary": (lambda t: with_redis(t, "redis-0", role="replica", follows="redis-1"), "nobody say"),
    "chained": (lambda t: with_redis(t, "redis-2", follows="redis-1"), "the chain is longer than one"),
    "stranger": (lambda t: with_redis(t, "redis-2", follows="10.1.2.3"), "redis-2 follows 10.1.2.3, which is not"),
    "link down": (lambda t: with_redis(t, "redis-1", link_up=False), "redis-1 has its link to redis-0 down"),
    "full sync": (lambda t: with_redis(t, "redis-1", syncing=True), "redis-1 is in a full synchronisation"),
    "priority 0": (lambda t: with_redis(t, "redis-1", priority=0), "Sentinel never promotes it"),
    "not listed": (
        lambda t: with_redis(t, "redis-0", replicas=(Link(host("redis-1"), "online", 1, 0),)),
        "redis-0 does not list redis-2",
    ),
    "not online": (
        lambda t: with_redis(t, "redis-0", replicas=tuple(Link(host(s), "wait_bgsave", 1, 0) for s in t.replicas)),
        "redis-0 sees its replica redis-1 as wait_bgsave",
    ),
}

MONITORING: dict[str, tuple[Change, str]] = {
    "quorum 1 on one": (
        lambda t: with_sentinel(t, "redis-sentinel-1", quorum=1),
        "redis-sentinel-1 has quorum 1, 2 is due: 1 of 3 Sentinels could call a healthy primary down",
    ),
    "quorum 3": (
        lambda t: with_sentinel(t, "redis-sentinel-2", quorum=3),
        "redis-sentinel-2 has quorum 3, 2 is due: with 1 Sentinel(s) lost nobody would be promoted",
    ),
    "slow detection": (
        lambda t: with_sentinel(t, "redis-sentinel-0", down_after_s=60.0),
        "needs up to 66 s for a failover (down-after 60 s), 30 s are promised",
    ),
    "long retry": (
        lambda t: with_sentinel(t, "redis-sentinel-0", failover_timeout_s=180.0),
        "has failover-timeout 180 s: it would wait 360 s after a failed attempt",
    ),
    "parallel syncs": (lambda t: with_sentinel(t, "redis-sentinel-0", parallel_syncs=2), "parallel-syncs 2"),
    "another primary": (
        lambda t: with_sentinel(t, "redis-sentinel-0", primary_host=host("redis-1")),
        "the Sentinels name different primaries: redis-0, redis-1",
    ),
    "nobody": (lambda t: with_sentinel(t, "redis-sentinel-0", primary_host=""), "names nobody as primary"),
    "primary down": (
        lambda t: with_sentinel(t, "redis-sentinel-0", primary_flags=frozenset({"master", "s_down"})),
        "redis-sentinel-0 sees the primary redis-0 as s_down",
    ),
    "tilt": (lambda t: with_sentinel(t, "redis-sentinel-0", tilt=True), "is in tilt"),
    "no quorum": (
        lambda t: with_sentinel(t, "redis-sentinel-0", quorum_check="NOQUORUM 1 usable Sentinels"),
        "could not authorise a failover: NOQUORUM 1",
    ),
    "unknown replica": (
        lambda t: with_sentinel(t, "redis-sentinel-0", replicas=(member("redis-1"),)),
        "redis-sentinel-0 does not know the replica redis-2",
    ),
    "replica down": (
        lambda t: with_sentinel(
            t, "redis-sentinel-0", replicas=(member("redis-1", flags=frozenset({"slave", "s_down"})), member("redis-2"))
        ),
        "sees the replica redis-1 as s_down",
    ),
    "leftover": (
        lambda t: with_sentinel(t, "redis-sentinel-0", replicas=(*t.sentinels[0].replicas, member("redis-7"))),
        "knows a replica redis-7 that is no seat of this deployment",
    ),
    "twice": (
        lambda t: with_sentinel(t, "redis-sentinel-0", replicas=(*t.sentinels[0].replicas, member("redis-1"))),
        "lists 3 replicas for 2 seats",
    ),
    "never promoted": (
        lambda t: with_sentinel(t, "redis-sentinel-0", replicas=(member("redis-1", priority=0), member("redis-2"))),
        "would never promote redis-1",
    ),
    "silent": (lambda t: dataclasses.replace(t, silent={"redis-sentinel-2": "refused"}), "redis-sentinel-2 does not"),
}


def test_a_healthy_deployment_has_no_findings() -> None:
    """The control: what is healthy is not complained about."""
    assert not list(against_replication(healthy()))
    assert not list(against_monitoring(healthy()))


@pytest.mark.parametrize("defect", REPLICATION)
def test_each_defect_of_the_replication_is_found(defect: str) -> None:
    """A defect of roles or links is a finding that names it."""
    change, expected = REPLICATION[defect]

    findings = list(against_replication(change(healthy())))

    assert any(expected in finding for finding in findings), findings


@pytest.mark.parametrize("defect", MONITORING)
def test_each_defect_of_the_monitoring_is_found(defect: str) -> None:
    """A defect of a single Sentinel is a finding that names the Sentinel and the harm."""
    change, expected = MONITORING[defect]

    findings = list(against_monitoring(change(healthy())))

    assert any(expected in finding for finding in findings), findings


def test_an_empty_seat_is_left_to_the_check_of_its_stateful_set() -> None:
    """Scaled to two, replication and Sentinel have nothing to complain of: the missing instance has one owner."""
    scaled = healthy()
    gone = "redis-2"
    scaled = dataclasses.replace(
        scaled,
        pods=tuple(pod for pod in scaled.pods if pod.seat != gone),
        redis=tuple(view for view in scaled.redis if view.seat != gone),
    )
    scaled = with_redis(scaled, "redis-0", replicas=scaled.redis[0].replicas[:1])
    down = member(gone, flags=frozenset({"slave", "s_down", "disconnected"}))
    for view in scaled.sentinels:
        scaled = with_sentinel(scaled, view.seat, replicas=(member("redis-1"), down))

    assert not list(against_replication(scaled))
    assert not list(against_monitoring(scaled))


def test_nothing_to_look_at_is_not_a_pass() -> None:
    """An empty namespace is no healthy deployment."""
    empty = Topology(at=0.0, pods=(), redis=(), sentinels=())

    with pytest.raises(VacuousObservation):
        list(against_replication(empty))
    with pytest.raises(VacuousObservation):
        list(against_monitoring(empty))


def test_a_replica_that_stands_still_is_found() -> None:
    """After a write every replica's offset has passed it, or it is named with both figures."""
    findings = list(against_progress(500, {"redis-1": 400, "redis-2": 400}, {"redis-1": 510, "redis-2": 400}))

    assert findings == ["redis-2 stands at offset 400, the write ended at 500 (before it: 400)"]
