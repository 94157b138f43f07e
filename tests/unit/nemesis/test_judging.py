"""What a leg's history is held against: each fault allows so much and no more, and only around itself."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checkers import Question, ask
from harness.errors import HarnessError
from harness.history import History
from harness.nemesis import Entry, Group, Menu, Step
from harness.nemesis.judging import Rules, injected, limits, may_be_lost, questions, windows_allowed
from harness.nemesis.telling import phases
from tests.unit.history.made import S, digests, history, in_order, named, role, samples, swept, write
from tests.unit.nemesis.made import MENU, nothing, step

RULES = Rules(MENU, failover_timeout_s=30.0)


def mark(name: str, at_s: float, action: str = "inject") -> list[Any]:
    return ["fault", name, action, round(at_s * S), round(at_s * S) + 1000, 100]


def writes(*stretches: tuple[float, float], step_s: float = 0.1, by: str = "redis-0") -> list[list[Any]]:
    """Acknowledged writes on a grid in each stretch, with nothing between them."""
    instants = [
        first + number * step_s for first, last in stretches for number in range(round((last - first) / step_s))
    ]
    return [write(sequence, instant, by=by) for sequence, instant in enumerate(instants)]


def leg(rows: list[list[Any]], *marks: list[Any], **options: Any) -> History:
    kept = {0: [[0, sum(row[0] == "w" for row in rows) - 1]]}
    seen = [role(seat, at, "primary" if seat == "redis-0" else "replica") for seat in SEATS for at in (1.0, 1.1, 1.2)]
    return history([*rows, *seen, *marks, *swept(kept), *SAME], **options)


SEATS = ("redis-0", "redis-1", "redis-2")
SAME = digests(redis_0="aa", redis_1="aa", redis_2="aa")
KILLED = Group(step(10))
SENTINEL = Group(step(10, target="one_sentinel"))
COMPOSED = Group(step(10, "paused", held_s=60), (Group(step(15, target="one_sentinel")),))


def values(found: History, *groups: Group) -> dict[str, bool | None]:
    told = injected(found, groups)
    asked = [ask(found, Question(*each)) for each in questions(found, told, MENU).items()]
    return {verdict.checker: verdict.valid for verdict in (*asked, windows_allowed(found, told, RULES))}


ALL_WELL = {"lost_writes": True, "split_brain": True, "convergence": True, "windows": True}


def test_healthy_leg_holds() -> None:
    """A gap within the promise, nothing lost, one primary at a time."""
    assert values(leg(writes((0, 10), (18, 60)), mark("k", 10), mark("k", 40, "steady")), KILLED) == ALL_WELL


@pytest.mark.parametrize(
    ("group", "gap", "valid"),
    [
        (KILLED, 29.0, True),
        (KILLED, 31.0, False),
        (SENTINEL, 4.0, True),
        (SENTINEL, 6.0, False),
        (COMPOSED, 80.0, True),
        (COMPOSED, 95.0, False),
    ],
)
def test_each_window_is_held_against_its_own_fault(group: Group, gap: float, valid: bool) -> None:
    """The loss of a primary allows a promotion, that of a Sentinel does not, both together a second attempt."""
    marks = [mark(str(number), 10 + number) for number in range(len(group.steps))]
    found = leg(writes((0, 10), (10 + gap, 130)), *marks, mark("k", 120, "steady"))

    verdict = windows_allowed(found, injected(found, [group]), RULES)

    assert verdict.valid is valid
    assert str(group) in verdict.explain()


def test_window_beside_every_fault_is_not_excused_by_one() -> None:
    """After the steady state no fault is to blame, so the promise for the time of a fault does not apply."""
    during = leg(writes((0, 12), (20, 60)), mark("k", 10), mark("k", 30, "steady"))
    after = leg(writes((0, 40), (48, 60)), mark("k", 10), mark("k", 30, "steady"))
    before = leg(writes((0, 1), (9, 60)), mark("k", 20), mark("k", 30, "steady"))

    assert [values(found, KILLED)["windows"] for found in (during, after, before)] == [True, False, False]


def test_time_that_is_too_long_is_said_with_its_fault_and_its_limit() -> None:
    """The line that a person reads first says what was broken, for how long nobody could write, what is allowed."""
    found = leg(writes((0, 10), (45, 60)), mark("k", 10), mark("k", 50, "steady"))
    told = injected(found, [KILLED])

    assert windows_allowed(found, told, RULES).summary.startswith(
        "writes stood still for 35.1 s where 30 s are allowed, during killed(primary) (1 windows"
    )
    assert [(each.name, each.limit_s, each.held) for each in limits(found, told, RULES)] == [
        ("no write during killed(primary)", 30.0, False)
    ]


def test_group_with_several_windows_has_its_longest_one_beside_its_limit() -> None:
    """Each group once, and one that nobody felt not at all."""
    marks = [mark("k", 10), mark("k", 30, "steady"), mark("s", 40), mark("s", 55, "steady")]
    found = leg(writes((0, 10), (12, 15), (20, 60)), *marks)

    (only,) = limits(found, injected(found, [KILLED, SENTINEL]), RULES)

    assert only.name == "no write during killed(primary)"
    assert only.measured_s == pytest.approx(5.1, abs=0.05)
    assert only.held is True


def test_course_of_a_leg_is_told_fault_by_fault() -> None:
    """When each was sent, felt and healed, and when the deployment was steady again after its group."""
    marks = [mark("outer", 10), mark("outer", 11, "effect"), mark("inner", 12), mark("inner", 13, "heal")]
    marks += [mark("outer", 20, "heal"), mark("paused", 25, "steady"), mark("inner", 30), mark("inner", 32, "heal")]

    told = phases(leg(writes((0, 40)), *marks))

    assert [(each.name, each.at_s, each.took_s, each.note) for each in told] == [
        ("fault sent", 0, None, "outer"),
        ("effect seen", 1, 1, "outer"),
        ("fault sent", 2, None, "inner"),
        ("healed", 3, 1, "inner"),
        ("healed", 10, 10, "outer"),
        ("steady again", 15, 15, "paused"),
        ("fault sent", 20, None, "inner"),
        ("healed", 22, 2, "inner"),
    ]


def test_window_after_a_fault_that_never_ended_is_its_own() -> None:
    """A deployment that never became steady again has not left the fault behind."""
    found = leg(writes((0, 40), (60, 70)), mark("k", 10))

    assert values(found, KILLED)["windows"] is True
    assert "killed(primary)" in windows_allowed(found, injected(found, [KILLED]), RULES).explain()


def test_each_of_two_faults_has_its_own_time() -> None:
    """The second group's gap is held against the second group."""
    marks = [mark("k", 10), mark("k", 20, "steady"), mark("s", 30), mark("s", 60, "steady")]

    first = leg(writes((0, 10), (18, 70)), *marks)
    second = leg(writes((0, 31), (39, 70)), *marks)

    assert values(first, KILLED, SENTINEL)["windows"] is True
    assert values(second, KILLED, SENTINEL)["windows"] is False


def test_writes_that_never_came_back_do_not_hold() -> None:
    """An open window is unknown while it is short, and too long once it is longer than allowed."""
    refused = [write(1000 + n, 10 + n, "f", error="refused") for n in range(40)]

    short = leg([*writes((0, 10)), *refused[:20]], mark("k", 10))
    long = leg([*writes((0, 10)), *refused], mark("k", 10))

    assert values(short, KILLED)["windows"] is None
    assert values(long, KILLED)["windows"] is False


def test_broken_off_recording_is_no_pass() -> None:
    """What was not recorded may have been anything."""
    found = leg(writes((0, 10), (18, 60)), mark("k", 10), mark("k", 40, "steady"), ended=None)

    assert values(found, KILLED) == dict.fromkeys(ALL_WELL)


def test_leg_without_a_write_is_unknown() -> None:
    """Where nobody wrote there are no windows, and that proves nothing."""
    assert windows_allowed(history([mark("k", 10)]), [], RULES).valid is None


@pytest.mark.parametrize(
    ("groups", "allowed"),
    [
        ([], 0),
        ([KILLED], 20),  # two seconds of ten writes each
        ([SENTINEL], 0),
        ([KILLED, Group(step(10))], 30),  # a second later: the stretches overlap, each write counts once
    ],
)
def test_only_writes_around_the_loss_of_a_primary_may_be_lost(groups: list[Group], allowed: int) -> None:
    """Two seconds before a crash, as its menu entry says; nothing for a Sentinel."""
    marks = [mark("k", 10.05 + number) for number in range(len(groups))]
    ends = [mark("k", 20.0 + number, "steady") for number in range(len(groups))]
    found = leg(writes((0, 30)), *marks, *ends)

    assert may_be_lost(found, injected(found, groups), MENU) == allowed


def test_only_what_a_replaced_primary_took_may_be_lost_after_a_fault() -> None:
    """It takes writes for six seconds beside its successor: these and the two seconds before, not its successor's."""
    menu = Menu(Entry("unheard", nothing, ("primary",), predicted_s=9, lost_around_s=(0.0, 20.0)))
    old = writes((0, 26))
    new = [write(n, 20.05 + n / 10, by="redis-1", writer=1) for n in range(200)]
    seen = [*samples("redis-0", "primary", 0.1, 26), *samples("redis-1", "replica", 0.1, 20)]
    seen += samples("redis-1", "primary", 20.1, 40)
    ops = sorted([*old, *new], key=lambda row: row[3] + row[4])
    group = Group(step(10, "unheard"))

    def allowed(at_s: float) -> int:
        rows = [*in_order(seen), *ops, *named("redis-1", 20.0), mark("k", at_s)]
        found = history(rows, pinned=1)
        return may_be_lost(found, injected(found, [group]), menu)

    assert allowed(10) == pytest.approx(8 * 10, abs=3)
    assert allowed(30) == 0  # the fault came after the overlap: it is not its doing


def test_more_lost_than_a_crash_may_lose_does_not_hold() -> None:
    """By identity and number, against the final sweep."""
    rows = writes((0, 30))
    seen = [role(seat, at, "primary" if seat == "redis-0" else "replica") for seat in SEATS for at in (1.0, 1.1, 1.2)]
    marks = [mark("k", 10.05), mark("k", 20, "steady")]

    def lacking(number: int) -> bool | None:
        kept = {0: [[0, 99 - number], [100, len(rows) - 1]]}
        return values(history([*rows, *seen, *marks, *swept(kept)]), KILLED)["lost_writes"]

    assert [lacking(number) for number in (20, 21)] == [True, False]


@pytest.mark.parametrize(("groups", "limit"), [([SENTINEL], 0.0), ([Group(step(10, "returned"))], 12.0), ([], 0.0)])
def test_two_writable_primaries_are_allowed_for_as_long_as_a_fault_says(groups: list[Group], limit: float) -> None:
    """A primary that comes back alive is given time to be demoted; nobody else is."""
    menu = Menu(*MENU, Entry("returned", nothing, ("primary",), predicted_s=9, two_primaries_s=12.0))
    found = leg(writes((0, 30)), *[mark("k", 10)] * len(groups))

    assert questions(found, injected(found, groups), menu)["split_brain"] == {"at_most": limit}


def test_history_that_does_not_fit_what_was_done_is_not_judged() -> None:
    """A fault without its mark, or a mark without its fault, must not shift what the others are held against."""
    found = leg(writes((0, 30)), mark("k", 10))

    for groups in ([], [KILLED, SENTINEL], [KILLED, SENTINEL, KILLED]):
        with pytest.raises(HarnessError, match=r"gone through, and the history has 1"):
            injected(found, groups)
    assert [each.group for each in injected(found, [KILLED])] == [KILLED]


def test_steps_keep_their_order_in_composed_groups() -> None:
    """The n-th mark belongs to the n-th step injected."""
    steps: tuple[Step, ...] = COMPOSED.steps
    found = leg(writes((0, 30)), mark("outer", 10), mark("inner", 12))

    (composed,) = injected(found, [COMPOSED])

    assert [(each.fault, seen.name) for each, seen in zip(steps, composed.marks, strict=True)] == [
        ("paused", "outer"),
        ("killed", "inner"),
    ]
