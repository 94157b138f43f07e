"""Which pods a drill replaces before it begins."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

from harness.drill import Drill
from harness.sut import Topology
from tests.unit.topologies import healthy


def topology(**restarts: int) -> Topology:
    whole = healthy()
    pods = [dataclasses.replace(pod, restarts=restarts.get(pod.seat.replace("-", "_"), 0)) for pod in whole.pods]
    return dataclasses.replace(whole, pods=tuple(pods))


def test_only_redis_pods_that_restarted_are_replaced_and_the_drill_begins_after_that() -> None:
    """Each when the one before is steady again; a Sentinel's restarts do not matter."""
    course: list[Any] = []
    after = healthy()

    def steady() -> Topology:
        course.append("steady")
        return after

    drill = Drill.__new__(Drill)
    drill.before = drill.now = topology(redis_0=1, redis_2=3, redis_sentinel_1=2)
    delete = lambda kind, name: course.append((kind, name))  # noqa: E731
    drill._sut = cast("Any", SimpleNamespace(cluster=SimpleNamespace(delete=delete), steady=steady))

    drill.renew_pods_that_restarted()

    assert course == [("Pod", "redis-0"), "steady", ("Pod", "redis-2"), "steady"]
    assert drill.before is after


def test_nothing_is_replaced_where_nothing_restarted() -> None:
    """What is there is left alone."""
    drill = Drill.__new__(Drill)
    drill.before = drill.now = before = topology()

    drill.renew_pods_that_restarted()

    assert drill.before is before
