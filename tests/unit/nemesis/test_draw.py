from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.nemesis import MENU as REAL_MENU
from harness.nemesis import Menu, Schedule, ScheduleError, draw, load
from tests.unit.nemesis.made import LARGEST_SEED, MENU, schedules

GOLDEN = Path(__file__).parent / "golden-seed-20.json"
PROJECT = Path(__file__).resolve().parents[3]


def test_seed_gives_the_schedule_that_it_always_gave() -> None:
    """A seed noted in a report is worth something only if it means the same on every machine and Python."""
    assert draw(20, 30, MENU) == load(GOLDEN)


def test_seed_means_the_same_in_a_process_with_other_hashes() -> None:
    """No order of a set or of hashes gets into what is drawn."""
    program = (
        "import json; from harness.nemesis import MENU, draw; "
        "print(json.dumps([draw(seed, 20, MENU).as_json() for seed in range(20)]))"
    )
    drawn = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=PROJECT,
            env={**os.environ, "PYTHONHASHSEED": hashes},
            stdout=subprocess.PIPE,
            check=True,
            timeout=60,
        ).stdout
        for hashes in ("1", "2")
    }

    assert [json.loads(each) for each in drawn] == [[draw(seed, 20, REAL_MENU).as_json() for seed in range(20)]]


@settings(deadline=None, database=None)
@given(st.integers(0, LARGEST_SEED), st.integers(1, 120), st.sampled_from([MENU, REAL_MENU]))
def test_drawn_schedule_is_allowed_and_in_time(seed: int, minutes: int, menu: Menu) -> None:
    """Whatever the seed: nothing is asked for that the menu forbids, and all is predicted to be over in time."""
    drawn = draw(seed, minutes, menu)

    assert menu.check(drawn) is drawn
    assert 0 < drawn.seconds <= minutes * 60


@settings(deadline=None, database=None)
@given(schedules())
def test_deployment_is_left_alone_between_two_groups(drawn: Schedule) -> None:
    """Each group of faults meets a deployment that has been steady for a while."""
    ends = [0, *(group.step.ends_s for group in drawn.groups)]

    assert all(5 <= group.step.at_s - end <= 20 for group, end in zip(drawn.groups, ends, strict=False))


def test_everything_on_the_menu_is_drawn_and_composed() -> None:
    """Over some seeds each fault, each of its targets and each of its parameters' values comes up."""
    drawn = [draw(seed, 60, MENU) for seed in range(60)]
    hit = {(each.fault, each.target) for schedule in drawn for each in schedule.steps}
    said = {(each.fault, *parameter) for schedule in drawn for each in schedule.steps for parameter in each.parameters}

    assert hit == {(entry.name, target) for entry in MENU for target in entry.targets}
    assert said == {
        (entry.name, name, value) for entry in MENU for name, values in entry.parameters.items() for value in values
    }
    assert any(group.inner for schedule in drawn for group in schedule.groups)


def test_time_too_short_for_anything_is_refused() -> None:
    """An empty schedule would prove nothing in no time."""
    with pytest.raises(ScheduleError, match="no fault of the menu fits into 0 min"):
        draw(1, 0, MENU)
