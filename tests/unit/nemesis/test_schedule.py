from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.nemesis import Schedule, ScheduleError, Step, from_json, load
from tests.unit.nemesis.made import schedule, schedules, step

VALUES = st.one_of(st.integers(), st.booleans(), st.text(max_size=8))
STEPS = st.builds(
    Step,
    st.integers(0, 10**6),
    st.text(max_size=8),
    st.text(max_size=8),
    st.integers(0, 10**4),
    st.integers(0, 10**4),
    st.dictionaries(st.text(max_size=5), VALUES, max_size=3).map(lambda found: tuple(sorted(found.items()))),
)


@settings(deadline=None, database=None)
@given(st.integers(0), st.integers(0), st.lists(STEPS, max_size=6))
def test_schedule_comes_back_from_its_json_exactly(seed: int, minutes: int, steps: list[Step]) -> None:
    """What is saved is what is replayed: equal, of the same types, and the same text again."""
    made = Schedule(seed, minutes, tuple(sorted(steps, key=lambda each: each.at_s)))
    text = json.dumps(made.as_json())

    back = from_json(json.loads(text))

    assert back == made
    assert json.dumps(back.as_json()) == text  # 1 and True are equal, and not the same


GOOD = schedule(step(5)).as_json()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": 2}, "has format 2, this version reads 1"),
        ({"seed": "7"}, "the schedule: seed is '7', not of type int"),
        ({"seed": True}, "the schedule: seed is True, not of type int"),
        ({"more": 1}, "the schedule is not an object with exactly format, seed, minutes, steps"),
        ({"steps": [{}]}, "step 1 of the schedule is not an object with exactly at_s"),
        ({"steps": [{**GOOD["steps"][0], "at_s": -1}]}, "step 1 of the schedule: at_s is -1"),
        ({"steps": [{**GOOD["steps"][0], "held_s": 1.5}]}, "held_s is 1.5, not of type int"),
        ({"steps": [{**GOOD["steps"][0], "parameters": {"x": None}}]}, "parameter x is neither"),
        ({"steps": [*schedule(step(50)).as_json()["steps"], *GOOD["steps"]]}, "not in the order of their at_s"),
    ],
)
def test_file_that_is_no_schedule_is_refused_in_one_line(
    change: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    """Nothing is guessed: a schedule that is not understood to the last field is not replayed."""
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps({**GOOD, **change}))

    with pytest.raises(ScheduleError) as refused:
        load(path)

    assert complaint in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_file_that_is_not_even_json_is_refused_with_its_name(tmp_path: Path) -> None:
    """A missing file and one of something else are named."""
    (tmp_path / "odd").write_text("{")

    for name in ("odd", "missing"):
        with pytest.raises(ScheduleError, match=f"{name} is no schedule"):
            load(tmp_path / name)


def test_steps_within_a_hold_are_composed() -> None:
    """A step that is over before the one before it is healed lies within it; one after its end follows."""
    outer, inner, later = step(10, held_s=60), step(15, held_s=5), step(95)

    first, second = schedule(outer, inner, later).groups

    assert first.steps == (outer, inner)
    assert second.steps == (later,)
    assert str(first) == "killed(primary) held 5 s within killed(primary) held 60 s"


@pytest.mark.parametrize("late", [25, 69, 71, 89])
def test_steps_that_overlap_in_part_are_unsound(late: int) -> None:
    """Faults are healed last in, first out: what begins in a hold must end in it, recovery included."""
    cut = schedule(step(10, held_s=60), step(late, held_s=50))

    assert not cut.is_sound
    with pytest.raises(ScheduleError, match=f"at {late} s neither follows nor lies within"):
        _ = cut.groups


@settings(deadline=None, database=None)
@given(schedules(), st.integers(0, 30), st.data())
def test_closing_up_only_shortens_waits(drawn: Schedule, pause_s: int, data: st.DataObject) -> None:
    """Left-out steps leave no idle time behind, and nothing else changes: same groups, same order, same distances."""
    kept = data.draw(st.lists(st.booleans(), min_size=len(drawn.steps), max_size=len(drawn.steps)))
    some = drawn.of(each for each, keep in zip(drawn.steps, kept, strict=True) if keep)

    closed = some.closed_up(pause_s=pause_s)

    def shape(of: Schedule) -> list[list[tuple[Any, ...]]]:
        return [
            [(each.at_s - group.step.at_s, each.fault, each.target, each.held_s) for each in group.steps]
            for group in of.groups
        ]

    assert shape(closed) == shape(some)
    end = end_before = 0
    for group, before in zip(closed.groups, some.groups, strict=True):
        assert group.step.at_s - end == min(pause_s, before.step.at_s - end_before)
        end, end_before = group.step.ends_s, before.step.ends_s
    assert closed.closed_up(pause_s=pause_s) == closed


@settings(deadline=None, database=None)
@given(schedules(), st.integers(1, 600))
def test_legs_are_the_whole_schedule_in_stretches(drawn: Schedule, longest_s: int) -> None:
    """Nothing is lost or changed by the cutting; a leg is too long only if a single group is."""
    legs = drawn.legs(longest_s=longest_s)

    assert tuple(each for leg in legs for each in leg.steps) == drawn.steps
    begins = 0
    for leg in legs:
        assert leg.seconds - begins <= longest_s or len(leg.groups) == 1
        begins = leg.seconds


def test_schedule_is_printed_as_a_table() -> None:
    """One line a fault, what lies within another is indented below it."""
    composed = step(15, "killed", "one_sentinel", held_s=5)

    assert str(schedule(step(10, held_s=60), composed)).splitlines() == [
        "schedule of seed 1, 30 min, 2 steps:",
        "      10 s  killed(primary) held 60 s",
        "      15 s    within it: killed(one_sentinel) held 5 s",
    ]
