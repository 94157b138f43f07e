"""Drills in which much has to stay as it is: votes are missing, Sentinels do nothing, servers are busy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property, partial

from harness import wait
from harness.budget import CRASH, SECOND_ATTEMPT
from harness.drill.judging import STILL_S
from harness.drill.probing import Probing
from harness.errors import HarnessError
from harness.faults import Fault
from harness.history.records import MICRO
from harness.report.record import LimitCheck
from harness.sut import Topology
from harness.sut.names import seat_of

#: A replaced primary is converted 4 x 2 s after it was seen so, on an INFO of every 10 s (sentinel.c,
#: sentinelRefreshInstanceInfo); patience beyond that.
CONVERTED_S = 60.0

#: Patience with a Sentinel that has to find its timer late.
TILTED_S = 60.0


class Steadfast(Probing):
    """Waits and judgements about what does not happen, or not yet."""

    # Waits

    @contextmanager
    def felled_for_a_while(self, fault: Fault) -> Iterator[Callable[[], None]]:
        """The state of being disrupted by `fault` until what this yields is called, or the body is left."""
        with ExitStack() as stack:
            stack.enter_context(self.felled(fault))
            yield stack.close

    def await_replica(self, seat: str) -> None:
        """Return when the instance on `seat` says that it is a replica."""
        wait.eventually(
            partial(self._sut.redis_view, seat),
            lambda view: view.role == "replica",
            seconds=CONVERTED_S,
            what=f"{seat} as a replica",
        )

    def await_most_sentinels_out_of_action(self) -> None:
        """Return when so many Sentinels are in TILT, or answer nobody, that the others are no majority."""
        wait.eventually(
            self._sut.topology,
            lambda topology: 2 * len(_able(topology)) < topology.sentinels_due,
            seconds=TILTED_S,
            what="most Sentinels in TILT or silent",
        )

    def await_out_of_action(self, sentinel: str) -> None:
        """Return when this Sentinel is in TILT, or answers nobody."""
        wait.eventually(
            self._sut.topology,
            lambda topology: sentinel not in _able(topology),
            seconds=TILTED_S,
            what=f"{sentinel} in TILT or silent",
        )

    # Judgements

    @cached_property
    def _majority_back(self) -> float | None:
        """When most Sentinels could be heard again, after they could not; seconds since the origin."""
        due = len(self.before.sentinels)
        up: set[int] = set()
        lost = False
        for heard in self.history.listening:
            (up.add if heard.state == "up" else up.discard)(heard.sentinel)
            fault = self.history.fault()
            if fault is None or heard.at < fault.sent:
                continue
            if 2 * len(up) <= due:
                lost = True
            elif lost:
                return heard.at / MICRO
        return None

    def nobody_tried_before_the_majority_was_back(self) -> bool:
        """Whether the majority was lost and came back, and no Sentinel began to replace the primary in between."""
        back = self._majority_back
        return back is not None and all(each.began >= back for each in self.anatomy.tries)

    def replaced_as_soon_as_the_majority_was_back(self) -> bool:
        """Whether another primary was made known within detection, election and promotion from then on."""
        crash = self.budget.course(CRASH)
        told = sum(crash.step(name).worst_s for name in ("told to promote", "promoted", "made known"))
        limit = self.detection_and_election_s + told
        switch, back = self.anatomy.phase("first +switch-master"), self._majority_back
        took = None if switch is None or back is None else switch.at - back
        self._limits.append(LimitCheck("replaced after the majority was back", limit, took))
        return took is not None and took <= limit

    def write_gap_is_within_the_course(self, name: str) -> bool:
        """Whether clients were without an acknowledged write for no longer than this course of the budget at worst."""
        limit = self.budget.course(name).worst_s
        gap = self._judgement.ask(self.history, "unavailability", since_fault=True, at_most=limit)
        measured = getattr(gap, "duration", None) if getattr(gap, "window", None) else None
        self._limits.append(LimitCheck(f"budget: {name}", limit, measured))
        return gap.valid is True

    def replaced_within_the_course(self, name: str, *, after_healing: str) -> bool:
        """Whether another primary was made known after that healing, and within this course of the budget."""
        healed, switch = self.history.fault(after_healing, action="heal"), self.anatomy.phase("first +switch-master")
        limit = self.budget.course(name).worst_s
        took = None if healed is None or switch is None else switch.at - healed.sent_s
        self._limits.append(LimitCheck(f"replaced after {after_healing} was healed", limit, took))
        return took is not None and 0.0 < took <= limit

    def were_in_tilt_and_did_nothing(self, seats: Sequence[str]) -> bool:
        """Whether each of these Sentinels, and no other, was in TILT, and none began an attempt while it was."""
        return {tilt.sentinel for tilt in self.anatomy.tilts} == set(seats) and not self._tried_in_tilt()

    def did_not_lead(self, sentinel: str) -> bool:
        """Whether somebody tried to replace the primary, and never this Sentinel."""
        tries = self.anatomy.tries
        return bool(tries) and all(each.leader != sentinel for each in tries)

    def _tried_in_tilt(self) -> bool:
        return any(
            tilt.sentinel == each.leader
            and (tilt.began or 0.0) <= each.began < (math.inf if tilt.ended is None else tilt.ended)
            for tilt in self.anatomy.tilts
            for each in self.anatomy.tries
        )

    def tilt_lasted_as_predicted(self) -> bool:
        """Whether every TILT that was entered once, and at least one was, may have lasted its period.

        It ends at the first tick after that (sentinel.c, sentinelHandleRedisInstance). Its beginning is often not
        heard, for who stands still answers nobody; then it was between the fault's order and the proof of its effect.
        """
        given = self.budget.configuration
        fault, felt = self.history.fault(), self.history.fault(action="effect")
        once = [tilt for tilt in self.anatomy.tilts if tilt.entered == 1 and tilt.ended is not None]
        if fault is None or felt is None or not once:
            return False
        spans = [
            (ended - felt.sent_s, ended - fault.sent_s) if tilt.began is None else (ended - tilt.began,) * 2
            for tilt in once
            for ended in [tilt.ended or math.inf]
        ]
        self._limits += [LimitCheck("TILT", given.tilt_period + STILL_S, least) for least, _ in spans]
        return all(
            least <= given.tilt_period + STILL_S and most >= given.tilt_period - given.tick for least, most in spans
        )

    def second_attempt_came_when_predicted(self, died: str) -> bool:
        """Whether a second attempt, the first one's leader having died, came when its leader could begin it.

        Who voted for the first waits 2 x failover-timeout (sentinelVoteLeader sets failover_start_time). The one that
        died remembers no such thing when it is restarted: it needs to find the primary down anew, for down-after.
        """
        tries = self.anatomy.tries
        if len(tries) < 2 or tries[0].leader != died:
            return False
        second, given = tries[1], self.budget.configuration
        least = given.down_after if second.leader == died else 2 * given.failover_timeout
        most = self.budget.course(SECOND_ATTEMPT).worst_s
        self._limits.append(LimitCheck("second attempt after the first", most, second.after_first))
        return least - given.tick <= second.after_first <= most

    def sentinels_know_each_other_and_nobody_else(self) -> bool:
        """Whether every Sentinel knows the ids and names of the others, and not one more."""
        own = {view.seat: view.my_id for view in self.now.sentinels}
        known = {view.seat: {seat_of(each.host): each.run_id for each in view.sentinels} for view in self.now.sentinels}
        return len(own) == len(self.before.sentinels) and all(
            len(view.sentinels) == len(own) - 1
            and known[view.seat] == {seat: sid for seat, sid in own.items() if seat != view.seat}
            for view in self.now.sentinels
        )

    def only_what_was_acknowledged_alone_is_lost(self, seat: str) -> bool:
        """Whether no more is lost than `seat` acknowledged from the first fault on, and that for allowed_lag_s at most.

        A primary without its replicas goes on until it misses them (min-replicas-max-lag). What it takes is lost also
        before anybody is promoted beside it.
        """
        fault = self.history.fault()
        if fault is None:
            raise HarnessError("no fault was injected while clients wrote")
        alone = self._acknowledged_by(seat, since=(fault.sent - fault.uncertainty) / MICRO)
        if not len(alone):
            return self._judgement.ask(self.history, "lost_writes").valid is True
        took = (int(alone[-1]) - fault.returned) / MICRO
        self._limits.append(LimitCheck(f"writes taken by {seat} alone", self.allowed_lag_s, took))
        lost = self._judgement.ask(self.history, "lost_writes", at_most=len(alone))
        return lost.valid is True and took <= self.allowed_lag_s

    def a_stale_primary_took_writes_that_are_lost(self) -> bool:
        """Whether the harm was real: a replaced instance acknowledged writes, and they are gone."""
        return any(each.stale_acknowledged and each.lost for each in self._overlaps)

    def undisturbed(self) -> bool:
        """Whether the clients worked throughout, as the checker of counts sees it."""
        return self._judgement.ask(self.history, "stats").valid is True


def _able(topology: Topology) -> set[str]:
    """The Sentinels that answer and are not in TILT."""
    return {view.seat for view in topology.sentinels if not view.tilt}
