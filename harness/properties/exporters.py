"""What each exporter tells is what its own instance says: compared with INFO and SENTINEL, not merely present."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families

from harness.errors import ObservationError
from harness.sut.names import PRIMARY_NAME
from harness.sut.topology import RedisView, SentinelView

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def parse(seat: str, page: str) -> Samples:
    """Return the samples of a metrics page by name and labels. Raises ObservationError when it is not one."""
    try:
        families = list(text_string_to_metric_families(page))
    except ValueError as error:
        raise ObservationError(f"{seat}: the exporter's page is not in the exposition format: {error}") from error
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """Return the one sample of `name` that has at least `labels`; None when there is none."""
    wanted = set(labels.items())
    return next((number for (each, given), number in samples.items() if each == name and wanted <= given), None)


def label(samples: Samples, name: str, wanted: str) -> str | None:
    """Return the value of label `wanted` of the first sample of `name`."""
    return next((dict(given).get(wanted) for (each, given) in samples if each == name), None)


def against_redis_exporter(view: RedisView, samples: Samples) -> Iterator[str]:
    """Yield where the exporter of a Redis instance differs from the instance itself."""
    if value(samples, "redis_up") != 1:
        yield _down(view.seat, samples)
        return
    due: dict[str, float] = {"redis_connected_slaves": len(view.replicas), "redis_aof_enabled": float(view.aof_enabled)}
    if view.role == "replica":
        due["redis_master_link_up"] = float(view.link_up)
    yield from _identity(view.seat, view.run_id, samples)
    role = label(samples, "redis_instance_info", "role")
    if role != ("master" if view.role == "primary" else "slave"):
        yield f"{view.seat} is {view.role}, its exporter says {role}"
    yield from _numbers(view.seat, due, samples)


def against_sentinel_exporter(view: SentinelView, samples: Samples) -> Iterator[str]:
    """Yield where the exporter of a Sentinel differs from the Sentinel itself."""
    if value(samples, "redis_up") != 1:
        yield _down(view.seat, samples)
        return
    yield from _identity(view.seat, view.run_id, samples)
    due: dict[str, float] = {
        "redis_sentinel_masters": 1,
        "redis_sentinel_tilt": float(view.tilt),
        "redis_sentinel_master_sentinels": len(view.sentinels) + 1,
        "redis_sentinel_master_ok_sentinels": sum(member.is_usable for member in view.sentinels) + 1,
        "redis_sentinel_master_slaves": len(view.replicas),
        "redis_sentinel_master_ckquorum_status": float(view.has_quorum),
    }
    yield from _numbers(view.seat, due, samples)
    address = label(samples, "redis_sentinel_master_status", "master_address") or ""
    if not address.startswith(view.primary_host):
        yield f"{view.seat} watches {view.primary_host}, its exporter says {address or 'nothing'} for {PRIMARY_NAME}"


def _down(seat: str, samples: Samples) -> str:
    error = label(samples, "redis_exporter_last_scrape_error", "err")
    why = error or "no reason given"
    return f"{seat}: its exporter answers but does not reach the instance (redis_up is not 1): {why}"


def _identity(seat: str, run_id: str, samples: Samples) -> Iterator[str]:
    told = label(samples, "redis_instance_info", "run_id")
    if told != run_id:
        yield f"{seat}: its exporter speaks of another process (run id {told}, the instance's is {run_id})"


def _numbers(seat: str, due: Mapping[str, float], samples: Samples) -> Iterator[str]:
    for name, number in due.items():
        told = value(samples, name)
        if told != number:
            said = "nothing of" if told is None else f"{told:g} for"
            yield f"{seat}: its exporter says {said} {name}, the instance itself {number:g}"
