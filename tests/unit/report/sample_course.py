"""Made-up courses of events for the sample drills: roles, views, events and operations that fit together."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.record import OpsBucket, RoleSpan, SentinelEvent, ServiceSpan, ViewSpan

FAULT_AT = 1007.4
BEFORE_S, END_S = 4.0, 30.0
SENTINELS = ("redis-sentinel-0", "redis-sentinel-1", "redis-sentinel-2")
MASTER = "master mymaster redis-0.redis-headless 6379"
SWITCH = "mymaster redis-0.redis-headless 6379 redis-1.redis-headless 6379"


def at(seconds: float) -> float:
    """Return an instant on the witness's clock, given in seconds after the fault."""
    return FAULT_AT + seconds


def spans(*pieces: tuple[float, float, str]) -> list[RoleSpan]:
    return [RoleSpan(at(start), at(end), role) for start, end, role in pieces]


def moved_roles(*, gone: float, back: float, promoted: float, end: float = END_S) -> dict[str, list[RoleSpan]]:
    """Return the roles when redis-1 takes over from redis-0."""
    return {
        "redis-0": spans((-BEFORE_S, gone, "primary"), (gone, back, "unreachable"), (back, end, "replica")),
        "redis-1": spans((-BEFORE_S, promoted, "replica"), (promoted, end, "primary")),
        "redis-2": spans((-BEFORE_S, end, "replica")),
    }


def moved_views(switched: Sequence[float], *, down: float, end: float = END_S) -> dict[str, list[ViewSpan]]:
    """Return whom each Sentinel named when the primary moved from redis-0 to redis-1."""
    return {
        name: [
            ViewSpan(at(-BEFORE_S), at(down + number * 0.04), "redis-0", "master"),
            ViewSpan(at(down + number * 0.04), at(moment), "redis-0", "master,s_down,o_down"),
            ViewSpan(at(moment), at(end), "redis-1", "master"),
        ]
        for number, (name, moment) in enumerate(zip(SENTINELS, switched, strict=True))
    }


def moved_service(*, gone: float, back: float, end: float = END_S) -> dict[str, list[ServiceSpan]]:
    return {
        "redis": [
            ServiceSpan(at(-BEFORE_S), at(gone), "redis-0", "primary"),
            ServiceSpan(at(gone), at(back), None),
            ServiceSpan(at(back), at(end), "redis-1", "primary"),
        ]
    }


def events_of_a_promotion(begin: float = 5.06, leader: str = SENTINELS[1]) -> list[SentinelEvent]:
    """Return the events from the first +sdown to the last +switch-master, as measured ones follow each other."""
    others = [name for name in SENTINELS if name != leader]
    led = [(0.0, "+sdown"), (0.1, "+odown"), (0.11, "+new-epoch"), (0.11, "+try-failover"), (0.12, "+vote-for-leader")]
    led += [
        (0.17, "+elected-leader"),
        (0.24, "+selected-slave"),
        (1.18, "+promoted-slave"),
        (1.84, "+slave-reconf-done"),
    ]
    told = [(after, leader, event, MASTER) for after, event in led]
    told += [(2.29, leader, "+switch-master", SWITCH)]
    for number, name in enumerate(others):
        told += [(0.02 + number * 0.04, name, "+sdown", MASTER), (0.13, name, "+vote-for-leader", "1 of epoch 4")]
        told += [(1.25, name, "+config-update-from", leader), (1.25 + number * 0.02, name, "+switch-master", SWITCH)]
    return [SentinelEvent(at(begin + after), name, event, text) for after, name, event, text in sorted(told)]


def ops(
    stopped: float, back: float, *, until: float = at(END_S), rate: int = 100, bad: int = 4, unknown: int = 8
) -> list[OpsBucket]:
    """Return `rate` acknowledged operations per 100 ms, save from `stopped` to `back` (instants)."""
    start = at(-BEFORE_S)
    buckets = []
    for number in range(int((until - start) * 10)):
        t = start + number / 10
        share = max(0.0, min(t + 0.1, back) - max(t, stopped)) * 10
        busy = rate - rate // 25 + (number * 7) % 9 * rate // 100
        lost = unknown if 0.3 < share < 0.99 else 0
        buckets.append(OpsBucket(round(t, 3), round(busy * (1 - share)), round(bad * share), lost))
    return buckets
