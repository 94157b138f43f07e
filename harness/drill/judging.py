"""What a drill asserts of its history: each question once, its answer kept for the report and for a replay."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from harness.budget import Budget, BudgetVerdict, Environment, budget, judge
from harness.checkers import Overlap, split_brain, stats
from harness.checkers.selection import Seats
from harness.drill.waiting import Waiting
from harness.history.columns import Ints
from harness.history.records import MICRO
from harness.report.record import LimitCheck
from harness.sut import Topology
from harness.sut.names import PROMISED_FAILOVER_S

KINDS = {
    "planned": "planned failover",
    "unplanned": "unplanned failover",
    "reboot": "reboot, no failover due",
    "none": "no failover",
}


#: The budget's name for what writers meet in all.
WRITE_GAP = "write gap"

#: Far below any detection, far above what two busy cores make a client wait.
STILL_S = 1.5


class Judging(Waiting):
    """The judgements of a drill. Each `is`-like method returns whether it holds; `explain` says why not."""

    @property
    def kind(self) -> str:
        """What happened: planned, unplanned, reboot (a Sentinel saw a new process, nobody was promoted) or none."""
        found = self.anatomy
        return "reboot" if found.kind == "none" and found.rebooted else found.kind

    @property
    def kind_in_words(self) -> str:
        """The outcome as the report names it; where no client wrote, what was done."""
        if self._history is None:
            return ", ".join(str(felled) for felled in self._faults.injected)
        return KINDS.get(self.kind, self.kind)

    def write_gap_is_within_the_promise(self) -> bool:
        """Whether clients were without an acknowledged write for no longer than the 30 s of the report, at a time."""
        gap = self._judgement.ask(self.history, "unavailability", since_fault=True, at_most=PROMISED_FAILOVER_S)
        measured = getattr(gap, "duration", None) if getattr(gap, "window", None) else None
        self._limits.append(LimitCheck("write gap", PROMISED_FAILOVER_S, measured))
        return gap.valid is True

    def writes_never_stood_still(self) -> bool:
        """Whether clients never went without an acknowledged write for longer than a busy machine explains."""
        return self._judgement.ask(self.history, "unavailability", since_fault=True, at_most=STILL_S).valid is True

    def clients_were_told(self, error: str) -> bool:
        """Whether a write met this error (the first word of Redis's reply, or the class of a broken connection)."""
        return error in self.history.writes.errors()

    def nobody_was_restarted(self) -> bool:
        """Whether every seat has the pod it had, with as many restarts as before."""
        return _restarts(self.before) == _restarts(self.now)

    def no_acknowledged_write_is_lost(self) -> bool:
        """Whether every write acknowledged to clients that ask the Sentinels is on each instance, by identity."""
        return self._judgement.ask(self.history, "lost_writes").valid is True

    def never_two_writable_primaries(self) -> bool:
        """Whether no instance acknowledged anything beside the rightful primary, though it was tried."""
        return self._judgement.ask(self.history, "split_brain").valid is True

    def no_write_is_altered(self) -> bool:
        """Whether no write came back after it was refused or gone, was applied twice, or was seen and then gone."""
        return self._judgement.ask(self.history, "altered_writes").valid is True

    def everybody_holds_the_same(self) -> bool:
        """Whether all instances hold the same keys with the same content in the end, and stand at the same offset."""
        return self._judgement.ask(self.history, "convergence").valid is True

    def a_sentinel_saw_the_primary_down(self) -> bool:
        """Whether the trigger was real: at least one Sentinel called the primary down after the first fault."""
        fault = self.history.fault()
        return fault is not None and any(
            event.event == "+sdown" and event.payload.startswith("master ") and event.at >= fault.sent
            for event in self.history.events
        )

    def nobody_tried_to_replace_the_primary(self) -> bool:
        """Whether no Sentinel began a failover, let alone finished one."""
        return self.anatomy.attempts == 0 and self.anatomy.promotions == 0

    def a_stale_primary_takes_writes_for_at_most(self, seconds: float) -> bool:
        """Whether an instance that was replaced stopped acknowledging writes within `seconds` of its replacement."""
        return self._judgement.ask(self.history, "split_brain", at_most=seconds).valid is True

    def only_what_a_stale_primary_took_is_lost(self) -> bool:
        """Whether no more is lost than replaced instances acknowledged since their successor's promotion was ordered.

        Roles are sampled, so a successor may have been primary some time before it is seen so, but not before the
        Sentinel that promoted it was elected.
        """
        elected = self.anatomy.phase("+elected-leader")
        allowed = 0
        for each in self._overlaps:
            begin = each.begin if elected is None else min(each.begin, elected.at)
            allowed += len(self._acknowledged_by(each.stale, since=begin, until=each.end))
        return self._judgement.ask(self.history, "lost_writes", at_most=allowed).valid is True

    @cached_property
    def _overlaps(self) -> tuple[Overlap, ...]:
        """The stretches of two primaries, judged by nobody: for what follows from them."""
        return split_brain(self.history).overlaps

    def _acknowledged_by(self, seat: str, *, since: float, until: float = math.inf) -> Ints:
        """When `seat` acknowledged writes of anybody; microseconds since the origin, bounds in seconds."""
        writes = self.history.writes
        found: Ints = writes.view(writes.completed)[writes.is_ok & self._answered_by(seat, since=since, until=until)]
        return found

    def _answered_by(self, seat: str, *, since: float, until: float) -> NDArray[np.bool_]:
        """Which writes of anybody `seat` answered, with whatever outcome; bounds in seconds since the origin."""
        writes, seats = self.history.writes, Seats(self.history)
        completed = writes.view(writes.completed)
        found: NDArray[np.bool_] = seats.codes(writes.view(writes.instance)) == seats.code(seat)
        return found & (completed >= since * MICRO) & (completed <= until * MICRO)

    @cached_property
    def measured_budget(self) -> Budget:
        """What configuration and machine allow at worst; what the machine takes was measured while the drill ran.

        That is the witness's largest lag and how late Redis answered.
        """
        usual, seen = Environment(), stats(self.history)
        measured = replace(
            usual, lag=max(usual.lag, seen.worst_lag), round_trip=max(usual.round_trip, seen.p99_latency)
        )
        return budget(self.budget.configuration, measured)

    @cached_property
    def budget_verdict(self) -> BudgetVerdict:
        """The phases of this failover or reboot beside what configuration and machine allow them."""
        return judge(self.anatomy, self.measured_budget)

    def is_within_budget(self) -> bool:
        """Whether no phase took certainly longer than configuration and machine allow it at worst."""
        gap = self.budget_verdict.step(WRITE_GAP)
        limit = (
            LimitCheck("computed budget", gap.worst_s, gap.took) if gap else LimitCheck("computed budget", 0.0, None)
        )
        self._limits.append(limit)
        return self.budget_verdict.valid is True

    def explain(self) -> str:
        """Return everything that is known, for the message of a failed assertion; what does not hold stands first."""
        broken = [verdict for verdict in self._judgement.asserted if verdict.valid is not True]
        parts = [verdict.explain() for verdict in self._judgement.asserted]
        if self._history is not None:
            parts.insert(0, self.budget_verdict.explain())
            parts.insert(0, self.anatomy.as_table())
        headlines = [verdict.explain().splitlines()[0] for verdict in broken]
        headlines += [
            f"{limit.name}: {limit.measured_s} s of {limit.limit_s:g} s" for limit in self._limits if not limit.held
        ]
        return "\n".join([*headlines, f"{self.kind_in_words}; now: {self.now}", *parts])


def _restarts(topology: Topology) -> dict[str, tuple[str, int]]:
    return {pod.seat: (pod.uid, pod.restarts) for pod in topology.pods}
