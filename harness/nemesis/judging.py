"""What a leg's history says, measured against what the faults injected in it allow. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.checkers import Overlap, Verdict, Window, split_brain, windows
from harness.checkers.selection import Seats
from harness.errors import HarnessError
from harness.history import History
from harness.history.records import MICRO, FaultMark
from harness.nemesis.menu import NOT_MISSED_S, TWO_PRIMARIES_S, Menu
from harness.nemesis.schedule import Group, Step
from harness.report.record import LimitCheck

#: Shorter windows are the usual pauses of a busy machine.
WINDOW_S = 0.5

#: A Sentinel learns by an INFO each second that whom it told to is primary (sentinel.c: each second in a failover).
UNSEEN_S = 2.0

#: The mark that the deployment was steady again after a group.
STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Injected:
    """A group that was injected, on the history's clock: `begin` to `end` in microseconds, None: never steady again."""

    group: Group
    marks: tuple[FaultMark, ...]
    end: int | None

    @property
    def begin(self) -> int:
        """The earliest that its first fault can have been felt."""
        return self.marks[0].sent - self.marks[0].uncertainty


@dataclass(frozen=True, slots=True)
class Rules:
    """What applies to a leg: the menu, and the failover-timeout of the deployment in seconds."""

    menu: Menu
    failover_timeout_s: float


def injected(history: History, groups: Sequence[Group]) -> list[Injected]:
    """Put the groups that were gone through together with their marks. Raises HarnessError if these do not fit."""
    marks = [mark for mark in history.faults if mark.action == "inject"]
    ends = [mark.returned + mark.uncertainty for mark in history.faults if mark.action == STEADY]
    if len(marks) != sum(len(group.steps) for group in groups) or not len(groups) - 1 <= len(ends) <= len(groups):
        raise HarnessError(
            f"{sum(len(group.steps) for group in groups)} faults in {len(groups)} groups were gone through, and the "
            f"history has {len(marks)}, steady again {len(ends)} times"
        )
    found = []
    for place, group in enumerate(groups):
        mine, marks = marks[: len(group.steps)], marks[len(group.steps) :]
        found.append(Injected(group, tuple(mine), ends[place] if place < len(ends) else None))
    return found


def questions(history: History, found: Sequence[Injected], menu: Menu) -> dict[str, dict[str, float]]:
    """Return which checkers are to be asked, with the arguments that follow from the faults."""
    steps = [step for each in found for step in each.group.steps]
    return {
        "lost_writes": {"at_most": may_be_lost(history, found, menu)},
        "split_brain": {"at_most": max((_two_primaries_s(menu, step) for step in steps), default=TWO_PRIMARIES_S)},
        "convergence": {},
    }


def may_be_lost(history: History, found: Sequence[Injected], menu: Menu) -> int:
    """Return how many acknowledged writes lie where a fault allows their loss, each counted once.

    Before the fault that is everybody's; after it only what a replaced primary took, from a little before it was seen
    to be replaced: roles are sampled, and the Sentinel that promoted its successor hears of it a poll later.
    """
    writes, seats = history.writes, Seats(history)
    completed, by = writes.view(writes.completed), seats.codes(writes.view(writes.instance))
    stale: tuple[Overlap, ...] | None = None
    allowed = np.zeros(len(completed), dtype=bool)
    for each in found:
        for step, mark in zip(each.group.steps, each.marks, strict=True):
            before, after = menu.entry(step).lost_around_s
            if not menu.hits_primary(step):
                continue
            earliest, latest = mark.sent - mark.uncertainty, mark.returned + mark.uncertainty
            if before:
                allowed |= (completed >= earliest - before * MICRO) & (completed <= latest)
            if after:
                stale = split_brain(history).overlaps if stale is None else stale
                for one in stale:
                    begin, end = (one.begin - UNSEEN_S) * MICRO, min(one.end * MICRO, latest + after * MICRO)
                    if earliest <= one.begin * MICRO <= latest + after * MICRO:
                        allowed |= (by == seats.code(one.stale)) & (completed >= begin) & (completed <= end)
    return int((allowed & writes.is_ok).sum())


def _two_primaries_s(menu: Menu, step: Step) -> float:
    return menu.entry(step).two_primaries_s if menu.hits_primary(step) else TWO_PRIMARIES_S


@dataclass(frozen=True, slots=True)
class _Stillness:
    """A time without an acknowledged write, what was broken meanwhile, and how long that allows it to be."""

    window: Window
    during: str
    limit: float

    @property
    def held(self) -> bool | None:
        """Whether it is allowed; longer by less than what it is measured to, or without an end, it is not known."""
        if self.window.duration - self.window.resolution > self.limit:
            return False
        return None if self.window.is_open or self.window.duration > self.limit else True

    @property
    def line(self) -> str:
        """It for a person, with the verdict first."""
        word = {True: "allowed", False: "TOO LONG", None: "unknown"}[self.held]
        return f"{word} (limit {self.limit:g} s, {self.during}): {self.window.describe()}"


def _still(history: History, found: Sequence[Injected], rules: Rules) -> list[_Stillness]:
    stood = []
    for window in windows(history, longer_than=WINDOW_S):
        touched = [each for each in found if _touches(window, each)]
        allowed = [rules.menu.gap_s(each.group.steps, rules.failover_timeout_s) for each in touched]
        during = ", then ".join(str(each.group) for each in touched) or "no fault"
        stood.append(_Stillness(window, during, max(allowed, default=NOT_MISSED_S)))
    return stood


def limits(history: History, found: Sequence[Injected], rules: Rules) -> list[LimitCheck]:
    """Return, for the report, the longest time without a write during each group that had one, beside its limit."""
    longest: dict[str, _Stillness] = {}
    for each in _still(history, found, rules):
        if each.during not in longest or each.window.duration > longest[each.during].window.duration:
            longest[each.during] = each
    return [LimitCheck(f"no write during {name}", each.limit, each.window.duration) for name, each in longest.items()]


def windows_allowed(history: History, found: Sequence[Injected], rules: Rules) -> Verdict:
    """Whether every time without an acknowledged write is one that the faults of that moment allow.

    A window that touches no fault may be as long as one that nobody is missed for. Unknown without any write.
    """
    if not history.writes.counts().get("o"):
        return Verdict(checker="windows", valid=None, summary="no write was acknowledged")
    stood = _still(history, found, rules)
    values = {each.held for each in stood}
    valid = False if False in values else None if None in values or not history.is_complete else True
    worst = max((each.window.duration for each in stood), default=0.0)
    summary = f"{len(stood)} windows without an acknowledged write, the longest {worst:.3f} s"
    broken = [
        f"{each.window.duration:.1f} s where {each.limit:g} s are allowed, during {each.during}"
        for each in stood
        if each.held is False
    ]
    told = f"writes stood still for {'; '.join(broken)} ({summary})" if broken else summary
    return Verdict(checker="windows", valid=valid, summary=told, evidence=tuple(each.line for each in stood))


def _touches(window: Window, each: Injected) -> bool:
    ends_after = window.end * MICRO >= each.begin
    return ends_after and (each.end is None or window.begin * MICRO <= each.end)
