"""Best and worst time of each phase of a failover, from the settings. Pure.

A worst case is that of a *first* attempt in which nothing is lost: a vote that is missed, a leader that dies or a
Sentinel in TILT has a course of its own, for then it is not a little slower but slower by twice the failover-timeout.
Facts are from sentinel.c of Redis 7.2.5 (function names given); they were held against measured times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.budget.configuration import Configuration, Environment

CRASH, SILENCE, PLANNED, REBOOT = "crash", "silence", "planned", "reboot"
SECOND_ATTEMPT, TILT = "second attempt", "TILT"

#: sentinel.c, sentinelSendPeriodicCommands: a replica is asked once a second while its primary is down or replaced.
REPLICA_INFO_S = 1.0
#: sentinel.c, SENTINEL_MAX_DESYNC: added at random to the moment from which the next attempt counts.
DESYNC_S = 1.0
#: scripts/hand-over.sh looks 25 times, a tenth of a second apart, whether the replicas have everything; they report
#: once a second (replication.c, replicationCron).
LEVEL_S = 2.5


@dataclass(frozen=True, slots=True)
class Step:
    """One phase: from one mark of the anatomy to another, in seconds, and why.

    An `aside` happens beside the writers' gap: it is judged, but no part of the total.
    """

    name: str
    begins: str
    ends: str
    best_s: float
    worst_s: float
    why: str
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """One way in which the primary can change or go away; the totals are the gap that writers meet, in seconds."""

    name: str
    title: str
    steps: tuple[Step, ...]
    best_s: float
    worst_s: float

    def step(self, name: str) -> Step:
        """The step of that name. Raises KeyError."""
        found = {each.name: each for each in self.steps}
        return found[name]


@dataclass(frozen=True, slots=True)
class Budget:
    """All courses of one configuration.

    `promised` are those whose totals the promise is about; `cliffs` are what happens when something goes wrong in
    addition.
    """

    configuration: Configuration
    environment: Environment
    promised: tuple[Course, ...]
    cliffs: tuple[Course, ...]

    def course(self, name: str) -> Course:
        """The course of that name. Raises KeyError."""
        found = {each.name: each for each in (*self.promised, *self.cliffs)}
        return found[name]

    def fits(self, promise_s: float) -> bool:
        """Whether the worst case of every promised course is within the promise."""
        return all(each.worst_s <= promise_s for each in self.promised)


def budget(configuration: Configuration, environment: Environment | None = None) -> Budget:
    """Return the budget of a configuration in an environment."""
    environment = environment or Environment()
    crash = _unplanned(configuration, environment, silent=False)
    silence = _unplanned(configuration, environment, silent=True)
    planned = _planned(configuration, environment) if configuration.has_pre_stop else _without_hook(crash)
    retry = 2 * configuration.failover_timeout
    desync = DESYNC_S + configuration.tick
    second = Course(
        SECOND_ATTEMPT, "the first attempt fails", (), crash.best_s + retry, silence.worst_s + retry + desync
    )
    tilt = Course(
        TILT, "most Sentinels in TILT", (), configuration.tilt_period, configuration.tilt_period + silence.worst_s
    )
    promised = (crash, silence, planned, _reboot(configuration, environment))
    return Budget(configuration, environment, promised, (second, tilt))


def _unplanned(given: Configuration, around: Environment, *, silent: bool) -> Course:
    noticed = min(given.ping_period, given.down_after) if silent else 0.0
    first_down = Step(
        "found down",
        "fault sent",
        "first +sdown",
        given.down_after,
        given.down_after + noticed + 2 * given.tick + around.slack,
        "down-after counts from the first PING that stays without an answer, sent up to a ping period later "
        "(sentinelCheckSubjectivelyDown)"
        if silent
        else "a reset connection is opened anew at the next tick and its PING starts down-after "
        "(sentinelReconnectInstance)",
    )
    asked = 2 * given.tick + around.slack
    agreed = Step(
        "agreed",
        "first +sdown",
        "+odown",
        0.0,
        noticed + 2 * given.tick + asked if given.quorum > 1 else asked,
        "the Sentinel that completes the quorum asks the others at once and counts their answers at its next tick "
        "(sentinelAskMasterStateToOtherSentinels)",
    )
    elected = Step(
        "elected",
        "+odown",
        "+elected-leader",
        0.0,
        given.ask_period + asked,
        "votes are asked for at once, and again after an ask period if an answer is missing (sentinelGetLeader)",
    )
    rest = (elected, *_promotion(given, around))
    # The last of a quorum is no later than the first may be: its being late is not counted twice.
    worst = first_down.worst_s + asked + sum(each.worst_s for each in rest)
    title = "the primary falls silent (pause, partition)" if silent else "the primary crashes (connections reset)"
    steps = (first_down, agreed, *rest, *_asides(given, around))
    return Course(SILENCE if silent else CRASH, title, steps, given.down_after, worst)


def _promotion(given: Configuration, around: Environment) -> tuple[Step, ...]:
    """From the leader's election to the writers; the same for all courses."""
    known = 2 * given.tick + around.slack
    return (
        Step(
            "told to promote",
            "+elected-leader",
            "+failover-state-wait-promotion",
            0.0,
            3 * given.tick + around.slack,
            "choosing a replica and sending REPLICAOF NO ONE take a tick each (sentinelFailoverStateMachine)",
        ),
        Step(
            "promoted",
            "+failover-state-wait-promotion",
            "+promoted-slave",
            0.0,
            REPLICA_INFO_S + 2 * given.tick + around.slack,
            "the leader sees it in INFO, asked for once a second (sentinelSendPeriodicCommands)",
        ),
        Step(
            "made known",
            "+promoted-slave",
            "first +switch-master",
            0.0,
            known,
            "the leader says hello to all at its next tick (sentinelForceHelloUpdateForMaster)",
        ),
        Step(
            "followed",
            "first +switch-master",
            "first ok write",
            -known,
            around.client_timeout + around.slack,
            "a writer asks the Sentinels anew once its timeout is over; the leader names the new primary before it "
            "switches (sentinelGetCurrentMasterAddress)",
        ),
    )


def _asides(given: Configuration, around: Environment) -> tuple[Step, ...]:
    """What is over after the writers' gap."""
    told = Step(
        "replicas told",
        "+promoted-slave",
        "last +switch-master",
        0.0,
        given.failover_timeout + given.tick + around.slack,
        f"{given.parallel_syncs} at a time; what is not done after failover-timeout is ended "
        "(sentinelFailoverDetectEnd)",
        aside=True,
    )
    if given.readiness is None:
        return (told,)
    service = Step(
        "Service follows",
        "first +switch-master",
        "Service leads to the new primary",
        -2 * given.tick - around.slack,
        given.readiness + around.endpoints + around.slack,
        "a pod that is not ready leaves a Service after period x threshold (+ timeout) of its readiness probe",
        aside=True,
    )
    return (told, service)


def _planned(given: Configuration, around: Environment) -> Course:
    held = Step(
        "held",
        "last ok write",
        "+try-failover",
        0.0,
        LEVEL_S + around.slack,
        "writes are held until the replicas, which report once a second, have everything (scripts/hand-over.sh)",
    )
    elected = Step(
        "elected",
        "+try-failover",
        "+elected-leader",
        0.0,
        2 * given.tick + around.slack,
        "SENTINEL FAILOVER needs no votes (sentinelFailoverWaitStart)",
    )
    rest = (held, elected, *_promotion(given, around))
    worst = sum(each.worst_s for each in rest)
    return Course(PLANNED, "the primary hands over (preStop)", (*rest, *_asides(given, around)), 0.0, worst)


def _without_hook(crash: Course) -> Course:
    """Sentinel gets no goodbye from a server that stops, so a planned restart costs what a crash does."""
    return replace(crash, name=PLANNED, title="the primary is stopped, without a hand-over")


def _reboot(given: Configuration, around: Environment) -> Course:
    back = Step(
        "back",
        "fault sent",
        "first ok write",
        0.0,
        given.down_after + 2 * given.tick + around.slack,
        "a process that answers again before down-after is not failed over, one that is later is a crash; loading its "
        "data comes on top, for LOADING is an answer (sentinelPingReplyCallback)",
    )
    return Course(REBOOT, "the primary's process restarts in its place", (back,), 0.0, back.worst_s)
