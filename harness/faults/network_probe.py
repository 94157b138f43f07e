"""An observer in another pod's network: what an instance is to its peers is seen from there, never from within."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from harness import wait
from harness.faults.base import Bench
from harness.faults.injector import Spot
from harness.sut.names import kind_of

#: An answer takes less than a millisecond here; what has not come by then is late (seconds).
PATIENCE_S = 0.3
#: The observer lives at least as long as the fault's timer, with this to spare.
SPARE_S = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What an observer saw last: over the connection that it keeps, and over new ones.

    An outcome is ok, timeout, refused, reset or an error's own words.
    """

    held: str
    new: str
    rounds: int
    losses: int
    """How often the held connection was lost."""
    milliseconds: tuple[float, ...]
    """Of the last answers over new connections, in order."""
    held_milliseconds: tuple[float, ...]
    outcomes: tuple[str, ...]
    """Of the last rounds over new connections, in order."""

    @property
    def nothing(self) -> bool:
        """Whether nothing is answered on either way."""
        return self.held != "ok" and self.new != "ok"

    @property
    def everything(self) -> bool:
        """Whether both ways are answered."""
        return self.held == "ok" == self.new

    @property
    def typical_ms(self) -> float:
        """The median of the last few answers over the held connection; 0 when there is none."""
        return median(self.held_milliseconds[-5:]) if self.held_milliseconds else 0.0

    @property
    def unanswered(self) -> float:
        """Which share of the last rounds over new connections was not answered in time."""
        return sum(outcome != "ok" for outcome in self.outcomes) / max(1, len(self.outcomes))

    def __str__(self) -> str:
        typical = f"{self.typical_ms:.1f} ms"
        return f"held {self.held}, new {self.new} ({self.rounds} rounds, {self.losses} connections lost, {typical})"


class Observer:
    """Asks the instance at `watched` from the network of the pod at `vantage`, or of the node there."""

    def __init__(self, vantage: Spot, watched: Spot, *, life_s: float, patience_s: float = PATIENCE_S) -> None:
        self.vantage = vantage
        self.watched = watched
        self.id = secrets.token_hex(4)
        self._life_s = life_s
        self._patience_s = patience_s

    def start(self, bench: Bench, *, size: int = 0, in_pod: bool = True) -> Observer:
        """Start it; it has its first answer then. Raises InjectionFailed when the instance is not heard at all.

        `size` bytes are to come back with each answer.
        """
        plan = {
            "id": self.id,
            "kind": "probing",
            "about": f"observer({self.watched.seat} from {self.vantage.seat})",
            "seconds": self._life_s + SPARE_S,
            "pod": self.vantage.pod if in_pod else None,
            "host": self.watched.address,
            "port": kind_of(self.watched.seat).port,
            "patience_ms": 1000 * self._patience_s,
            "bytes": size,
        }
        bench.injector.inject(self.vantage.node, plan)
        return self

    def seen(self, bench: Bench) -> Seen:
        """Return what it saw last."""
        told = bench.injector.look(self.vantage.node, self.id)
        held, new = told["held"], told["new"]
        return Seen(
            held=held["outcome"],
            new=new["outcome"],
            rounds=new["rounds"],
            losses=told["losses"],
            milliseconds=tuple(new["milliseconds"]),
            held_milliseconds=tuple(held["milliseconds"]),
            outcomes=tuple(new["outcomes"]),
        )

    def sees(self, bench: Bench, condition: Callable[[Seen], Any], *, seconds: float, what: str) -> Seen:
        """Return what it saw once that is as wanted. Raises WaitTimeout with what it saw last."""
        return wait.eventually(
            lambda: self.seen(bench),
            condition,
            seconds=seconds,
            what=f"{self.watched.seat} {what}, as seen from {self.vantage.seat}",
        )

    def stop(self, bench: Bench) -> None:
        """End it; harmless when it is over."""
        bench.injector.heal(self.vantage.node, self.id)
