"""Faults of Sentinels: some of them gone, or all of them at a standstill."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from harness import wait
from harness.cluster.readiness import Readiness
from harness.errors import HarnessError, InjectionFailed
from harness.faults.base import Bench, Fault
from harness.faults.pods_held import SeatsEmpty
from harness.sut import Topology
from harness.sut.names import SENTINEL, kind_of, seat_of

#: down-after (5 s) until a peer is called down, and some PING periods.
SEEN_DOWN_S = 30.0

#: Sentinels reconnect to a peer that came back with another address; hello messages come every 2 s.
KNOWN_AGAIN_S = 60.0

#: A timer that comes more than 2 s late makes a Sentinel distrust its clock for 30 s (sentinel.c, SENTINEL_TILT_*).
TILT_S = 30.0


class SentinelsDown(SeatsEmpty):
    """Some Sentinels are gone and held away; those that are left have noticed, and may have lost their majority."""

    def __init__(self, seats: Sequence[str], *, abruptly: bool = False) -> None:
        require_sentinels(seats)
        super().__init__(seats, abruptly=abruptly)

    def await_effect(self, bench: Bench) -> None:
        """Return when they are gone and every Sentinel that is left calls them down, or says that no quorum is left."""
        super().await_effect(bench)
        wait.eventually(bench.sut.topology, self._is_noticed, seconds=SEEN_DOWN_S, what=f"{self.target} called down")

    def _is_noticed(self, topology: Topology) -> Readiness:
        due, left = topology.sentinels_due, topology.sentinels
        reasons: list[str] = []
        for view in left:
            down = {seat_of(member.host) for member in view.sentinels if not member.is_usable}
            reasons += [f"{view.seat} holds {seat} for well" for seat in self.seats if seat not in down]
            if 2 * len(left) <= due and view.has_quorum:
                reasons.append(f"{view.seat} says that it has a quorum: {view.quorum_check}")
        return Readiness(tuple(reasons))

    def await_healed(self, bench: Bench) -> None:
        """Return when they are Ready and every Sentinel holds every other one for well."""
        super().await_healed(bench)
        wait.eventually(bench.sut.topology, know_each_other, seconds=KNOWN_AGAIN_S, what="Sentinels that know all")


class SentinelsPaused:
    """Sentinels stand still for some seconds, then go on: each finds its timer late and does nothing for 30 s (TILT).

    `pause` makes the fault that holds one seat still (``Paused``); it brings its own dead man's timer.
    """

    def __init__(self, seats: Sequence[str], *, pause: Callable[[str], Fault], seconds: float = 3.0) -> None:
        require_sentinels(seats)
        self.seats = tuple(seats)
        self.seconds = seconds
        self._pauses = [pause(seat) for seat in seats]

    @property
    def target(self) -> str:
        """The seats."""
        return ", ".join(self.seats)

    @property
    def by_hand(self) -> str:
        """What each pause needs; TILT ends by itself."""
        return "; ".join(each.by_hand for each in self._pauses)

    def prepare(self, bench: Bench) -> None:
        """Look the processes up."""
        for each in self._pauses:
            each.prepare(bench)

    def inject(self, bench: Bench) -> None:
        """Stop all of them, wait, and let them go on: the fault is what comes after."""
        cluster = bench.sut.cluster
        cluster.gather([partial(each.inject, bench) for each in self._pauses])
        wait.pause_until(time.monotonic() + self.seconds)
        cluster.gather([partial(each.heal, bench) for each in self._pauses])

    def await_effect(self, bench: Bench) -> None:
        """Return when every one of them says that it is in TILT."""
        wait.eventually(
            partial(_tilted, bench, self.seats),
            lambda tilted: all(tilted.values()),
            seconds=TILT_S,
            what=f"TILT of {self.target}",
        )

    def heal(self, bench: Bench) -> None:
        """Let all of them go on."""
        for each in self._pauses:
            each.heal(bench)

    def await_healed(self, bench: Bench) -> None:
        """Return when none is in TILT any more: that takes its 30 s."""
        wait.eventually(
            partial(_tilted, bench, self.seats),
            lambda tilted: not any(tilted.values()),
            seconds=2 * TILT_S,
            what=f"the end of TILT of {self.target}",
        )


def _tilted(bench: Bench, seats: Sequence[str]) -> dict[str, bool]:
    views = bench.sut.cluster.gather([partial(bench.sut.sentinel_view, seat) for seat in seats])
    return {view.seat: view.tilt for view in views}


def know_each_other(topology: Topology) -> Readiness:
    """Whether every Sentinel that answers knows the others that answer, each usable, and nobody else."""
    seats = {view.seat for view in topology.sentinels}
    reasons: list[str] = []
    for view in topology.sentinels:
        known = [seat_of(member.host) for member in view.sentinels]
        usable = {seat_of(member.host) for member in view.sentinels if member.is_usable and member.is_heard}
        reasons += [f"{view.seat} does not know {seat}" for seat in sorted(seats - {view.seat} - usable)]
        if len(known) != len(seats) - 1:
            reasons.append(f"{view.seat} knows {len(known)} others, not {len(seats) - 1}: {', '.join(sorted(known))}")
    return Readiness(tuple(reasons))


def require_sentinels(seats: Sequence[str]) -> None:
    """Raise InjectionFailed when one of the seats is not a Sentinel's."""
    strangers = [seat for seat in seats if kind_of(seat) is not SENTINEL]
    if strangers:
        raise InjectionFailed(f"{', '.join(strangers)}: no Sentinel sits there")


def sentinel_seats(bench: Bench) -> tuple[str, ...]:
    """Return the seats of the Sentinels that have a pod. Raises HarnessError when there is none."""
    seats = tuple(seat for seat in bench.sut.pod_objects() if kind_of(seat) is SENTINEL)
    if not seats:
        raise HarnessError("there is no Sentinel")
    return seats
