"""The four Services lead where their names say: to these pods, and to no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.sut.names import (
    REDIS,
    REDIS_HEADLESS,
    REDIS_PORT,
    REDIS_SERVICE,
    SENTINEL,
    SENTINEL_HEADLESS,
    SENTINEL_PORT,
    SENTINEL_SERVICE,
    kind_of,
    seat_of,
)
from harness.sut.topology import Topology


@dataclass(frozen=True, slots=True)
class Promise:
    """What one Service is for."""

    name: str
    port: int
    headless: bool
    leads_to: str
    """In words, for the finding."""


PROMISES = (
    Promise(REDIS_SERVICE, REDIS_PORT, False, "the primary alone"),
    Promise(SENTINEL_SERVICE, SENTINEL_PORT, False, "every Ready Sentinel"),
    Promise(REDIS_HEADLESS, REDIS_PORT, True, "every Redis pod, Ready or not"),
    Promise(SENTINEL_HEADLESS, SENTINEL_PORT, True, "every Sentinel pod, Ready or not"),
)


def due_behind(name: str, topology: Topology) -> frozenset[str]:
    """Return the seats that Service `name` must lead to in this topology."""
    kind = REDIS if name in {REDIS_SERVICE, REDIS_HEADLESS} else SENTINEL
    pods = [pod for pod in topology.pods if kind_of(pod.seat) is kind and pod.ip and not pod.terminating]
    if name == REDIS_SERVICE:
        named = {seat_of(view.primary_host) for view in topology.sentinels}
        # Of several that say primary (check 6 finds that) clients belong to the one that the Sentinels name.
        return frozenset(topology.primaries) & named or frozenset(topology.primaries)
    if name == SENTINEL_SERVICE:
        return frozenset(pod.seat for pod in pods if pod.ready)
    return frozenset(pod.seat for pod in pods)


def endpoints(slices: Iterable[Mapping[str, Any]], name: str) -> frozenset[str]:
    """Return the pods behind Service `name` that get its traffic, from its EndpointSlices."""
    return frozenset(
        endpoint.get("targetRef", {}).get("name", endpoint["addresses"][0])
        for each in slices
        if each["metadata"].get("labels", {}).get("kubernetes.io/service-name") == name
        for endpoint in each.get("endpoints") or []
        if endpoint.get("conditions", {}).get("ready") is not False
    )


def against_services(
    services: Mapping[str, Mapping[str, Any]],
    slices: Sequence[Mapping[str, Any]],
    topology: Topology,
) -> Iterator[str]:
    """Yield what is wrong with the four Services and with the endpoints behind them."""
    for promise in PROMISES:
        service = services.get(promise.name)
        if service is None:
            yield f"Service {promise.name} does not exist"
            continue
        yield from _against_shape(service["spec"], promise)
        due, found = due_behind(promise.name, topology), endpoints(slices, promise.name)
        if found != due:
            selector = service["spec"].get("selector")
            yield (
                f"Service {promise.name} leads to {_names(found)}; it must lead to {promise.leads_to}: {_names(due)} "
                f"(its selector is {selector})"
            )


def _against_shape(spec: Mapping[str, Any], promise: Promise) -> Iterator[str]:
    if (spec.get("clusterIP") == "None") != promise.headless:
        yield f"Service {promise.name} is {'not ' if promise.headless else ''}headless"
    ports = {port["port"] for port in spec.get("ports", [])}
    if promise.port not in ports:
        yield f"Service {promise.name} does not offer port {promise.port} but {sorted(ports)}"
    publishes = bool(spec.get("publishNotReadyAddresses"))
    if promise.headless and not publishes:
        yield (
            f"Service {promise.name} does not publish not-ready addresses: while a pod is not Ready its name does not "
            "resolve, so a starting instance cannot be found by the others"
        )
    if not promise.headless and publishes:
        yield f"Service {promise.name} publishes not-ready addresses: clients would be led to pods that cannot serve"


def _names(seats: Iterable[str]) -> str:
    return ", ".join(sorted(seats)) or "nothing"
