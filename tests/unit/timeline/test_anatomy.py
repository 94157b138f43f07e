"""A failover taken apart: kinds told from each other, phases in order, and what went wrong named."""

from __future__ import annotations

import math
from itertools import chain

from harness.history import FaultMark, History
from harness.timeline import anatomy
from tests.unit.history.made import NUMBER, S, address, event, history, role, switch, write

Rows = list[list[object]]

FAULT = ["fault", "killed(redis-0)", "inject", 1 * S, int(1.01 * S), 500]
OLD = f"master mymaster {address('redis-0').replace(':', ' ')}"
NEW = " ".join(
    ["slave", address("redis-1"), *address("redis-1").split(":"), "@ mymaster", *address("redis-0").split(":")]
)


def writes(first_s: float, last_s: float, *, start: int, by: str) -> Rows:
    """Acknowledged writes every 10 ms."""
    return [write(start + n, first_s + n / 100, by=by) for n in range(round((last_s - first_s) * 100) + 1)]


def samples(seat: str, says: str, first_s: float, last_s: float, *, of: str = "redis-0") -> Rows:
    """ROLE samples every 100 ms."""
    return [role(seat, first_s + n / 10, says, of=of) for n in range(round((last_s - first_s) * 10) + 1)]


def made(*parts: Rows) -> History:
    """A history with writes before 1 s by redis-0 and from 3 s by redis-1, and these records."""
    return history(
        [*writes(-0.001, 0.999, start=0, by="redis-0")[1:], *writes(3, 6, start=500, by="redis-1"), *chain(*parts)]
    )


ELECTION: Rows = [
    event("sentinel-1", 1.60, "+sdown", OLD),
    event("sentinel-0", 1.65, "+sdown", OLD),
    event("sentinel-2", 1.70, "+sdown", OLD),
    event("sentinel-1", 1.72, "+odown", f"{OLD} #quorum 2/2"),
    event("sentinel-1", 1.73, "+try-failover", OLD),
    event("sentinel-1", 1.80, "+elected-leader", OLD),
    event("sentinel-1", 2.90, "+promoted-slave", NEW),
    switch("sentinel-0", 2.95, "redis-0", "redis-1"),
    switch("sentinel-2", 2.96, "redis-0", "redis-1"),
    switch("sentinel-1", 3.90, "redis-0", "redis-1"),
]
CLIFF = ": who took part starts no new one before twice the failover-timeout"
RELINKED = [
    *samples("redis-1", "replica", 0, 2.8),
    *samples("redis-1", "primary", 2.9, 6),
    *samples("redis-2", "replica", 0, 3.1),
    *samples("redis-2", "replica", 3.2, 6, of="redis-1"),
    *samples("redis-0", "primary", 0, 0.9),
    *samples("redis-0", "unreachable", 1.0, 4.4),
    *samples("redis-0", "replica", 4.5, 6, of="redis-1"),
]


def test_unplanned_promotion_has_all_its_phases_in_order() -> None:
    """From the last write to the last replica linked, with the seat or Sentinel that each is known from."""
    found = anatomy(made([FAULT], ELECTION, RELINKED))

    assert found.kind == "unplanned"
    assert (found.old_primary, found.new_primary) == ("redis-0", "redis-1")
    assert [each.name for each in found.phases] == [
        "last ok write",
        "fault sent",
        "fault returned",
        "first +sdown",
        "last +sdown",
        "+odown",
        "+try-failover",
        "+elected-leader",
        "+promoted-slave",
        "first +switch-master",
        "first ok write",
        "last +switch-master",
        "replicas linked again",
    ]
    first, last, linked = (
        found.phase(name) for name in ("first +switch-master", "last +switch-master", "replicas linked again")
    )
    assert first is not None
    assert (first.by, first.since_fault) == ("sentinel-0", 1.95)
    assert last is not None
    assert (last.by, last.since_fault) == ("sentinel-1", 2.9)
    assert linked is not None
    assert linked.by == "redis-0"
    assert math.isclose(linked.at, 4.501)
    assert math.isclose(sum(each.took for each in found.phases), linked.at - found.phases[0].at)
    assert math.isclose(found.window.duration, 2.001)
    assert found.uncertainty == 0.0005


def test_planned_promotion_has_nobody_found_down() -> None:
    """SENTINEL FAILOVER: an attempt without +odown before it; what is found down afterwards changes nothing."""
    events = [
        event("sentinel-1", 1.1, "+try-failover", OLD),
        event("sentinel-1", 1.2, "+elected-leader", OLD),
        event("sentinel-1", 2.9, "+promoted-slave", NEW),
        switch("sentinel-0", 2.95, "redis-0", "redis-1"),
        event("sentinel-0", 3.5, "+sdown", f"slave {address('redis-0')} x 1 @ mymaster y 2"),
        switch("sentinel-1", 3.9, "redis-0", "redis-1"),
    ]

    found = anatomy(made([FAULT], events))

    assert found.kind == "planned"
    assert found.phase("first +sdown") is None
    assert "planned (redis-0 -> redis-1)" in found.headline()


def test_reboot_promotes_nobody() -> None:
    """The primary came back as a new process: kind none, and the reboot is said."""
    found = anatomy(made([FAULT], [event(f"sentinel-{n}", 2.5 + n / 100, "+reboot", OLD) for n in range(3)]))

    assert found.kind == "none"
    assert found.rebooted
    assert (found.old_primary, found.new_primary) == ("redis-0", None)
    assert "redis-0 stayed primary and came back as a new process" in found.headline()
    assert "+reboot" in found.as_table()


def test_replica_that_reboots_is_not_the_primary() -> None:
    """A rebooted replica is a remark, no more."""
    found = anatomy(
        made([FAULT], [event("sentinel-0", 2.5, "+reboot", f"slave {address('redis-2')} x 1 @ mymaster y 2")])
    )

    assert not found.rebooted


def test_aborted_attempt_and_second_one_are_told() -> None:
    """Given up once, then done: the attempts are counted, the abort and its consequence named."""
    events = [
        event("sentinel-1", 1.72, "+odown", OLD),
        event("sentinel-1", 1.73, "+try-failover", OLD),
        event("sentinel-1", 1.80, "-failover-abort-no-good-slave", OLD),
        event("sentinel-2", 2.00, "+try-failover", OLD),
        event("sentinel-2", 2.90, "+promoted-slave", NEW),
        switch("sentinel-0", 2.95, "redis-0", "redis-1"),
    ]

    found = anatomy(made([FAULT], events))

    assert found.attempts == 2
    assert "2 attempts" in found.headline()
    assert [(each.leader, each.outcome) for each in found.tries] == [
        ("sentinel-1", "aborted: no good replica"),
        ("sentinel-2", "promoted"),
    ]
    assert found.second_attempt_after == 0.27
    assert "attempt 1 by sentinel-1, +0.730 s .. +0.800 s: aborted: no good replica" in found.as_table()
    assert "attempt 2 by sentinel-2, +1.000 s .. +1.900 s: promoted, 0.270 s after the first began" in found.as_table()
    assert found.remarks == (
        f"attempt 1 by sentinel-1: aborted: no good replica{CLIFF}",
        "sentinel-2 tried again 0.270 s after the first attempt",
    )


def test_tilt_is_told_once_with_its_number() -> None:
    """A Sentinel that lost its sense of time does nothing for 30 s: a remark, not repeated."""
    events = [event("sentinel-2", 1.5 + n / 10, "+tilt", "#tilt mode entered") for n in range(4)]

    found = anatomy(made([FAULT], events))

    assert found.remarks == ("sentinel-2: TILT, took no action, from +0.500 s to the end of the recording (4 times)",)


def test_sentinel_that_could_not_be_heard_is_told() -> None:
    """Missing events are not absent events."""
    found = anatomy(made([FAULT], [["listening", NUMBER["sentinel-0"], 2 * S, "down", "timeout"]]))

    assert found.remarks == ("+1.000 s sentinel-0: could not be listened to (timeout), events may be missing",)


def test_events_before_the_fault_belong_to_somebody_else() -> None:
    """An earlier failover in the same recording is not this fault's."""
    earlier = [event("sentinel-0", 0.3, "+odown", OLD), switch("sentinel-0", 0.5, "redis-2", "redis-0")]

    found = anatomy(made([FAULT], earlier))

    assert found.kind == "none"
    assert found.attempts == 0


def test_replicas_that_never_come_back_leave_the_phase_out() -> None:
    """No instant is made up for what did not happen."""
    still_away = [row for row in RELINKED if not (row[1] == NUMBER["redis-0"] and row[4] == "replica")]

    assert anatomy(made([FAULT], ELECTION, still_away)).phase("replicas linked again") is None


def test_without_a_fault_mark_times_count_from_the_origin() -> None:
    """A failover that nobody injected can be taken apart as well."""
    found = anatomy(made(ELECTION))

    assert found.kind == "unplanned"
    assert all(each.since_fault is None for each in found.phases)
    assert "@" in found.as_table()


def test_chosen_fault_is_the_zero() -> None:
    """Of several marks the one asked about counts."""
    heal = FaultMark("killed(redis-0)", "heal", 2 * S, 2 * S, 0)

    found = anatomy(made([FAULT], ELECTION), heal)

    assert found.phases[0].name == "last ok write"
    assert found.phase("first +sdown") is None


def test_several_promotions_are_counted() -> None:
    """A rollout hands over more than once: from the first primary to the last, and how often."""
    again = [switch(f"sentinel-{n}", 4 + n / 10, "redis-1", "redis-0") for n in range(3)]
    found = anatomy(made([FAULT], ELECTION, again))

    assert found.promotions == 2
    assert (found.old_primary, found.new_primary) == ("redis-0", "redis-0")
    assert "2 promotions" in found.headline()
    assert anatomy(made([FAULT], ELECTION)).promotions == 1


def test_promotion_whose_news_came_too_late_is_a_promotion() -> None:
    """The recording ended before any Sentinel switched: the leader saw the promotion, so nobody "stayed primary"."""
    found = anatomy(made([FAULT], [row for row in ELECTION if row[3] != "+switch-master"]))

    assert found.kind == "unplanned"
    assert (found.old_primary, found.new_primary) == ("redis-0", "redis-1")
