"""Numbers about a history, and the refusal of a vacuous one: where nothing happened, nothing was proven."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from harness.checkers.verdict import Verdict
from harness.history.columns import Ints
from harness.history.history import History
from harness.history.records import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats(Verdict):
    """How much happened: ops by outcome, acknowledged writes a second, latencies and distances in seconds."""

    outcomes: dict[str, int]
    reads: dict[str, int]
    acks_per_second: float
    median_latency: float
    p99_latency: float
    median_distance: float
    p99_distance: float
    worst_lag: float


def stats(history: History, *, at_least: int = 1) -> Stats:
    """Whether the history can prove anything at all.

    It can if each group of writers had `at_least` acknowledged writes (writers pinned to a seat, which may be a replica
    all the time, so many tries), each group of readers an answered read, each Sentinel was listened to, and each seat
    answered. If not, the verdict is unknown, never valid.
    """
    writes = history.writes
    is_ok = writes.is_ok
    latencies = np.sort(writes.view(writes.took)[is_ok])
    instants = writes.view(writes.completed)[is_ok]
    distances = np.sort(np.diff(instants))
    span = float(instants[-1] - instants[0]) / MICRO if len(instants) else 0.0
    missing = tuple(_missing(history, at_least))
    rate = len(instants) / span if span else 0.0
    lag = max((each.lag for each in history.health), default=0) / MICRO
    outcomes = dict(writes.counts())
    measured = [_at(values, percent) for values in (latencies, distances) for percent in (50, 99)]
    shown = [f"{each * 1e3:.2f} ms" for each in measured]
    read, read_errors = dict(history.reads.counts()), history.reads.errors()
    lines = (
        f"ops: {outcomes.get('o', 0)} ok, {outcomes.get('f', 0)} fail, {outcomes.get('i', 0)} info"
        + "".join(f"; {number} {label}" for label, number in sorted(writes.errors().items())),
        f"reads: {read.get('o', 0)} ok, {read.get('f', 0)} fail"
        + "".join(f"; {number} {label}" for label, number in sorted(read_errors.items())),
        f"latency of acknowledged writes: median {shown[0]}, p99 {shown[1]}",
        f"distance of acknowledgements: median {shown[2]}, p99 {shown[3]}",
        f"the witness's worst lag: {lag * 1e3:.1f} ms",
    )
    return Stats(
        checker="stats",
        valid=None if missing else True,
        summary="; ".join(missing) or f"{len(instants)} acknowledged writes in {span:.1f} s ({rate:.0f}/s)",
        evidence=lines,
        outcomes=outcomes,
        reads=read,
        acks_per_second=rate,
        median_latency=measured[0],
        p99_latency=measured[1],
        median_distance=measured[2],
        p99_distance=measured[3],
        worst_lag=lag,
    )


def _missing(history: History, at_least: int) -> list[str]:
    """What a history that proves something has, and this one lacks."""
    missing = []
    if not history.is_complete:
        missing.append(history.why_incomplete)
    writes = history.writes
    groups = Counter({each.group: 0 for each in history.writers})
    seats = {each.name for each in history.instances.values()}
    acknowledged = np.bincount(writes.view(writes.writer)[writes.is_ok], minlength=len(history.writers)).tolist()
    tried = np.bincount(writes.view(writes.writer), minlength=len(history.writers)).tolist()
    for writer, oks, ops in zip(history.writers, acknowledged, tried, strict=True):
        groups[writer.group] += ops if writer.target in seats else oks
    if not groups:
        missing.append("nobody wrote")
    missing += [f"{name}: {number} acknowledged writes" for name, number in sorted(groups.items()) if number < at_least]
    reads = history.reads
    reading = Counter({each.group: 0 for each in history.readers})
    numbers = np.bincount(reads.view(reads.reader)[reads.is_ok], minlength=len(history.readers)).tolist()
    for reader, number in zip(history.readers, numbers, strict=True):
        reading[reader.group] += number
    missing += [f"{name}: no read was answered" for name, number in sorted(reading.items()) if not number]
    heard = {each.sentinel for each in history.listening if each.state == "up"}
    silent = {each.sentinel for each in history.views} | {each.sentinel for each in history.listening}
    missing += [f"{history.instance_name(index)} was never listened to" for index in sorted(silent - heard)]
    if not heard:
        missing.append("no Sentinel was listened to")
    answered = {each.instance for each in history.roles if each.role in {"primary", "replica"}}
    sampled = {each.instance for each in history.roles}
    missing += [f"{history.instance_name(index)} never answered ROLE" for index in sorted(sampled - answered)]
    return missing


def _at(values: Ints, percent: int) -> float:
    """A percentile of ascending microseconds, in seconds; 0 without values."""
    return int(values[len(values) * percent // 100]) / MICRO if len(values) else 0.0
