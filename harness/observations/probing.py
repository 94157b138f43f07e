"""Running the configured probes of each container the way the kubelet runs them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from harness.errors import ClusterError
from harness.properties import probes
from harness.properties.probes import ProbeRun
from harness.sut import Sut
from harness.sut.names import kind_of


def run_all(sut: Sut, pods: Mapping[str, Mapping[str, Any]]) -> list[ProbeRun]:
    """Run every probe of every Redis and Sentinel pod once (exec probes: several times in a row), side by side."""
    calls = [
        partial(run, sut, seat, container, sort)
        for seat, pod in pods.items()
        for container in pod["spec"]["containers"]
        for sort in probes.SORTS
        if sort in container
    ]
    return sut.cluster.gather(calls)


def run(sut: Sut, seat: str, container: Mapping[str, Any], sort: str) -> ProbeRun:
    """Run one probe. A probe that cannot be run is one that fails; its reason is kept."""
    probe, name = container[sort], container["name"]
    try:
        if "exec" in probe:
            argv = probes.script_that_counts(probe["exec"]["command"], kind_of(seat).port, sort)
            printed = sut.cluster.execute(seat, name, argv, seconds=30).check().stdout
            return probes.read_count(seat, name, sort, printed)
        if "httpGet" in probe:
            port = _port(container, probe["httpGet"]["port"])
            page = sut.cluster.pod_http(seat, port)("GET", probe["httpGet"].get("path", "/"), None)
            return ProbeRun(seat, name, sort, passed=True, said=f"{len(page)} bytes", connections=None)
        return _run_tcp(sut, seat, container, sort)
    except ClusterError as error:
        return ProbeRun(seat, name, sort, passed=False, said=str(error), connections=None)


def _run_tcp(sut: Sut, seat: str, container: Mapping[str, Any], sort: str) -> ProbeRun:
    port = _port(container, container[sort]["tcpSocket"]["port"])
    done = sut.cluster.execute(seat, kind_of(seat).container, ["redis-cli", "-p", str(port), "ping"])
    return ProbeRun(seat, container["name"], sort, passed=done.status == 0, said=done.stderr, connections=None)


def _port(container: Mapping[str, Any], port: int | str) -> int:
    if isinstance(port, int):
        return port
    return next(int(each["containerPort"]) for each in container["ports"] if each["name"] == port)
