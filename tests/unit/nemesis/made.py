"""A menu made up for tests, which stays as it is whatever the real one gains, and schedules of it."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from harness.faults import Fault, Noop
from harness.nemesis import Entry, Menu, Schedule, Step, draw

LARGEST_SEED = 2**32 - 1


def nothing(_seats: Sequence[str], **_parameters: object) -> Fault:
    return Noop()


MENU = Menu(
    Entry("killed", nothing, ("primary", "one_replica", "one_sentinel"), predicted_s=20, lost_around_s=(2, 0)),
    Entry("paused", nothing, ("primary", "one_replica", "one_sentinel"), predicted_s=30, held_s=(3, 60)),
    Entry("deleted", nothing, ("all_redis", "everything"), predicted_s=90),
    Entry(
        "delayed",
        nothing,
        ("primary", "all_sentinels"),
        predicted_s=10,
        held_s=(10, 90),
        parameters={"ms": (20, 200, 2000), "both_ways": (False, True)},
        takes_away=False,
    ),
    Entry("rolled", nothing, ("all_redis", "all_sentinels"), predicted_s=60, one_by_one=True, not_with={"paused"}),
)


@st.composite
def schedules(drawn: st.DrawFn, *, most_minutes: int = 40) -> Schedule:
    """Schedules as the nemesis draws them."""
    return draw(drawn(st.integers(0, LARGEST_SEED)), drawn(st.integers(2, most_minutes)), MENU)


def step(at_s: int, fault: str = "killed", target: str = "primary", held_s: int = 0, predicted_s: int = 20) -> Step:
    return Step(at_s, fault, target, held_s, predicted_s)


def schedule(*steps: Step) -> Schedule:
    return Schedule(1, 30, steps)
