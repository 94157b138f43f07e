"""Made-up drills with the figures of real ones, to test the report and to look at it without a cluster."""

from __future__ import annotations

from harness.report.record import (
    CheckerVerdict,
    DrillRecord,
    FaultBracket,
    LimitCheck,
    OpsBucket,
    Phase,
    RoleSpan,
    SentinelEvent,
    Window,
)

FAULT_AT = 1007.4


def unplanned(*, gap_s: float = 6.93, limit_s: float = 30.0) -> DrillRecord:
    """Return the record of a primary that was deleted with its seat kept empty."""
    stopped, back = FAULT_AT + 0.021, FAULT_AT + 0.021 + gap_s
    steps = {
        "last acknowledged write": (0.02, None, ""),
        "first Sentinel: subjectively down": (5.06, 5.04, "down-after 5 s"),
        "all Sentinels: subjectively down": (5.12, 0.06, ""),
        "objectively down": (5.16, 0.04, "quorum 2"),
        "leader elected": (5.23, 0.07, "redis-sentinel-1"),
        "promoted": (6.24, 1.01, ""),
        "first Sentinel switched": (6.31, 0.07, ""),
        "first acknowledged write": (round(0.021 + gap_s, 2), 0.64, "on redis-1"),
        "last Sentinel switched": (7.35, 0.4, ""),
        "replicas linked again": (8.02, 0.67, "redis-2"),
    }
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
        windows=[Window("write", stopped, back, gap_s, 0.004, ["connection refused", "READONLY"])],
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
        roles=_roles(),
        sentinel_events=_events(),
        ops=_ops(stopped, back),
        history="history/drills_test_x.jsonl",
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
        windows=[Window("write", FAULT_AT + 0.01, back, 1.31, 0.003, ["connection refused", "LOADING"])],
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
        ops=_ops(FAULT_AT + 0.01, back, until=FAULT_AT + 6),
        history="history/drills_test_y.jsonl",
    )


def _roles() -> dict[str, list[RoleSpan]]:
    end = FAULT_AT + 30
    return {
        "redis-0": [
            RoleSpan(FAULT_AT - 4, FAULT_AT + 0.1, "primary"),
            RoleSpan(FAULT_AT + 0.1, FAULT_AT + 24.2, "unreachable"),
            RoleSpan(FAULT_AT + 24.2, end, "replica"),
        ],
        "redis-1": [RoleSpan(FAULT_AT - 4, FAULT_AT + 5.4, "replica"), RoleSpan(FAULT_AT + 5.4, end, "primary")],
        "redis-2": [RoleSpan(FAULT_AT - 4, end, "replica")],
    }


def _events() -> list[SentinelEvent]:
    leader, others = "redis-sentinel-1", ("redis-sentinel-0", "redis-sentinel-2")
    told = [
        (5.06, leader, "+sdown"),
        (5.16, leader, "+odown"),
        (5.17, leader, "+new-epoch"),
        (5.17, leader, "+try-failover"),
    ]
    told += [(5.18, leader, "+vote-for-leader"), (5.23, leader, "+elected-leader"), (5.3, leader, "+selected-slave")]
    told += [(6.24, leader, "+promoted-slave"), (6.9, leader, "+slave-reconf-done"), (7.35, leader, "+switch-master")]
    told += [(5.08 + n * 0.04, name, "+sdown") for n, name in enumerate(others)]
    told += [(5.19, name, "+vote-for-leader") for name in others] + [
        (6.31, name, "+config-update-from") for name in others
    ]
    told += [(6.31 + n * 0.02, name, "+switch-master") for n, name in enumerate(others)]
    return [
        SentinelEvent(FAULT_AT + at, name, event, "master mymaster redis-0.redis-headless 6379")
        for at, name, event in sorted(told)
    ]


def _ops(stopped: float, back: float, until: float = FAULT_AT + 30) -> list[OpsBucket]:
    start = FAULT_AT - 4
    buckets = []
    for number in range(int((until - start) * 10)):
        t = start + number / 10
        share = max(0.0, min(t + 0.1, back) - max(t, stopped)) * 10
        busy = 97 + (number * 7) % 9
        felt = round(4 * share)
        buckets.append(OpsBucket(round(t, 3), round(busy * (1 - share)), felt, 8 if 0.3 < share < 1 else 0))
    return buckets
