"""Made-up drills of other kinds: a planned hand-over, split brain with losses, a first attempt that fails, TILT."""

from __future__ import annotations

from harness.report.record import (
    Attempt,
    BudgetPhase,
    CheckerVerdict,
    DrillRecord,
    FaultBracket,
    LimitCheck,
    Loss,
    Overlap,
    Phase,
    SentinelEvent,
    Tilt,
    ViewSpan,
    Window,
    WitnessHealth,
)
from tests.unit.report import sample_course as course
from tests.unit.report.sample_course import MASTER, SENTINELS, at


def planned() -> DrillRecord:
    """Return the record of a hand-over asked for, with writes paused first."""
    begin, back = at(0.3), at(2.42)
    return DrillRecord(
        promise="A pod that is deleted hands over first: writes stand still for at most 30 s and none is lost.",
        outcome="planned failover",
        old_primary="redis-0",
        new_primary="redis-1",
        faults=[FaultBracket("pod deleted", "redis-0", at(0), at(0.02), at(14.1), at(0.06))],
        phases=[
            Phase("last acknowledged write", 0.3, None, "writes paused by the hook"),
            Phase("hand-over asked for", 0.41, 0.11, "redis-sentinel-2"),
            Phase("promoted", 1.5, 1.09),
            Phase("first Sentinel switched", 1.58, 0.08),
            Phase("first acknowledged write", 2.42, 0.84, "on redis-1"),
            Phase("replicas linked again", 15.6, 13.18, "redis-0"),
        ],
        windows=[Window("write", begin, back, 2.12, 0.004, ["64 timeout"])],
        verdicts=[CheckerVerdict("lost writes", True, "every acknowledged write is on all three instances")],
        limits=[LimitCheck("interruption of writes", 30.0, 2.12)],
        acknowledged=31122,
        failed=0,
        unknown=64,
        lost=0,
        roles=course.moved_roles(gone=2.9, back=13.0, promoted=1.3, end=22),
        sentinel_events=[
            event for event in course.events_of_a_promotion(0.3, SENTINELS[2]) if "down" not in event.event
        ],
        ops=course.ops(begin, back, until=at(22), bad=0),
        views={
            name: [ViewSpan(at(-4), at(1.58), "redis-0", "master"), ViewSpan(at(1.58), at(22), "redis-1", "master")]
            for name in SENTINELS
        },
        budget=[
            BudgetPhase("pause and catch-up", 0.0, 1.0, 0.41, True, "the hook waits for offsets to be equal"),
            BudgetPhase("promotion seen", 0.2, 2.2, 1.09, True, "INFO once a second"),
        ],
        budget_sentence="within budget",
        proves=["A pod deleted as by a rolling update hands over first: writes stood still for 2.12 s, none was lost."],
    )


def paused() -> DrillRecord:
    """Return the record of a primary stopped with SIGSTOP and continued after another one was elected."""
    stopped, back = at(0.02), at(6.98)
    roles = {
        "redis-0": course.spans(
            (-4, 0.1, "primary"), (0.1, 12.1, "unreachable"), (12.1, 22.3, "primary"), (22.3, 22.6, "loading"),
            (22.6, 30, "replica"),
        ),
        "redis-1": course.spans((-4, 6.6, "replica"), (6.6, 30, "primary")),
        "redis-2": course.spans((-4, 30, "replica")),
    }  # fmt: skip
    return DrillRecord(
        promise="A primary that was paused and comes back loses nothing of clients that ask the Sentinels.",
        outcome="unplanned failover",
        old_primary="redis-0",
        new_primary="redis-1",
        faults=[FaultBracket("process paused", "redis-0", at(0), at(0.004), at(12.0), at(0.003))],
        phases=[
            Phase("last acknowledged write", 0.02),
            Phase("first Sentinel: subjectively down", 5.66, 5.64, "down-after 5 s"),
            Phase("objectively down", 5.76, 0.1, "quorum 2"),
            Phase("promoted", 6.84, 1.08),
            Phase("first acknowledged write", 6.98, 0.14, "on redis-1"),
            Phase("old primary demoted", 22.3, 15.32, "redis-0"),
        ],
        windows=[
            Window("write", stopped, back, 6.96, 0.004, ["48 timeout", "12 refused"]),
            Window("write", stopped, at(12.05), 12.03, 0.01, ["22 timeout"], "pinned writers"),
        ],
        verdicts=[
            CheckerVerdict("lost writes, Sentinel-aware", True, "all 28,104 acknowledged writes are on redis-1"),
            CheckerVerdict("split brain", False, "redis-0 and redis-1 both took writes for 10.20 s", asserted=False),
        ],
        limits=[LimitCheck("interruption of writes", 30.0, 6.96)],
        acknowledged=28104,
        failed=12,
        unknown=48,
        lost=0,
        roles=roles,
        sentinel_events=[
            *course.events_of_a_promotion(5.66),
            SentinelEvent(at(22.3), SENTINELS[1], "+convert-to-slave", "slave redis-0.redis-headless 6379 @ mymaster"),
        ],
        ops=course.ops(stopped, back),
        ops_by_group={"pinned writers": course.ops(stopped, at(12.05), rate=100, bad=0, unknown=2)},
        views=course.moved_views((6.92, 7.95, 6.94), down=5.66),
        services=course.moved_service(gone=1.0, back=8.1),
        losses=[Loss("pinned writers", "redis-1", 10194, at(12.06), at(22.28))],
        overlaps=[Overlap("redis-1", "redis-0", at(12.1), at(22.3), 10194)],
        budget=[
            BudgetPhase("detection", 5.0, 6.1, 5.64, True, "down-after 5 s, and up to one PING period"),
            BudgetPhase("agreement and election", 0.05, 10.2, 0.1, True, "a timer tick; an election may take 10 s"),
            BudgetPhase("promotion seen", 0.2, 2.2, 1.08, True, "INFO once a second"),
            BudgetPhase("old primary demoted", 8.0, 11.0, 10.2, True, "4 x the hello period, seen with INFO each 10 s"),
        ],
        budget_sentence="within budget",
        budget_warnings=["min-replicas-to-write is 0: a paused primary acknowledges writes again until it is demoted."],
        witness=WitnessHealth(0.003, 0.0, 0.004),
        proves=["Clients that ask the Sentinels lost nothing when a paused primary came back."],
        does_not_prove=[
            "That a client which keeps its connection is safe: 10,194 of its acknowledged writes are gone."
        ],
    )


def second_attempt() -> DrillRecord:
    """Return the record of a leader that died after its election: the others wait for twice the failover-timeout."""
    stopped, back, end = at(0.02), at(66.4), 80.0
    leader = SENTINELS[1]
    first = [event for event in course.events_of_a_promotion() if event.at < at(5.3)]
    attempts = [
        Attempt(leader, at(5.17), None, "elected, then gone before it promoted anybody"),
        Attempt(SENTINELS[0], at(65.2), at(66.3), "redis-1 was promoted"),
    ]
    return DrillRecord(
        promise="Losing the primary and the leading Sentinel together stops writes for no longer than 30 s.",
        outcome="unplanned failover",
        old_primary="redis-0",
        new_primary="redis-1",
        faults=[
            FaultBracket("process killed", "redis-0", at(0), at(0.01), at(70.5), at(0.004)),
            FaultBracket("process killed", leader, at(5.24), at(5.25), at(20.0), at(5.245)),
        ],
        phases=[
            Phase("last acknowledged write", 0.02),
            Phase("objectively down", 5.16, 5.14, "quorum 2"),
            Phase("first leader elected", 5.23, 0.07, leader),
            Phase("second attempt", 65.2, 59.97, SENTINELS[0]),
            Phase("promoted", 66.3, 1.1),
            Phase("first acknowledged write", 66.4, 0.1, "on redis-1"),
        ],
        windows=[Window("write", stopped, back, 66.38, 0.004, ["2655 refused"])],
        verdicts=[CheckerVerdict("lost writes", True, "every acknowledged write is on redis-1")],
        limits=[LimitCheck("interruption of writes", 30.0, 66.38)],
        acknowledged=17503,
        failed=2655,
        unknown=8,
        lost=0,
        roles=course.moved_roles(gone=0.1, back=71.0, promoted=65.5, end=end),
        sentinel_events=[*first, *course.events_of_a_promotion(65.1, SENTINELS[0])],
        ops=course.ops(stopped, back, until=at(end)),
        views=course.moved_views((66.35, 66.37, 66.39), down=5.06, end=end),
        budget=[
            BudgetPhase("detection", 5.0, 6.1, 5.06, True, "down-after 5 s and a timer tick"),
            BudgetPhase("agreement and election", 0.05, 10.2, 60.14, False, "an election may take 10 s"),
            BudgetPhase("promotion seen", 0.2, 2.2, 1.1, True, "INFO once a second"),
        ],
        budget_sentence="over budget in agreement and election: 60.14 s of 10.2 s at worst, the first attempt failed",
        budget_warnings=["A failed first attempt costs 60 s: no Sentinel retries before twice the failover-timeout."],
        attempts=attempts,
    )


def tilt() -> DrillRecord:
    """Return the record of Sentinels that were all paused: back again, they distrust their clocks for 30 s."""
    stopped, back, end = at(3.4), at(34.0), 45.0
    return DrillRecord(
        promise="Sentinels that were paused replace a dead primary once they trust their clocks again.",
        outcome="unplanned failover",
        old_primary="redis-0",
        new_primary="redis-1",
        faults=[
            FaultBracket("processes paused", "all Sentinels", at(0), at(0.01), at(3.0), at(0.01)),
            FaultBracket("process killed", "redis-0", at(3.38), at(3.4), None, at(3.385)),
        ],
        phases=[
            Phase("last acknowledged write", 3.4),
            Phase("last Sentinel out of TILT", 33.1, 29.7),
            Phase("promoted", 33.9, 0.8),
            Phase("first acknowledged write", 34.0, 0.1, "on redis-1"),
        ],
        windows=[Window("write", stopped, back, 30.6, 0.004, ["1224 refused"])],
        verdicts=[CheckerVerdict("lost writes", True, "every acknowledged write is on redis-1")],
        acknowledged=18211,
        failed=1224,
        unknown=8,
        lost=0,
        roles=course.moved_roles(gone=3.45, back=end, promoted=33.3, end=end),
        sentinel_events=sorted(
            [
                *(
                    SentinelEvent(at(3.05 + n / 20), name, "+tilt", "#tilt mode entered")
                    for n, name in enumerate(SENTINELS)
                ),
                *(
                    SentinelEvent(at(33.05 + n / 20), name, "-tilt", "#tilt mode exited")
                    for n, name in enumerate(SENTINELS)
                ),
                SentinelEvent(at(33.15), SENTINELS[1], "+odown", MASTER),
                *course.events_of_a_promotion(32.7)[8:],
            ],
            key=lambda event: event.at,
        ),
        ops=course.ops(stopped, back, until=at(end)),
        attempts=[Attempt(SENTINELS[1], at(33.15), at(34.99), "redis-1 was promoted")],
        tilts=[Tilt(name, at(3.05 + n / 20), at(33.05 + n / 20)) for n, name in enumerate(SENTINELS)],
        budget_sentence="no budget: Sentinels in TILT act on nothing for 30 s",
    )
