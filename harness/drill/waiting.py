"""What a drill waits for while its faults hold: a new primary, writes, the steady state, windows without a change."""

from __future__ import annotations

import time

from harness import wait
from harness.drill.course import WRITES_S, Course
from harness.errors import HarnessError, ObservationError
from harness.sut import Sut, Topology, replies

#: Patience, not a limit: a first attempt that fails is followed by another one after 2 x failover-timeout (60 s).
NEW_PRIMARY_S = 90.0

#: sentinel.c: an unanswered PING is noticed a period late, and an election may take min(10 s, failover-timeout).
PING_PERIOD_S = 1.0
ELECTION_TIMEOUT_S = 10.0

#: Redis counts a replica's lag in whole seconds, and looks at it once a second.
LAG_GRAIN_S = 2.0

#: With appendfsync everysec, Redis holds an AOF write back for up to 2 s while an fsync is under way (aof.c,
#: flushAppendOnlyFile); what it acknowledged meanwhile is in its memory alone.
AOF_LAG_S = 2.0

#: How long clients write before the time that a crash may lose, so that there is something that it must not lose.
SOME_WRITES_S = 1.0


class Waiting(Course):
    """The waits of a drill: bounded, and returning what came."""

    def primary_other_than(self, old: str) -> str:
        """Return the seat that the Sentinels' majority names and that says primary itself, once it is not `old`."""
        return wait.eventually(
            self._sut.elected_primary,
            lambda seat: seat != old,
            seconds=NEW_PRIMARY_S,
            what=f"a primary other than {old}",
        )

    def await_writes(self) -> None:
        """Return when writes are being acknowledged."""
        if self._recording is None:
            raise HarnessError("writes are awaited outside of `writing`: the drill has no workload")
        wait.eventually(self._recording.is_writing, seconds=WRITES_S, what="acknowledged writes")

    def await_writes_that_the_aof_must_have(self) -> None:
        """Return when clients have written for longer than the AOF may lag behind what is acknowledged."""
        wait.pause_until(time.monotonic() + AOF_LAG_S + SOME_WRITES_S)

    def await_steady(self) -> Topology:
        """Return the topology once it is steady again. Raises SteadyStateError."""
        self.now = self._sut.steady()
        return self.now

    def keeps_its_primary_for_as_long_as_detection_could_take(self, primary: str) -> None:
        """Return when nobody else was elected for longer than detection and an election could have taken.

        The window runs from now on, which is after the fault was felt, so it is longer than it needs to be.
        """
        wait.consistently(
            self._sut.elected_primary,
            lambda seat: seat == primary,
            seconds=self.detection_and_election_s,
            what=f"{primary} as the elected primary",
        )

    def nobody_is_promoted_beside(self, primary: str) -> None:
        """Return when nobody else said primary for longer than detection and an election could have taken.

        `primary` itself need not answer meanwhile. The window runs from now on, after the faults were felt.
        """
        wait.consistently(
            self._sut.topology,
            lambda topology: set(topology.primaries) <= {primary},
            seconds=self.detection_and_election_s,
            what=f"nobody but {primary} as primary",
        )

    def stale_primary_refuses_writes(self, seat: str) -> None:
        """Return when the primary on `seat` counts no replica as good: with min-replicas-to-write it refuses writes."""
        wait.eventually(
            lambda: good_replicas(self._sut, seat),
            lambda good: good == 0,
            seconds=self.allowed_lag_s + WRITES_S,
            what=f"{seat} to count no good replica",
        )

    @property
    def down_after_s(self) -> float:
        """How long an instance must not answer before a Sentinel calls it down; the longest of the Sentinels'."""
        return max(view.down_after_s for view in self.before.sentinels)

    @property
    def allowed_lag_s(self) -> float:
        """How long a primary without its replicas may take writes: min-replicas-max-lag, and what it is counted in.

        Redis counts the lag in whole seconds and looks at it once a second (replication.c, refreshGoodSlavesCount).
        """
        return self.budget.configuration.min_replicas_max_lag + LAG_GRAIN_S

    @property
    def detection_and_election_s(self) -> float:
        """The longest that the Sentinels may take from the loss of a primary to the end of a first election."""
        return self.down_after_s + PING_PERIOD_S + ELECTION_TIMEOUT_S


def good_replicas(sut: Sut, seat: str) -> int:
    """Return how many replicas the primary on `seat` counts for min-replicas-to-write."""
    said = replies.info(sut.ask(seat, "INFO replication")[0], "INFO replication")
    if "min_slaves_good_slaves" not in said:
        raise ObservationError(f"{seat} counts no replicas: min-replicas-to-write is off, or it is none")
    return int(said["min_slaves_good_slaves"])
