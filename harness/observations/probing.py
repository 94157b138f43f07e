"""Running the configured probes of each container the way the kubelet runs them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from harness.errors import ClusterError
from harness.properties import probes
from harness.properties.probes import ProbeRun
from harness.sut import Sut
from harness.sut.names import kind_of

#: Running a probe several times in a row, seconds.
PROBES_S = 30.0


def run_all(sut: Sut, pods: Mapping[str, Mapping[str, Any]]) -> list[ProbeRun]:
    """Run every probe of every Redis and Sentinel pod once (exec probes: several times in a row), side by side."""
    calls = [
        partial(_run_of_seat, sut, seat, containers)
        for seat, pod in pods.items()
        for containers in ([each] for each in pod["spec"]["containers"])
    ]
    return [run for runs in sut.cluster.gather(calls) for run in runs]


def _run_of_seat(sut: Sut, seat: str, containers: Sequence[Mapping[str, Any]]) -> list[ProbeRun]:
    """Run the probes of some containers one after the other; two of the same command are one run with two names."""
    runs: list[ProbeRun] = []
    for container in containers:
        same: dict[str, ProbeRun] = {}
        for sort in (sort for sort in probes.SORTS if sort in container):
            command = str({key: container[sort].get(key) for key in ("exec", "httpGet", "tcpSocket")})
            if command not in same:
                same[command] = run(sut, seat, container, sort)
            runs.append(dataclasses.replace(same[command], sort=sort))
    return runs


def run(sut: Sut, seat: str, container: Mapping[str, Any], sort: str) -> ProbeRun:
    """Run one probe. A probe that cannot be run is one that fails; its reason is kept."""
    probe, name = container[sort], container["name"]
    try:
        if "exec" in probe:
            argv = probes.script_that_counts(probe["exec"]["command"], kind_of(seat).port, sort)
            printed = sut.run(seat, argv, seconds=PROBES_S).check().stdout
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
