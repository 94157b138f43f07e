"""Faults that the injector injects on a node, each under a timer that heals it if nobody else does."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

from harness import wait
from harness.errors import InjectionFailed
from harness.faults.base import Bench, name_of
from harness.faults.dead_man import TIMER_S, dead_mans_time
from harness.faults.injector import Spot

#: A server that was killed meanwhile is started again after the kubelet's back-off.
ANSWERS_S = 180.0


class Armed(ABC):
    """A fault of one seat, on its node: recorded there and armed before anything is changed.

    A subclass says what `kind` of change of the injector it is and with what plan, and proves the effect.
    """

    kind: str

    def __init__(self, seat: str, *, timer_s: float = TIMER_S) -> None:
        self.seat = seat
        self.id = secrets.token_hex(4)
        self.timer_s = min(timer_s, dead_mans_time())
        self._spot: Spot | None = None

    @property
    def target(self) -> str:
        """The seat."""
        return self.seat

    @property
    def by_hand(self) -> str:
        """Let the injector heal it."""
        where = f"in the injector's pod on node {self.spot.node}" if self._spot else "in the injector's pod on its node"
        return f"make heal; or {where}: python3 -m injector heal {self.id}"

    @property
    def on_ledger(self) -> dict[str, Any]:
        """What undoes it without the run: where it is, and under which id."""
        spot = self.spot
        where = {"node": spot.node, "pod": spot.pod, "container": spot.container}
        return {"id": self.id, "kind": self.kind, **where, "timer_s": self.timer_s}

    @property
    def spot(self) -> Spot:
        """Where it hits. Raises InjectionFailed before `prepare`."""
        if self._spot is None:
            raise InjectionFailed(f"{name_of(self)} of {self.seat} was not prepared")
        return self._spot

    @abstractmethod
    def plan(self, bench: Bench) -> dict[str, Any]:
        """Return what the injector needs to know beyond pod and container."""

    def prepare(self, bench: Bench) -> None:
        """Note the pod and the container."""
        self._spot = bench.injector.spot(self.seat)

    def inject(self, bench: Bench) -> None:
        """Arm, then inject, by one command."""
        order = self._order(bench)
        bench.injector.inject(self.spot.node, order)

    @abstractmethod
    def await_effect(self, bench: Bench) -> None:
        """Return when the disruption is seen at its target. Raises FaultHadNoEffect with what was seen instead."""

    def heal(self, bench: Bench) -> None:
        """Undo it, see it undone on the node, disarm."""
        bench.injector.heal(self.spot.node, self.id)

    def await_healed(self, bench: Bench) -> None:
        """Return when the seat answers."""
        answers(bench, self.seat)

    def look(self, bench: Bench) -> dict[str, Any]:
        """Return what is to be seen of it on the node."""
        return bench.injector.look(self.spot.node, self.id)

    def _order(self, bench: Bench) -> dict[str, Any]:
        spot = self.spot
        about = f"{name_of(self)}({self.target})"
        who = {"id": self.id, "kind": self.kind, "about": about, "seconds": self.timer_s}
        return {**who, "pod": spot.pod, "container": spot.container, **self.plan(bench)}


def answers(bench: Bench, seat: str, seconds: float = ANSWERS_S) -> str:
    """Return the run id of the process that answers on `seat`, once one does. Raises WaitTimeout."""
    return wait.eventually(partial(bench.sut.run_id, seat), bool, seconds=seconds, what=f"an answer of {seat}")


__all__ = ["TIMER_S", "Armed", "answers"]
