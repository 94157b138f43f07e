"""The exporters' pages, fetched from each pod itself through the API server's pod proxy."""

from __future__ import annotations

from functools import partial

from harness.properties import exporters
from harness.sut import Sut
from harness.sut.names import kind_of


def samples(sut: Sut, seat: str) -> exporters.Samples:
    """Return what the exporter on `seat` tells now. Raises ClusterError when it does not answer."""
    page = sut.cluster.pod_http(seat, kind_of(seat).exporter_port)("GET", "/metrics", None)
    return exporters.parse(seat, page.decode())


def against_seat(sut: Sut, seat: str) -> list[str]:
    """Return where the exporter on `seat` differs from its instance, both asked at about the same moment."""
    if kind_of(seat).stateful_set == "redis":
        view, told = sut.redis_view(seat), samples(sut, seat)
        return list(exporters.against_redis_exporter(view, told))
    return list(exporters.against_sentinel_exporter(sut.sentinel_view(seat), samples(sut, seat)))


def against_all(sut: Sut) -> list[str]:
    """Return the findings of every exporter of every pod that is there."""
    seats = list(sut.pod_objects())
    return [
        finding
        for findings in sut.cluster.gather([partial(against_seat, sut, seat) for seat in seats])
        for finding in findings
    ]
