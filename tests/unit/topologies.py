"""A healthy topology to be broken, one detail at a time."""

from __future__ import annotations

import dataclasses
from typing import Any

from harness.sut.names import REDIS, SENTINEL
from harness.sut.topology import Link, Member, Pod, RedisView, SentinelView, Topology

EPOCH = 7


def host(seat: str) -> str:
    """Return the name that a seat announces."""
    headless = SENTINEL.headless if "sentinel" in seat else REDIS.headless
    return f"{seat}.{headless}.jewelry-shop.svc.cluster.local"


def pod(seat: str, **changed: Any) -> Pod:
    """Return a running, Ready pod."""
    ordinal = int(seat[-1])
    healthy = Pod(
        seat=seat,
        uid=f"uid-{seat}",
        node=f"agent-{ordinal}",
        ip=f"10.42.{ordinal}.{'2' if 'sentinel' in seat else '1'}",
        ready=True,
        terminating=False,
        restarts=0,
        phase="Running",
    )
    return dataclasses.replace(healthy, **changed)


def redis(seat: str, **changed: Any) -> RedisView:
    """Return redis-0 as a primary with two replicas, the others as its replicas."""
    is_primary = seat == "redis-0"
    healthy = RedisView(
        seat=seat,
        run_id=f"run-{seat}",
        version="7.0.15",
        role="primary" if is_primary else "replica",
        follows=None if is_primary else "redis-0",
        link_up=True,
        syncing=False,
        offset=1000,
        priority=100,
        loading=False,
        aof_enabled=True,
        uptime_s=60,
        replicas=tuple(Link(host(f"redis-{n}"), "online", 1000, 0) for n in (1, 2)) if is_primary else (),
    )
    return dataclasses.replace(healthy, **changed)


def member(seat: str, **changed: Any) -> Member:
    """Return a member that a Sentinel sees up and well."""
    is_sentinel = "sentinel" in seat
    healthy = Member(
        host=host(seat),
        flags=frozenset({"sentinel" if is_sentinel else "slave"}),
        run_id=f"run-{seat}",
        silent_s=0.4,
        priority=None if is_sentinel else 100,
    )
    return dataclasses.replace(healthy, **changed)


def sentinel(seat: str, **changed: Any) -> SentinelView:
    """Return a Sentinel that names redis-0 and sees everybody up."""
    healthy = SentinelView(
        seat=seat,
        my_id=f"id-{seat}",
        run_id=f"run-{seat}",
        primary_host=host("redis-0"),
        primary_flags=frozenset({"master"}),
        quorum=2,
        down_after_s=5.0,
        failover_timeout_s=30.0,
        parallel_syncs=1,
        config_epoch=EPOCH,
        replicas=(member("redis-1"), member("redis-2")),
        sentinels=tuple(member(other) for other in SENTINEL.seats() if other != seat),
        quorum_check="OK 3 usable Sentinels. Quorum and failover authorization can be reached",
        tilt=False,
    )
    return dataclasses.replace(healthy, **changed)


def healthy() -> Topology:
    """Return three Redis and three Sentinels with nothing wrong."""
    return Topology(
        at=0.0,
        pods=tuple(pod(seat) for kind in (REDIS, SENTINEL) for seat in kind.seats()),
        redis=tuple(redis(seat) for seat in REDIS.seats()),
        sentinels=tuple(sentinel(seat) for seat in SENTINEL.seats()),
    )


def with_redis(topology: Topology, seat: str, **changed: Any) -> Topology:
    """Return `topology` with one Redis instance changed."""
    views = tuple(dataclasses.replace(view, **changed) if view.seat == seat else view for view in topology.redis)
    return dataclasses.replace(topology, redis=views)


def with_sentinel(topology: Topology, seat: str, **changed: Any) -> Topology:
    """Return `topology` with one Sentinel changed."""
    views = tuple(dataclasses.replace(view, **changed) if view.seat == seat else view for view in topology.sentinels)
    return dataclasses.replace(topology, sentinels=views)


def with_pod(topology: Topology, seat: str, **changed: Any) -> Topology:
    """Return `topology` with one pod changed."""
    pods = tuple(dataclasses.replace(each, **changed) if each.seat == seat else each for each in topology.pods)
    return dataclasses.replace(topology, pods=pods)
