"""Targets in words: which seats a fault hits on the topology as it is now."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Literal

from harness.errors import HarnessError
from harness.sut import Sut, Topology
from harness.sut.cooldown import LINE
from harness.sut.names import SENTINEL, kind_of

Word = Literal[
    "primary", "one_replica", "all_replicas", "leader_sentinel", "one_sentinel", "sentinel_majority", "everything"
]

#: Set on the primary by the one Sentinel that is trying to replace it (sentinel.c, sentinelStartFailover).
TRYING = "failover_in_progress"
LED = "+elected-leader"


def seats_of(word: Word, topology: Topology, *, seed: int, last_leader: str | None = None) -> tuple[str, ...]:
    """Return the seats that `word` means, in seat order; the same topology and seed give the same ones.

    leader_sentinel: who will lead is known to nobody before the votes are in. It is the Sentinel that is trying now,
    else `last_leader` (see `last_to_lead`). Raises HarnessError when the topology has nobody the word could mean.
    """
    draw = random.Random(f"{seed} {word}")
    choices: dict[Word, Callable[[], list[str]]] = {
        "primary": lambda: _the_primary(topology),
        "one_replica": lambda: _some(topology.replicas, 1, draw),
        "all_replicas": lambda: list(topology.replicas),
        "leader_sentinel": lambda: _the_leader(topology, last_leader),
        "one_sentinel": lambda: _some(_sentinels(topology), 1, draw),
        "sentinel_majority": lambda: _some(_sentinels(topology), len(_sentinels(topology)) // 2 + 1, draw),
        "everything": lambda: [*_redis(topology), *_sentinels(topology)],
    }
    seats = choices[word]()
    if not seats:
        raise HarnessError(f"there is nobody to be {word.replace('_', ' ')}: {topology}")
    return tuple(sorted(seats))


def last_to_lead(sut: Sut) -> str | None:
    """Return the Sentinel that was elected last, as the logs of the running processes tell; None when none was."""
    seats = [seat for seat in sut.pod_objects() if kind_of(seat) is SENTINEL]
    logs = sut.cluster.gather([partial(sut.cluster.logs, seat, SENTINEL.container) for seat in seats])
    led = {seat: when for seat, log in zip(seats, logs, strict=True) if (when := _led_at(log)) is not None}
    return max(led, key=lambda seat: led[seat]) if led else None


def _led_at(log: str) -> datetime | None:
    stamps = [stamp for stamp, event in LINE.findall(log) if event == LED]
    return datetime.strptime(stamps[-1], "%d %b %Y %H:%M:%S.%f") if stamps else None  # noqa: DTZ007 - only compared


def _the_primary(topology: Topology) -> list[str]:
    if len(topology.primaries) != 1:
        raise HarnessError(f"there is no one primary: {topology}")
    return list(topology.primaries)


def _the_leader(topology: Topology, last_leader: str | None) -> list[str]:
    trying = [view.seat for view in topology.sentinels if TRYING in view.primary_flags]
    if trying:
        return trying[:1]
    return [last_leader] if last_leader in _sentinels(topology) else []


def _some(seats: tuple[str, ...] | list[str], count: int, draw: random.Random) -> list[str]:
    return draw.sample(sorted(seats), count) if seats else []


def _redis(topology: Topology) -> list[str]:
    missing = [seat for seat in (*topology.silent, *topology.absent) if kind_of(seat) is not SENTINEL]
    return [*(view.seat for view in topology.redis), *missing]


def _sentinels(topology: Topology) -> list[str]:
    missing = [seat for seat in (*topology.silent, *topology.absent) if kind_of(seat) is SENTINEL]
    return [*(view.seat for view in topology.sentinels), *missing]
