"""Made-up drills with the figures of real ones, to test the report and to look at it without a cluster."""

from __future__ import annotations

from harness.report.record import (
    Attempt,
    BudgetPhase,
    CheckerVerdict,
    DrillRecord,
    FaultBracket,
    LimitCheck,
    NameChange,
    Phase,
    RoleSpan,
    SentinelEvent,
    Window,
    WitnessHealth,
)
from tests.unit.report import sample_course as course

FAULT_AT = course.FAULT_AT
STEPS = {
    "last acknowledged write": (0.02, None, ""),
    "first Sentinel: subjectively down": (5.06, 5.04, "down-after 5 s"),
    "all Sentinels: subjectively down": (5.12, 0.06, ""),
    "objectively down": (5.16, 0.04, "quorum 2"),
    "leader elected": (5.23, 0.07, "redis-sentinel-1"),
    "promoted": (6.24, 1.01, ""),
    "first Sentinel switched": (6.31, 0.07, ""),
    "first acknowledged write": (6.95, 0.64, "on redis-1"),
    "last Sentinel switched": (7.35, 0.4, ""),
    "replicas linked again": (8.02, 0.67, "redis-2"),
}


def budget(*, detection: float = 5.04, election: float = 0.17, promotion: float = 1.01) -> list[BudgetPhase]:
    """Return what the default settings allow, beside what was measured."""
    rows = [
        ("detection", 5.0, 6.1, detection, "down-after 5 s, and up to one PING period where the connection stays open"),
        ("agreement and election", 0.05, 10.2, election, "a timer tick to ask the others; an election may take 10 s"),
        ("promotion seen", 0.2, 2.2, promotion, "Sentinel asks with INFO once a second"),
        ("clients arrive", 0.0, 1.0, 0.64, "the client's own retry of 50 ms and its timeout of 500 ms"),
    ]
    return [BudgetPhase(name, best, worst, took, took <= worst, why) for name, best, worst, took, why in rows]


def unplanned(*, gap_s: float = 6.93, limit_s: float = 30.0) -> DrillRecord:
    """Return the record of a primary that was deleted with its seat kept empty."""
    stopped, back = FAULT_AT + 0.021, FAULT_AT + 0.021 + gap_s
    steps = STEPS | {"first acknowledged write": (round(0.021 + gap_s, 2), 0.64, "on redis-1")}
    return DrillRecord(
        promise="Losing the primary's pod stops writes for no longer than 30 s.",
        outcome="unplanned failover",
        old_primary="redis-0",
        new_primary="redis-1",
        faults=[
            FaultBracket(
                "pod deleted, seat kept empty", "redis-0", FAULT_AT, FAULT_AT + 0.4, FAULT_AT + 21.8, FAULT_AT + 0.05
            )
        ],
        phases=[Phase(name, at, took, note) for name, (at, took, note) in steps.items()],
        windows=[
            Window("write", stopped, back, gap_s, 0.004, ["291 refused", "10 readonly"]),
            Window("read", FAULT_AT + 0.02, FAULT_AT + 0.4, 0.38, 0.01, ["8 refused"], "readers"),
        ],
        verdicts=[
            CheckerVerdict("stats", True, "31,204 writes, 30,870 of them acknowledged"),
            CheckerVerdict("lost writes", True, "every acknowledged write is on the new primary"),
            CheckerVerdict("two primaries", None, "the old primary could not be asked from +0.4 s on", asserted=False),
        ],
        limits=[LimitCheck("interruption of writes", limit_s, gap_s)],
        acknowledged=30870,
        failed=301,
        unknown=33,
        lost=0,
        roles=course.moved_roles(gone=0.1, back=24.2, promoted=5.4),
        sentinel_events=course.events_of_a_promotion(),
        ops=course.ops(stopped, back),
        history="history/drills_test_x.jsonl",
        budget=budget(),
        budget_sentence="within budget",
        budget_warnings=["min-replicas-to-write is 0: a primary that is cut off goes on acknowledging writes."],
        attempts=[Attempt("redis-sentinel-1", FAULT_AT + 5.17, FAULT_AT + 7.35, "redis-1 was promoted")],
        ops_by_group={
            "Service writer": course.ops(stopped, FAULT_AT + 8.4, rate=10, bad=10, unknown=1),
            "readers": course.ops(FAULT_AT + 0.02, FAULT_AT + 0.4, rate=20, bad=2, unknown=0),
        },
        services=course.moved_service(gone=1.2, back=8.4),
        views=course.moved_views((6.31, 7.35, 6.33), down=5.06),
        dns=[
            NameChange(FAULT_AT + 1.1, "redis-0.redis-headless", error="no such name"),
            NameChange(FAULT_AT + 23.0, "redis-0.redis-headless", ["10.42.1.17"]),
        ],
        witness=WitnessHealth(0.0021, 0.0, 0.004),
        proves=[
            "Losing the primary's pod stopped writes of clients that ask the Sentinels for 6.93 s, of 30 s allowed."
        ],
        does_not_prove=[
            "That no write is ever lost: Redis replicates asynchronously, and this was one failover.",
            "Anything about the loss of a whole node or zone.",
        ],
    )


def reboot() -> DrillRecord:
    """Return the record of a primary whose process was killed and came back before anybody would replace it."""
    back = FAULT_AT + 1.32
    return DrillRecord(
        promise="A primary that restarts within down-after keeps its role and loses nothing acknowledged.",
        outcome="reboot, no failover due",
        old_primary="redis-2",
        new_primary="redis-2",
        faults=[FaultBracket("process killed", "redis-2", FAULT_AT, FAULT_AT + 0.01, back - 0.1)],
        phases=[
            Phase("last acknowledged write", 0.01),
            Phase("process runs again", 1.1, 1.09),
            Phase("first acknowledged write", 1.32, 0.22),
        ],
        windows=[Window("write", FAULT_AT + 0.01, back, 1.31, 0.003, ["80 refused", "8 loading"])],
        verdicts=[CheckerVerdict("lost writes", True, "every acknowledged write is on redis-2 and both replicas")],
        limits=[LimitCheck("interruption of writes", 5.0, 1.31)],
        acknowledged=14031,
        failed=88,
        unknown=2,
        lost=0,
        roles={
            "redis-0": [RoleSpan(FAULT_AT - 3, FAULT_AT + 6, "replica")],
            "redis-1": [RoleSpan(FAULT_AT - 3, FAULT_AT + 6, "replica")],
            "redis-2": [
                RoleSpan(FAULT_AT - 3, FAULT_AT + 0.05, "primary"),
                RoleSpan(FAULT_AT + 0.05, FAULT_AT + 0.9, "unreachable"),
                RoleSpan(FAULT_AT + 0.9, FAULT_AT + 1.2, "loading"),
                RoleSpan(FAULT_AT + 1.2, FAULT_AT + 6, "primary"),
            ],
        },
        sentinel_events=[
            SentinelEvent(FAULT_AT + 1.9 + n / 10, f"redis-sentinel-{n}", "+reboot", "master mymaster redis-2")
            for n in range(3)
        ],
        ops=course.ops(FAULT_AT + 0.01, back, until=FAULT_AT + 6),
        history="history/drills_test_y.jsonl",
    )
