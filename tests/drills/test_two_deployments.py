"""Two deployments of the same manifests, with the same master name, in one cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.cluster import Object
from harness.deploy import in_namespace
from harness.drill import Drill
from harness.drill.neighbour import Neighbours, neighbour_of
from harness.faults import Bench, Faults, PodsDeleted
from harness.progress import Progress
from harness.report.plugin import ReportPlugin
from harness.sut import Sut
from harness.sut.names import REDIS, SENTINEL

pytestmark = pytest.mark.drill

EVERY_SEAT = (*REDIS.seats(), *SENTINEL.seats())


@pytest.fixture(scope="module")
def neighbours(sut: Sut, manifests: list[Object], progress: Progress) -> Iterator[Neighbours]:
    """A second deployment beside the tested one, in a namespace of its own."""
    beside = f"{sut.cluster.namespace}-beside"
    objects = in_namespace(manifests, beside)
    with neighbour_of(sut, sut.cluster.in_namespace(beside), objects, progress) as second:
        yield Neighbours(sut, second)


def test_two_deployments_of_one_name_keep_apart_while_their_pods_change(
    drill: Drill, neighbours: Neighbours, bench: Bench, report: ReportPlugin
) -> None:
    """Deployments that name their primary alike never know of each other's members, nor hold each other's data.

    All pods of both are deleted, the other's while those of the tested one return, so that addresses may change hands.
    """
    beside = Faults(Bench(neighbours.second, bench.injector, bench.provider), report.run.faults)

    with neighbours.signed():
        with drill.felled(PodsDeleted(EVERY_SEAT)), beside.felled(PodsDeleted(EVERY_SEAT)):
            neighbours.are_steady()

        assert neighbours.know_nobody_of_each_other(), neighbours.explain()
        assert neighbours.hold_their_own_data(), neighbours.explain()
