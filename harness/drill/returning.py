"""Drills in which somebody returns: with nothing, with old data, or too late to be of use."""

from __future__ import annotations

import time
from collections.abc import Sequence

from harness import wait
from harness.drill.judging import Judging
from harness.drill.waiting import NEW_PRIMARY_S
from harness.errors import BrokenPromise, HarnessError, ObservationError
from harness.faults import Felled
from harness.history.records import MICRO, FaultMark, SentinelEvent
from harness.report.record import LimitCheck
from harness.sut.cooldown import LINE
from harness.sut.names import PRIMARY_NAME, REDIS, kind_of

#: sentinel.c, sentinelSelectSlave: a replica whose link has been down for longer than this many times down-after, and
#: for as long as the Sentinel that chooses holds the primary for down, is not good enough.
LINK_DOWN_TIMES = 10

#: Patience with a primary that waits to be told who took over, and with a full sync.
FOLLOWS_S = 120.0
#: How many looks at the number of keys make a judgement of it.
LOOKS = 5

#: A Sentinel that was restarted settles for 15 s, holds the primary for down then, and is elected within another 11 s.
GIVEN_UP_S = 60.0
GIVES_UP = "-failover-abort-no-good-slave"

#: A Sentinel's attempt to connect to an address that is gone ends after 8 to 15 s (docs/decisions/0015).
OBEYS_S = 60.0


class Returning(Judging):
    """Waits and judgements about who returns, and with what."""

    # Looks and waits

    @property
    def links_may_be_down_s(self) -> float:
        """For how long a replica may be without its primary and still be promoted by who saw that one go last."""
        return LINK_DOWN_TIMES * self.down_after_s

    def who_is_primary(self) -> str:
        """Return the seat that the Sentinels' majority names and that says primary itself, once there is one."""
        return wait.eventually(self._sut.elected_primary, seconds=NEW_PRIMARY_S, what="a primary")

    def sentinels_by_node(self, seat: str) -> list[str]:
        """Return the seats of the Sentinels, first the one that shares its node with the pod on `seat`."""
        node = {pod.seat: pod.node for pod in self.before.pods}
        return sorted((view.seat for view in self.before.sentinels), key=lambda each: (node[each] != node[seat], each))

    def has_most(self, seats: Sequence[str]) -> str:
        """Return the one of these instances that has got most of the replication stream."""
        return max(seats, key=lambda seat: self._sut.redis_view(seat).offset)

    def fewest_keys(self) -> int:
        """Return the number of keys of the Redis that has fewest; all of them answer."""
        return min(self._keys(seat) for seat in self._redis)

    def nobody_else_has_fewer_keys_until_it_follows(self, seat: str, keys: int) -> None:
        """Return when `seat` follows with its link up, no other Redis having had fewer than `keys` keys meanwhile.

        Who had none for a moment would have thrown its data away for a primary that has none: a full sync begins with
        that (replication.c, readSyncBulkPayload). Raises BrokenPromise; ObservationError when it was looked at too
        seldom to be judged.
        """
        looks: list[int] = []

        def look() -> bool:
            for other in self._redis:
                if other != seat:
                    looks.append(self._keys(other))
                    if looks[-1] < keys:
                        raise BrokenPromise(f"{other} has {looks[-1]} keys and had {keys}: {seat} took them away")
            view = self._sut.redis_view(seat)
            return view.role == "replica" and view.link_up and not view.syncing

        wait.eventually(look, seconds=FOLLOWS_S, what=f"{seat} following")
        if len(looks) < LOOKS:
            raise ObservationError(f"the others' keys were counted {len(looks)} times: too seldom to be judged")

    def _keys(self, seat: str) -> int:
        said = self._sut.ask(seat, "DBSIZE")[0]
        if not isinstance(said, int):
            raise ObservationError(f"{seat} was asked how many keys it has and said {said!r}")
        return said

    @property
    def _redis(self) -> list[str]:
        return [view.seat for view in self.before.redis]

    def nobody_is_promoted_until_links_are_down_for_too_long(self, primary: str) -> None:
        """Return when nobody but `primary` has said primary for longer than replicas stay good enough without it."""
        wait.consistently(
            self._sut.topology,
            lambda topology: set(topology.primaries) <= {primary},
            seconds=self.links_may_be_down_s,
            what=f"nobody but {primary} as primary",
        )

    def await_giving_up(self) -> None:
        """Return when a Sentinel, since this drill began, has given up for want of a good replica, as its log says."""

        def said() -> list[str]:
            since = time.monotonic() - self.before.at
            seats = [view.seat for view in self.before.sentinels if self._sut.pod(view.seat) is not None]
            logs = [self._sut.cluster.logs(seat, kind_of(seat).container, since_s=since) for seat in seats]
            return [event for log in logs for _, event in LINE.findall(log) if event == GIVES_UP]

        wait.eventually(said, seconds=GIVEN_UP_S, what=f"a Sentinel that says {GIVES_UP}")

    def a_sentinel_obeys_and_promotes(self, sentinels: Sequence[str]) -> None:
        """Tell these Sentinels by turns to promote a replica (SENTINEL FAILOVER) until one has a good one, and obeys.

        That needs no votes and does not wait for the end of what an attempt given up costs, 2 x failover-timeout
        (sentinel.c, sentinelCommand: FAILOVER refuses with NOGOODSLAVE, or starts at once).
        """

        def told() -> bool:
            return any(self._sut.ask(each, f"SENTINEL FAILOVER {PRIMARY_NAME}")[0] == "OK" for each in sentinels)

        wait.eventually(told, seconds=OBEYS_S, what=f"one of {', '.join(sentinels)} to have a good replica")

    # Judgements

    def was_felt_within(self, seconds: float, felled: Felled) -> bool:
        """Whether the whole of a fault was over so soon: from its order to the proof of its effect."""
        took = None if felled.effect_at is None else felled.effect_at - felled.injected_at
        self._limits.append(LimitCheck(f"{felled.name}, from the order to its proof", seconds, took))
        return took is not None and took < seconds

    def _promoted_at(self, seat: str) -> float:
        """When `seat` was first seen promoted; seconds since the origin. Raises HarnessError when it never was."""
        for each in self.anatomy.promoted:
            at = each.promoted or each.first_switch
            if each.new == seat and at is not None:
                return at
        raise HarnessError(f"nobody promoted {seat}")

    def was_replaced_within_its_course(self, seat: str, fault: str, course: str) -> bool:
        """Whether a successor of `seat` was made known no later after `fault` than this course of the budget allows.

        And the Sentinels had agreed that it is down: whoever hands over when it goes has not crashed.
        """
        given, struck = self.measured_budget.course(course), self._struck(fault, seat)
        known = next((each.first_switch for each in self.anatomy.promoted if each.old == seat), None)
        if not any(each.event == "+odown" and self._is_about(each, seat) for each in self.history.events):
            known = None
        limit = given.worst_s - given.step("followed").worst_s
        took = None if known is None else known - struck.returned / MICRO
        self._limits.append(LimitCheck(f"{seat} replaced after {fault}", limit, took))
        return took is not None and took <= limit

    def _is_about(self, event: SentinelEvent, seat: str) -> bool:
        kind, _, host, port = (*event.payload.split(), "", "", "", "")[:4]  # master <name> <ip> <port> ...
        return kind == "master" and self.history.name_at(f"{host}:{port}") == seat

    def was_back_before_its_successor(self, seat: str, fault: str, third: str) -> bool:
        """Whether `fault` of `seat` was healed before `third` was promoted."""
        healed = self._struck(fault, seat, action="heal")
        promoted = [each.promoted or each.first_switch for each in self.anatomy.promoted if each.new == third]
        return bool(promoted) and all(at is not None and healed.returned / MICRO < at for at in promoted)

    def took_no_write_before_it_was_followed(self, seat: str) -> bool:
        """Whether a primary without a replica was seen and refused all writes: NOREPLICAS, by min-replicas-to-write 1.

        By what it says itself (ROLE counts the replicas that are online), so not what it took after the last sample in
        which it was alone.
        """
        promoted = self._promoted_at(seat)
        alone_until = 0.0
        for each in self.history.roles:
            if self.history.instance_name(each.instance) != seat or each.role != "primary":
                continue
            if each.link:
                break
            if each.invoked >= promoted * MICRO:
                alone_until = each.invoked / MICRO
        taken = self._acknowledged_by(seat, since=promoted, until=alone_until)
        return not len(taken) and self._refused_by(seat, "noreplicas", since=promoted, until=alone_until) > 0

    def _refused_by(self, seat: str, error: str, *, since: float, until: float) -> int:
        """How many writes `seat` refused with this error; bounds in seconds since the origin."""
        writes = self.history.writes
        if error not in writes.labels:
            return 0
        met = writes.view(writes.error) == writes.labels.index(error)
        return int((met & self._answered_by(seat, since=since, until=until)).sum())

    def nobody_was_promoted_before(self, fault: str, seat: str) -> bool:
        """Whether somebody was promoted, and only after `fault` of `seat` had been ordered."""
        told = [at for each in self.anatomy.promoted if (at := each.promoted or each.first_switch) is not None]
        return bool(told) and min(told) > self._struck(fault, seat).sent_s

    def every_pod_is_another(self) -> bool:
        """Whether no Redis has the pod that it had when the drill began."""
        before, now = ({pod.uid for pod in seen.pods if kind_of(pod.seat) is REDIS} for seen in (self.before, self.now))
        return len(now) == len(before) and not now & before

    def _struck(self, fault: str, seat: str, *, action: str = "inject") -> FaultMark:
        """Return the mark of this fault of this very seat. Raises HarnessError when there is none."""
        found = self.history.fault(f"{fault}({seat}", action)
        if found is None:
            raise HarnessError(f"{fault} of {seat} has no {action} in the history")
        return found
