"""What a configuration invites beyond its budget; each caution only where the configuration warrants it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.budget.configuration import Configuration
from harness.budget.phases import SECOND_ATTEMPT, SILENCE, TILT, Budget

#: A container that restarts in place is back after one to two seconds (kubelet, first restart).
RESTART_S = 1.0
#: scripts/hand-over.sh: it settles for a second and gives up after thirty.
HAND_OVER_S = 31.0


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to know; `name` is stable, `text` a sentence with the figures."""

    name: str
    text: str


def cautions(budget: Budget, promise_s: float) -> tuple[Caution, ...]:
    """Return what this configuration warrants, most costly first."""
    given = budget.configuration
    found = [*_of_time(budget, promise_s), *_of_votes(given), *_of_data(given), *_of_restarts(budget)]
    found += [Caution("disagreement", each) for each in given.disagreements]
    return tuple(found)


def _of_time(budget: Budget, promise_s: float) -> Iterator[Caution]:
    given = budget.configuration
    second, tilt = budget.course(SECOND_ATTEMPT), budget.course(TILT)
    if second.worst_s > promise_s:
        yield Caution(
            "retry",
            f"after a first attempt that fails the next one comes 2 x failover-timeout = "
            f"{2 * given.failover_timeout:g} s later: {second.best_s:.1f} to {second.worst_s:.1f} s in all, "
            f"{promise_s:g} s are promised (sentinelStartFailoverIfNeeded)",
        )
    if tilt.worst_s > promise_s:
        yield Caution(
            "tilt",
            f"a Sentinel that stands still for {given.tilt_trigger:g} s (CPU limit, slow name service) does nothing "
            f"for {given.tilt_period:g} s; if most do, a crash then costs up to {tilt.worst_s:.1f} s "
            "(sentinelCheckTiltCondition)",
        )


def _of_votes(given: Configuration) -> Iterator[Caution]:
    known, majority = given.sentinels, given.majority
    if given.quorum > known:
        yield Caution(
            "quorum-unreachable", f"quorum {given.quorum} of {known} Sentinels is never reached: no failover ever"
        )
    elif given.quorum > majority:
        yield Caution(
            "quorum-above-majority",
            f"quorum {given.quorum} is more than the majority {majority} of {known}: with {known - given.quorum + 1} "
            "Sentinels down nobody is found down although a majority is there",
        )
    elif given.quorum < majority:
        yield Caution(
            "quorum-below-majority",
            f"quorum {given.quorum} finds the primary down, but an election takes the majority {majority} of {known}: "
            "fewer see +odown and cannot act",
        )
    if known % 2 == 0:
        yield Caution("even", f"{known} Sentinels bear the loss of {known - majority}, no more than {known - 1} would")
    if known - given.votes_needed < 1:
        yield Caution("no-spare-sentinel", f"all {known} Sentinels are needed for an election: none may be away")
    if known > given.sentinels_due:
        yield Caution(
            "ghosts",
            f"{known} Sentinels are known where {given.sentinels_due} are due: ghosts count for the majority "
            "(SENTINEL RESET on one after the other forgets them)",
        )


def _of_data(given: Configuration) -> Iterator[Caution]:
    stale = 4 * given.publish_period + given.info_period + given.tick
    if given.min_replicas_to_write == 0:
        yield Caution(
            "no-fence",
            "min-replicas-to-write 0: a primary that is cut off acknowledges writes without bound, all lost when it "
            f"is demoted, up to {stale:.1f} s after it can be reached again (sentinelRefreshInstanceInfo)",
        )
    elif given.min_replicas_to_write > given.replicas - 1:
        yield Caution(
            "fence-too-high",
            f"min-replicas-to-write {given.min_replicas_to_write} of {given.replicas} replicas: after a failover, "
            "until the old primary is back, the new one has too few and refuses writes",
        )
    if not given.is_persistent:
        yield Caution(
            "wiped",
            f"persistence is off: a primary that is back within {given.down_after:g} s comes back empty, stays "
            "primary, and the replicas empty themselves after it",
        )
    if given.repl_timeout > given.down_after and given.repl_timeout > 30:
        yield Caution(
            "repl-timeout",
            f"repl-timeout {given.repl_timeout:g} s: a replica that hangs at a vanished primary looks for another one "
            "only then, and so long there is no redundancy",
        )
    if given.diskless_sync_delay > 0:
        yield Caution(
            "sync-delay",
            f"repl-diskless-sync-delay {given.diskless_sync_delay:g} s: every full resync begins so much later",
        )


def _of_restarts(budget: Budget) -> Iterator[Caution]:
    given = budget.configuration
    if given.down_after > RESTART_S:
        yield Caution(
            "reboot",
            f"a process that restarts within {given.down_after:g} s is not failed over: Sentinels say +reboot, and "
            "the gap lasts until it has loaded its data, however long that takes",
        )
    if not given.has_pre_stop:
        yield Caution(
            "no-hand-over",
            "no preStop hook: Sentinel gets no goodbye, so every planned restart of the primary costs what a crash "
            f"does, up to {budget.course(SILENCE).worst_s:.1f} s",
        )
    elif given.grace < HAND_OVER_S + given.shutdown_timeout:
        yield Caution(
            "grace",
            f"terminationGracePeriodSeconds {given.grace:g} is shorter than the hand-over ({HAND_OVER_S:g} s) and "
            f"Redis's shutdown-timeout ({given.shutdown_timeout:g} s) together: Redis may be killed in the middle",
        )
