"""A schedule drawn from a seed: the same seed gives the same schedule on every machine and every version of Python."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.nemesis.menu import Entry, Menu
from harness.nemesis.schedule import Schedule, ScheduleError, Step
from harness.nemesis.targets import TARGETS

T = TypeVar("T")

#: How long the deployment is left alone before each group of faults.
PAUSE_S = (5, 20)

#: One in so many faults that can be held gets a second one while it holds.
COMPOSED_ONE_IN = 2

#: How long after the first fault the second one comes: before, while and after the Sentinels act on the first.
SECOND_AFTER_S = (1, 12)


class Dice:
    """Whole numbers from a seed.

    Only `random()` of a `Random` seeded with an integer is promised to give the same sequence in every Python
    (documentation of the module random, "Notes on Reproducibility"); `choice` and `randrange` have changed before.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, number: int) -> int:
        """Return one of 0 .. `number` - 1."""
        return int(self._random.random() * number)

    def between(self, bounds: tuple[int, int]) -> int:
        """Return a number within the bounds, which are included."""
        return bounds[0] + self.below(bounds[1] - bounds[0] + 1)

    def pick(self, among: Sequence[T]) -> T:
        """Return one of them."""
        return among[self.below(len(among))]


@dataclass(frozen=True, slots=True)
class _Drawing:
    dice: Dice
    menu: Menu

    def group(self, at_s: int, left_s: int) -> tuple[Step, ...]:
        """Return a fault, or two composed ones, that are over `left_s` seconds later; nothing if there is none."""
        fitting = [entry for entry in self.menu if entry.shortest_s <= left_s]
        if not fitting:
            return ()
        entry = self.dice.pick(fitting)
        longest = min(entry.held_s[1], left_s - entry.predicted_s)
        _, target = self._choice([(entry, target) for target in entry.targets])
        outer = self._step(entry, target, at_s, longest)
        inner = None if self.dice.below(COMPOSED_ONE_IN) else self._second(outer, longest)
        if inner is None:
            return (outer,)
        return (replace(outer, held_s=max(outer.held_s, inner.ends_s - at_s)), inner)

    def _second(self, outer: Step, longest_s: int) -> Step | None:
        """Return a fault to be injected while `outer` holds, which may be held for up to `longest_s`."""
        after = self.dice.between(SECOND_AFTER_S)
        there_is = longest_s - after
        allowed = [
            (entry, target)
            for entry in self.menu
            for target in entry.targets
            if entry.shortest_s <= there_is
            and not self.menu.objection((outer, Step(0, entry.name, target, entry.held_s[0])))
        ]
        if not allowed:
            return None
        entry, target = self._choice(allowed)
        return self._step(entry, target, outer.at_s + after, min(entry.held_s[1], there_is - entry.predicted_s))

    def _choice(self, among: Sequence[tuple[Entry, str]]) -> tuple[Entry, str]:
        """Return one of them; where the primary can be hit, it is every other time, for that is what others follow."""
        hitting = [each for each in among if TARGETS[each[1]].has_primary]
        others = [each for each in among if not TARGETS[each[1]].has_primary]
        if hitting and others:
            return self.dice.pick(others if self.dice.below(2) else hitting)
        return self.dice.pick(among)

    def _step(self, entry: Entry, target: str, at_s: int, longest_s: int) -> Step:
        held = self.dice.between((entry.held_s[0], longest_s))
        parameters = tuple((name, self.dice.pick(entry.parameters[name])) for name in sorted(entry.parameters))
        return Step(at_s, entry.name, target, held, entry.predicted_s, parameters)


def draw(seed: int, minutes: int, menu: Menu) -> Schedule:
    """Return a schedule that is predicted to be over within `minutes`. Raises ScheduleError if nothing fits."""
    drawing = _Drawing(Dice(seed), menu)
    whole = minutes * 60
    steps: list[Step] = []
    now = 0
    while True:
        now += drawing.dice.between(PAUSE_S)
        group = drawing.group(now, whole - now)
        if not group:
            break
        steps += group
        now = group[0].ends_s
    if not steps:
        raise ScheduleError(f"no fault of the menu fits into {minutes} min: give more")
    return menu.check(Schedule(seed, minutes, tuple(steps)))
