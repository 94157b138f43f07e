"""What drills say of acknowledged writes that are lost: after a crash, step by step, and where a setting is missing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from harness import wait
from harness.budget.reading import configuration_of
from harness.checkers import lost_by_identity, split_brain, why_losses_are_unknown
from harness.checkers.crash_losses import CrashLosses
from harness.checkers.selection import chosen
from harness.checkers.taken_alone import TakenAlone
from harness.drill.judging import STILL_S
from harness.drill.staffing import Staffing
from harness.drill.waiting import AOF_LAG_S
from harness.faults import RolledOut
from harness.history.records import MICRO
from harness.report.record import LimitCheck

#: The beginning of every fault's name.
EVERY_FAULT = ""


@dataclass(frozen=True, slots=True)
class StepLosses:
    """How many writes were acknowledged in one step, to those who ask the Sentinels, and how many of them are lost.

    `lost` is None where it is not known.
    """

    acknowledged: int
    lost: int | None

    def __str__(self) -> str:
        return f"{'an unknown number' if self.lost is None else self.lost} of {self.acknowledged} writes lost"


class Losing(Staffing):
    """Waits and judgements about acknowledged writes that are lost, and those that must not be."""

    # Waits

    def goes_on_taking_writes(self, seat: str) -> None:
        """Return when `seat` has taken writes for clearly longer than a primary without its replicas may.

        Its replication offset must grow all the time. Without replicas it does so by writes alone, for PINGs go out to
        replicas only (replication.c, replicationCron). Raises BrokenPromise when it stands still.
        """
        stood, grew_at = -1, time.monotonic()

        def still() -> float:
            nonlocal stood, grew_at
            offset = self._sut.redis_view(seat).offset
            if offset != stood:
                stood, grew_at = offset, time.monotonic()
            return time.monotonic() - grew_at

        wait.consistently(
            still,
            lambda seconds: seconds <= STILL_S,
            seconds=self.allowed_lag_s + STILL_S,
            what=f"seconds since {seat} took a write",
        )

    # Judgements

    def only_writes_within_the_replication_lag_are_lost(self, after: str | None = None) -> bool:
        """Whether a crash lost no write but what its replica had not been sent yet, by the identity of each write.

        The lag is that of the replica that was promoted, measured before the fault. `after` is the beginning of the
        names of the faults that felled a primary, where it is not the first one; EVERY_FAULT if each of them did.
        """
        arguments = {} if after is None else {"after": after}
        return self._held("replication lag", self._judgement.ask(self.history, "crash_losses", **arguments))

    def only_what_such_a_crash_may_cost_is_lost(self, *, reborn: bool) -> bool:
        """Whether only that is lost which the AOF may lack, where the primary was `reborn` from it, or the replica."""
        if reborn:
            return self.only_writes_that_the_aof_may_lack_are_lost()
        return self.only_writes_within_the_replication_lag_are_lost()

    def only_writes_that_the_aof_may_lack_are_lost(self) -> bool:
        """Whether nothing is lost but what was acknowledged in the AOF_LAG_S before the fault: what everysec allows.

        Where a replica took over, back from its own AOF, its replication lag at that time comes on top.
        """
        found = self._judgement.ask(self.history, "crash_losses", unsynced=AOF_LAG_S)
        return self._held("what the AOF may lack", found)

    def _held(self, name: str, found: object) -> bool:
        """Note how old the oldest lost write of each crash was beside how old it may have been."""
        if not isinstance(found, CrashLosses):
            return False
        if found.valid is None:
            self._limits.append(LimitCheck(name, 0.0, None))
        for crash, oldest in zip(found.crashes, found.oldest, strict=False):
            self._limits.append(LimitCheck(f"lost from before {crash.fault}: {name}", crash.limit, oldest))
        return found.valid is True

    def losses_of_each_step(self) -> dict[str, StepLosses]:
        """What was acknowledged while each Redis was replaced, and how much of it is lost, by identity."""
        writes = self.history.writes
        judged = writes.is_ok & chosen(self.history.writers, None)[writes.view(writes.writer)]
        lost = np.zeros(len(writes), dtype=bool)
        is_unknown = why_losses_are_unknown(self.history, int(judged.sum()))
        if not is_unknown:
            lost[lost_by_identity(self.history)] = True
        found: dict[str, StepLosses] = {}
        for seat, (since, until) in self.steps.items():
            inside = writes.between(round(since * MICRO), round(until * MICRO))
            mine = judged[inside.start : inside.stop]
            gone = int((mine & lost[inside.start : inside.stop]).sum())
            found[seat] = StepLosses(int(mine.sum()), None if is_unknown else gone)
        return found

    def no_step_lost_a_write(self, rollout: RolledOut, losses: Mapping[str, StepLosses]) -> bool:
        """Whether writes were acknowledged in every step, in the order of the rollout, and none of them is lost."""
        return list(losses) == [step.seat for step in rollout.steps] and all(
            each.lost == 0 and each.acknowledged > 0 for each in losses.values()
        )

    def a_stale_primary_took_writes_for_at_least(self, seconds: float) -> bool:
        """Whether a replaced instance acknowledged writes for longer, and the checker of two primaries says so.

        Counted from its first to its last acknowledgement beside its successor.
        """
        found = split_brain(self.history, at_most=seconds)
        return found.valid is False and any(each.span > seconds for each in found.overlaps)

    def two_primaries_from_the_replacement_to_the_healing_of(self, fault: str) -> bool:
        """Whether the two primaries that are told of were so from the promotion until `fault` was healed, and no less.

        A sampler may see both ends late by STILL_S; the old one may go on after the healing, until it is converted.
        """
        healed, switch = self.history.fault(fault, action="heal"), self.anatomy.phase("first +switch-master")
        if healed is None or switch is None:
            return False
        return any(
            each.begin <= switch.at + STILL_S and each.end >= healed.sent_s - STILL_S and each.stale == self.primary
            for each in self._overlaps
        )

    def exactly_what_was_taken_alone_is_lost(self, fault: str) -> bool:
        """Whether the primary took writes for as long as `fault` lasted, and they are lost, all of them and no others.

        More of them must have been acknowledged than it could have taken with min-replicas-to-write in force.
        """
        found = self._judgement.ask(self.history, "taken_alone", fault=fault, pause=STILL_S)
        if not isinstance(found, TakenAlone):
            return False
        measured = None if found.valid is None else found.pause
        self._limits.append(LimitCheck(f"pause of {found.seat} that is alone", STILL_S, measured))
        until = found.begin + self.allowed_lag_s
        more = len(self._acknowledged_by(found.seat, since=until, until=found.end))
        return found.valid is True and found.end > until and more > 0

    def configuration_is_as_before(self) -> bool:
        """Whether every setting that a budget is computed from is in force as it was when the drill began."""
        return configuration_of(self._sut) == self.budget.configuration
