"""Drills about who is there: instances lost one after the other, votes, priorities, and who takes over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from itertools import groupby, pairwise

from harness import wait
from harness.checkers import unavailability
from harness.drill.judging import Judging
from harness.drill.waiting import NEW_PRIMARY_S
from harness.errors import HarnessError
from harness.faults import RolledOut
from harness.history.records import MICRO, RoleSample
from harness.report.record import LimitCheck
from harness.sut.names import KINDS, PROMISED_FAILOVER_S, kind_of, seat_of

#: Patience with what a Sentinel learns by its INFO to each instance, every 10 s (sentinel.c, sentinel_info_period).
SAID_S = 60.0


#: How attempts end, in the words of the anatomy (harness/timeline/attempts.py).
GIVEN_UP, NOT_ELECTED = "aborted: no good replica", "aborted: not elected"


class Staffing(Judging):
    """Waits and judgements about who is there, who knows whom and who takes over."""

    @property
    def first_in_line(self) -> str:
        """The replica that is promoted where priority and offset do not decide: the one with the smaller run id.

        By priority, then offset, then run id without regard to case (sentinel.c, compareSlavesForPromotion).
        """
        ids = {view.seat: view.run_id.lower() for view in self.before.redis if view.role == "replica"}
        return min(ids, key=lambda seat: ids[seat])

    @property
    def second_in_line(self) -> str:
        """The other replica."""
        return next(seat for seat in self.replicas if seat != self.first_in_line)

    # Waits

    def primary_is(self, seat: str) -> None:
        """Return when the Sentinels' majority names `seat` and it says itself that it is primary."""
        wait.eventually(
            self._sut.elected_primary,
            lambda found: found == seat,
            seconds=NEW_PRIMARY_S,
            what=f"{seat} as the elected primary",
        )

    def still_names(self, sentinel: str, primary: str) -> None:
        """Return when this Sentinel, asked in its own pod, names `primary`. Raises WaitTimeout if it does not."""
        wait.eventually(
            lambda: seat_of(self._sut.sentinel_view(sentinel).primary_host),
            lambda named: named == primary,
            seconds=SAID_S,
            what=f"{sentinel} naming {primary}",
        )

    def sentinels_read_priority(self, seat: str, priority: int) -> None:
        """Return when every Sentinel holds the replica on `seat` for one of that priority."""
        wait.eventually(
            partial(self._priorities, seat),
            lambda read: read == [priority] * len(self.before.sentinels),
            seconds=SAID_S,
            what=f"priority {priority} of {seat} with every Sentinel",
        )

    def _priorities(self, seat: str) -> list[int | None]:
        views = self._sut.topology().sentinels
        return [each.priority for view in views for each in view.replicas if seat_of(each.host) == seat]

    def is_behind(self, seat: str, other: str) -> None:
        """Return when `other` has got more of the replication stream than `seat`."""
        wait.eventually(
            lambda: self._sut.redis_view(other).offset - self._sut.redis_view(seat).offset,
            lambda distance: distance > 0,
            seconds=SAID_S,
            what=f"{seat} behind {other}",
        )

    def seats_without_an_answer(self) -> tuple[str, ...]:
        """Return the seats that do not answer now, or have no pod."""
        seen = self._sut.topology()
        return tuple(sorted({*seen.silent, *seen.absent}))

    # Judgements

    def is_one_of_each(self, seats: Sequence[str]) -> bool:
        """Whether these are the seats of one Redis and of one Sentinel."""
        return sorted(kind_of(seat).stateful_set for seat in seats) == sorted(kind.stateful_set for kind in KINDS)

    def sentinels_went_and_their_majority_stayed(self) -> bool:
        """Whether after the first fault Sentinels were lost to the witness's ear, but never half of them at a time."""
        fault, due = self.history.fault(), len(self.before.sentinels)
        up: set[int] = set()
        fewest = due
        for heard in self.history.listening:
            (up.add if heard.state == "up" else up.discard)(heard.sentinel)
            if fault is not None and heard.at >= fault.sent:
                fewest = min(fewest, len(up))
        return 2 * fewest > due > fewest

    def every_sentinel_names(self, seat: str) -> bool:
        """Whether every Sentinel that there was is there, and names the instance on `seat` as primary."""
        named = [seat_of(view.primary_host) for view in self.now.sentinels]
        return named == [seat] * len(self.before.sentinels)

    def was_not_following_when(self, seat: str, fault: str) -> bool:
        """Whether the instance on `seat` was no replica with a working link when `fault` was ordered."""
        said = self._last_said(seat, fault)
        return said is not None and not (said.role == "replica" and said.link == "connected")

    def promoted_were(self, *seats: str) -> bool:
        """Whether the primaries that the Sentinels made known were these, in this order, and no others.

        A Sentinel that had not finished with one promotion when the next was made tells of both as one step, from the
        first primary to the last: that is the same promotion as the others tell of, not one more.
        """
        promoted = sorted(self.anatomy.promoted, key=lambda each: each.first_switch or each.promoted or 0.0)
        return tuple(seat for seat, _ in groupby(seat_of(each.new) for each in promoted)) == seats

    def was_given_up_for_want_of_a_good_replica(self) -> bool:
        """Whether an elected Sentinel said so (-failover-abort-no-good-slave), and none gave up for another reason.

        Another one may have stood for the same election and lost it; that one never got as far as choosing a replica.
        """
        failed = [each for each in self.anatomy.tries if not each.has_promoted]
        given_up = [each for each in failed if each.outcome == GIVEN_UP]
        beaten = [
            each
            for each in failed
            if each.outcome == NOT_ELECTED
            and any(
                other.began <= (math.inf if each.ended is None else each.ended)
                and each.began <= (math.inf if other.ended is None else other.ended)
                for other in given_up
            )
        ]
        return bool(given_up) and len(given_up) + len(beaten) == len(failed)

    def nobody_was_promoted_before_the_healing_of(self, fault: str) -> bool:
        """Whether somebody was promoted in the end, and not while `fault` was in force."""
        healed = self.history.fault(fault, action="heal")
        told = [at for each in self.anatomy.promoted if (at := each.promoted or each.first_switch) is not None]
        # Healing is proven after it is done; a promotion in between is no earlier than an INFO of a Sentinel.
        return healed is not None and bool(told) and min(told) > healed.sent_s

    def was_behind_when(self, seat: str, other: str, fault: str) -> bool:
        """Whether `seat` stood at a smaller offset than `other` when `fault` was ordered, both being replicas then."""
        behind, ahead = (self._last_said(each, fault) for each in (seat, other))
        return (
            behind is not None
            and ahead is not None
            and behind.role == ahead.role == "replica"
            and (behind.offset or 0) < (ahead.offset or 0)
        )

    def _last_said(self, seat: str, fault: str) -> RoleSample | None:
        """Return the last answer of `seat` to ROLE before `fault` was ordered."""
        struck, name = self.history.fault(fault), self.history.instance_name
        if struck is None:
            return None
        said = [each for each in self.history.roles if name(each.instance) == seat and each.completed <= struck.sent]
        return said[-1] if said else None

    def replaced_each_pod_in_turn(self, rollout: RolledOut) -> bool:
        """Whether every pod of the StatefulSet was replaced, each one Ready before the next one was made."""
        steps, due = rollout.steps, {pod.seat for pod in self.before.pods}
        seats = [step.seat for step in steps]
        in_turn = all(earlier.ready <= later.created for earlier, later in pairwise(steps))
        asked_for = {seat for seat in due if kind_of(seat).stateful_set == rollout.stateful_set}
        return in_turn and len(seats) == len(asked_for) and set(seats) == asked_for

    @cached_property
    def steps(self) -> dict[str, tuple[float, float]]:
        """From when until when each Redis was replaced, in this order; seconds since the history's origin.

        On the witness's clock: a step ends when another process answers on its seat, the next one begins there.
        """
        fault = self.history.fault()
        if fault is None:
            raise HarnessError("no fault was injected while clients wrote")
        before: dict[int, str] = {}
        came: dict[str, float] = {}
        for each in self.history.identities:
            if before.setdefault(each.instance, each.run_id) != each.run_id and each.at >= fault.sent:
                came.setdefault(self.history.instance_name(each.instance), each.at / MICRO)
        ends = sorted(came.items(), key=lambda item: item[1])
        begins = [fault.sent_s, *(at for _, at in ends)]
        return {seat: (since, until) for since, (seat, until) in zip(begins, ends, strict=False)}

    def gap_of_each_step(self) -> dict[str, float | None]:
        """The longest time without an acknowledged write while each Redis was replaced; None: it was not measurable."""
        gaps: dict[str, float | None] = {}
        for seat, (since, until) in self.steps.items():
            found = unavailability(self.history, since=since, until=until)
            gaps[seat] = None if found.window is None else found.window.duration
        return gaps

    def each_step_has_its_gap(self, rollout: RolledOut, gaps: Mapping[str, float | None]) -> bool:
        """Whether the gap of every step was measured, in the order of the rollout, and is within the promise."""
        self._limits += [LimitCheck(f"write gap of {seat}", PROMISED_FAILOVER_S, gap) for seat, gap in gaps.items()]
        return list(gaps) == [step.seat for step in rollout.steps] and all(
            gap is not None and gap <= PROMISED_FAILOVER_S for gap in gaps.values()
        )
