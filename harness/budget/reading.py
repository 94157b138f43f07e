"""The configuration in force, read from the live deployment; nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from harness.budget.configuration import Configuration
from harness.errors import ObservationError
from harness.sut import Sut, Topology, replies
from harness.sut.names import REDIS, REDIS_CONTAINER, REDIS_SET, kind_of

#: What `SENTINEL DEBUG` answers (Redis 7.0 and newer) in milliseconds, and where it goes.
PERIODS = {
    "ping-period": "ping_period",
    "ask-period": "ask_period",
    "info-period": "info_period",
    "publish-period": "publish_period",
    "election-timeout": "election_timeout",
    "tilt-trigger": "tilt_trigger",
    "tilt-period": "tilt_period",
}
SETTINGS = (
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "repl-timeout",
    "repl-diskless-sync",
    "repl-diskless-sync-delay",
    "shutdown-timeout",
    "appendonly",
    "save",
)
#: Kubernetes' own defaults, which the API server fills in (API reference, Probe and PodSpec).
PROBE = {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 1}
GRACE_S = 30

Settings = Mapping[str, Mapping[str, str]]


def configuration_of(sut: Sut) -> Configuration:
    """Read what is in force. Raises ObservationError or ClusterError in one line if somebody does not answer."""
    topology = sut.topology()
    if not topology.sentinels:
        raise ObservationError(f"no Sentinel answers: {topology}")
    questions = [f"CONFIG GET {name}" for name in SETTINGS]
    answers = sut.ask_each(*questions, stateful_set=REDIS_SET)
    redis = {seat: _settings(questions, answer) for seat, answer in answers.items()}
    seats = [view.seat for view in topology.sentinels]
    debug = sut.cluster.gather([partial(sut.ask, seat, "SENTINEL DEBUG") for seat in seats])
    periods = {seat: _periods(answer[0]) for seat, answer in zip(seats, debug, strict=True)}
    return configuration(topology, periods, redis, sut.pod_objects())


def configuration(
    topology: Topology, periods: Settings, redis: Settings, pods: Mapping[str, Mapping[str, Any]]
) -> Configuration:
    """Put the answers together; where they differ the slowest counts, and the difference is told. Pure.

    `periods` are the Sentinels' (by seat, in milliseconds, names in lower case), `redis` the instances' settings.
    """
    views = topology.sentinels
    due = [each.seat for each in topology.pods] + list(topology.absent)
    slowest = {
        PERIODS[name]: int(value) / 1000
        for name in PERIODS
        if (value := max((each[name] for each in periods.values() if name in each), key=int, default=None))
    }
    if not redis:
        raise ObservationError(f"no Redis instance answers: {topology}")

    def number(name: str, worst: Any = max) -> float:
        return float(worst(int(each[name]) for each in redis.values()))

    is_diskless = any(each["repl-diskless-sync"] == "yes" for each in redis.values())
    seats = {seat: pod["spec"] for seat, pod in pods.items() if kind_of(seat) is REDIS}
    return Configuration(
        down_after=max(each.down_after_s for each in views),
        failover_timeout=max(each.failover_timeout_s for each in views),
        parallel_syncs=min(each.parallel_syncs for each in views),
        quorum=max(each.quorum for each in views),
        sentinels=max(len(each.sentinels) for each in views) + 1,
        sentinels_due=topology.sentinels_due,
        replicas=sum(kind_of(seat) is REDIS for seat in due) - 1,
        **slowest,
        min_replicas_to_write=int(number("min-replicas-to-write", min)),
        min_replicas_max_lag=number("min-replicas-max-lag"),
        repl_timeout=number("repl-timeout"),
        diskless_sync_delay=number("repl-diskless-sync-delay") if is_diskless else 0.0,
        shutdown_timeout=number("shutdown-timeout"),
        is_persistent=all(each["appendonly"] == "yes" or each["save"] for each in redis.values()),
        has_pre_stop=bool(seats) and all(_has_hook(spec) for spec in seats.values()),
        grace=min((float(spec.get("terminationGracePeriodSeconds", GRACE_S)) for spec in seats.values()), default=0.0),
        readiness=max((late for spec in seats.values() if (late := _readiness(spec)) is not None), default=None),
        disagreements=tuple(_disagreements(topology, redis)),
    )


def _disagreements(topology: Topology, redis: Settings) -> Iterable[str]:
    of_sentinels = {
        "down-after": {each.seat: f"{each.down_after_s:g} s" for each in topology.sentinels},
        "failover-timeout": {each.seat: f"{each.failover_timeout_s:g} s" for each in topology.sentinels},
        "quorum": {each.seat: str(each.quorum) for each in topology.sentinels},
        "number of known Sentinels": {each.seat: str(len(each.sentinels) + 1) for each in topology.sentinels},
    }
    of_redis = {name: {seat: each[name] for seat, each in redis.items()} for name in SETTINGS}
    for name, values in {**of_sentinels, **of_redis}.items():
        if len(set(values.values())) > 1:
            told = ", ".join(f"{seat} {value or 'none'}" for seat, value in values.items())
            yield f"{name} is not the same everywhere: {told}"


def _main_container(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    found = [each for each in spec.get("containers", ()) if each["name"] == REDIS_CONTAINER]
    return found[0] if found else {}


def _has_hook(spec: Mapping[str, Any]) -> bool:
    return bool(_main_container(spec).get("lifecycle", {}).get("preStop"))


def _readiness(spec: Mapping[str, Any]) -> float | None:
    probe = _main_container(spec).get("readinessProbe")
    if not probe:
        return None
    period, threshold, timeout = (probe.get(name, default) for name, default in PROBE.items())
    return float(period * threshold + timeout)


def _settings(questions: list[str], answers: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for question, answer in zip(questions, answers, strict=True):
        found |= replies.pairs(answer, question)
    missing = [name for name in SETTINGS if name not in found]
    if missing:
        raise ObservationError(f"Redis does not know the settings {', '.join(missing)}: it is older than 7.0")
    return found


def _periods(answer: Any) -> dict[str, str]:
    """A Sentinel older than 7.0 has no such command: its periods are the constants."""
    if isinstance(answer, replies.ErrorReply):
        return {}
    return {name.lower(): value for name, value in replies.pairs(answer, "SENTINEL DEBUG").items()}
