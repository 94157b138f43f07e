"""A failover against its budget: within, over and in which phase, or not known."""

from __future__ import annotations

import dataclasses

from harness.budget import CRASH, SILENCE, Budget, Configuration, Environment, budget, judge
from harness.history import History
from harness.timeline import Anatomy, anatomy
from tests.unit.history.made import S, address, event, history, switch, write

Rows = list[list[object]]

CONFIGURATION = Configuration(
    down_after=0.6,
    failover_timeout=4.0,
    parallel_syncs=1,
    quorum=2,
    sentinels=3,
    sentinels_due=3,
    replicas=2,
    ping_period=0.3,
    ask_period=0.1,
    has_pre_stop=True,
)
BUDGET: Budget = budget(CONFIGURATION, Environment(round_trip=0.001, lag=0.005))
FAULT = ["fault", "killed(redis-0)", "inject", 1 * S, int(1.01 * S), 500]
OLD = f"master mymaster {address('redis-0').replace(':', ' ')}"
NEW = " ".join(
    ["slave", address("redis-1"), *address("redis-1").split(":"), "@ mymaster", *address("redis-0").split(":")]
)


def story(*, down: float = 1.65, elected: float = 1.9, writing: float = 2.98) -> Rows:
    """An unplanned failover with the instants that vary."""
    return [
        FAULT,
        event("sentinel-1", down, "+sdown", OLD),
        event("sentinel-1", down + 0.1, "+odown", f"{OLD} #quorum 2/2"),
        event("sentinel-1", down + 0.1, "+try-failover", OLD),
        event("sentinel-1", elected, "+elected-leader", OLD),
        event("sentinel-1", elected + 0.2, "+failover-state-wait-promotion", NEW),
        event("sentinel-1", elected + 1.0, "+promoted-slave", NEW),
        switch("sentinel-0", elected + 1.05, "redis-0", "redis-1"),
        switch("sentinel-1", elected + 1.9, "redis-0", "redis-1"),
        *written(writing),
    ]


def written(until: float) -> Rows:
    """Writes before the fault and from `until` on."""
    before = [write(n, 0.001 + n / 100) for n in range(100)]
    return [*before, *(write(500 + n, until + n / 100, by="redis-1") for n in range(100))]


def anatomy_of(rows: Rows) -> Anatomy:
    made: History = history(sorted(rows, key=lambda row: 0 if row[0] != "w" else 1))
    return anatomy(made)


def test_promotion_within_its_budget_is_valid() -> None:
    found = judge(anatomy_of(story()), BUDGET)

    assert (found.valid, found.summary, found.course) == (True, "within budget", SILENCE), found.explain()
    assert {each.outcome for each in found.steps if not each.aside} == {"within"}, found.explain()


def test_phase_over_budget_is_named_with_its_times() -> None:
    """Two seconds from agreement to election where at most 0.3 are due; and the whole gap is judged as well."""
    found = judge(anatomy_of(story(elected=3.75, writing=4.83)), BUDGET)
    elected = found.step("elected")

    assert found.valid is False
    assert found.summary == "over budget in phase elected (took 2.0 s, at most 0.3 s)", found.explain()
    assert elected is not None
    assert elected.outcome == "over"
    assert found.explain().splitlines()[3].split()[:2] == ["elected", "2.000"]


def test_known_sort_of_fault_narrows_the_budget() -> None:
    """0.9 s until somebody is found down is much for a crash, and usual for a silence."""
    late = anatomy_of(story(down=1.95, elected=2.2, writing=3.28))

    assert judge(late, BUDGET, course=SILENCE).valid is True
    crash = judge(late, BUDGET, course=CRASH)
    assert crash.valid is False
    assert "found down" in crash.summary


def test_bracket_of_the_fault_counts_in_its_favour() -> None:
    """If the fault may have taken effect later, nobody can say that the phase was too long."""
    rows = story(down=1.95, elected=2.2, writing=3.28)
    rows[0] = ["fault", "killed(redis-0)", "inject", 1 * S, int(1.4 * S), 500]

    found = judge(anatomy_of(rows), BUDGET, course=CRASH).step("found down")

    assert found is not None
    assert found.outcome == "within"


def test_phase_that_was_not_seen_is_unknown() -> None:
    """No verdict is better than a green one."""
    rows = [row for row in story() if row[3] != "+elected-leader"]

    found = judge(anatomy_of(rows), BUDGET)

    assert found.valid is None
    assert found.summary == "within budget as far as seen; not seen: elected, told to promote"


def test_planned_hand_over_has_its_own_course() -> None:
    rows = [
        ["fault", "deleted(redis-0)", "inject", 1 * S, int(1.01 * S), 500],
        event("sentinel-1", 1.2, "+try-failover", OLD),
        event("sentinel-1", 1.25, "+elected-leader", OLD),
        event("sentinel-1", 1.4, "+failover-state-wait-promotion", NEW),
        event("sentinel-1", 2.2, "+promoted-slave", NEW),
        switch("sentinel-0", 2.25, "redis-0", "redis-1"),
        *written(2.3),
    ]

    found = judge(anatomy_of(rows), BUDGET)

    assert (found.course, found.valid) == ("planned", True), found.explain()


def test_second_attempt_is_over_budget_and_said() -> None:
    rows = story(elected=9.0, writing=10.08)
    rows.insert(4, event("sentinel-2", 8.9, "+try-failover", OLD))

    found = judge(anatomy_of(rows), BUDGET)

    assert found.valid is False
    assert found.summary.endswith("2 attempts were made"), found.summary


def test_reboot_is_judged_as_one_and_nothing_as_nothing() -> None:
    quick = anatomy_of([FAULT, event("sentinel-0", 1.4, "+reboot", OLD), *written(1.3)])
    slow = anatomy_of([FAULT, event("sentinel-0", 1.4, "+reboot", OLD), *written(4.0)])
    nothing = anatomy_of([FAULT, *written(1.02)])

    assert (judge(quick, BUDGET).course, judge(quick, BUDGET).valid) == ("reboot", True)
    assert judge(slow, BUDGET).valid is False
    assert judge(nothing, BUDGET).valid is None


def test_aside_changes_no_verdict() -> None:
    """Replicas that are told late are a line, not a failure."""
    found = anatomy_of(story())
    late = tuple(
        dataclasses.replace(each, at=each.at + 60) if each.name == "last +switch-master" else each
        for each in found.phases
    )

    verdict = judge(dataclasses.replace(found, phases=late), BUDGET)
    told = verdict.step("replicas told")

    assert told is not None
    assert told.outcome == "over"
    assert verdict.valid is True
