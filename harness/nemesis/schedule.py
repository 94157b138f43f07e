"""A schedule: which faults are injected when, into what, and for how long; frozen, and exactly the same from its JSON.

All times are whole seconds, so that a file says exactly what was drawn. The schedule's clock begins with the soak and
stands still while the deployment takes longer than predicted: a step is never injected into what is not steady yet.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import HarnessError

FORMAT = 1

Value = int | str | bool


class ScheduleError(HarnessError):
    """A schedule cannot be read, or asks for what cannot be done."""


@dataclass(frozen=True, slots=True)
class Step:
    """One fault. It is injected at `at_s`, and healed `held_s` after it was felt.

    `predicted_s` is how long injection, healing and the return of the steady state take together, beyond the hold.
    `target` is a word that is looked up at the moment of injection (:mod:`harness.nemesis.targets`).
    """

    at_s: int
    fault: str
    target: str
    held_s: int = 0
    predicted_s: int = 0
    parameters: tuple[tuple[str, Value], ...] = ()

    @property
    def healed_s(self) -> int:
        """When it is to be healed."""
        return self.at_s + self.held_s

    @property
    def ends_s(self) -> int:
        """When the deployment is predicted to be steady again."""
        return self.healed_s + self.predicted_s

    def contains(self, other: Step) -> bool:
        """Whether `other` begins and ends while this one holds."""
        return self.at_s <= other.at_s and other.ends_s <= self.healed_s

    def __str__(self) -> str:
        told = ", ".join([self.target, *(f"{name}={value}" for name, value in self.parameters)])
        return f"{self.fault}({told})" + (f" held {self.held_s} s" if self.held_s else "")


@dataclass(frozen=True, slots=True)
class Group:
    """A fault with those that are injected while it holds; between two groups the deployment is steady."""

    step: Step
    inner: tuple[Group, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Its steps in the order of their injection."""
        return (self.step, *(step for group in self.inner for step in group.steps))

    def __str__(self) -> str:
        return " within ".join(str(step) for step in reversed(self.steps))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps in the order of their injection. Two steps follow each other, or one lies within the other's hold."""

    seed: int
    minutes: int
    steps: tuple[Step, ...]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The steps with what is composed put together. Raises ScheduleError if two steps overlap in part."""
        found = _nested(self.steps)
        for group, following in itertools.pairwise(found):
            if following.step.at_s < group.step.ends_s:
                raise ScheduleError(
                    f"{following.step} at {following.step.at_s} s neither follows nor lies within {group.step}, "
                    f"which holds from {group.step.at_s} to {group.step.healed_s} s and is over at "
                    f"{group.step.ends_s} s"
                )
        return found

    @property
    def is_sound(self) -> bool:
        """Whether no two steps overlap in part."""
        try:
            return bool(self.groups) or not self.steps
        except ScheduleError:
            return False

    @property
    def seconds(self) -> int:
        """When it is predicted to be over."""
        return max((step.ends_s for step in self.steps), default=0)

    def of(self, steps: Iterable[Step]) -> Schedule:
        """Return the same schedule with other steps."""
        return replace(self, steps=tuple(steps))

    def closed_up(self, *, pause_s: int) -> Schedule:
        """Return it with every wait between two groups that is longer than `pause_s` seconds cut down to that."""
        moved: list[Step] = []
        end = new_end = 0
        for group in self.groups:
            earlier = new_end + min(pause_s, group.step.at_s - end) - group.step.at_s
            moved += (replace(step, at_s=step.at_s + earlier) for step in group.steps)
            end, new_end = group.step.ends_s, group.step.ends_s + earlier
        return self.of(moved)

    def legs(self, *, longest_s: int) -> tuple[Schedule, ...]:
        """Cut it into stretches of at most `longest_s` seconds; a group that is longer is a leg of its own."""
        legs: list[list[Group]] = []
        begins = end = 0
        for group in self.groups:
            if not legs or group.step.ends_s - begins > longest_s:
                legs.append([])
                begins = end
            legs[-1].append(group)
            end = group.step.ends_s
        return tuple(self.of(step for group in leg for step in group.steps) for leg in legs)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "format": FORMAT,
            "seed": self.seed,
            "minutes": self.minutes,
            "steps": [
                {name: getattr(step, name) for name in STEP_FIELDS} | {"parameters": dict(step.parameters)}
                for step in self.steps
            ],
        }

    def __str__(self) -> str:
        head = f"schedule of seed {self.seed}, {self.minutes} min, {len(self.steps)} steps:"
        return "\n".join([head, *(line for group in self.groups for line in _lines(group, 0))])


STEP_FIELDS = {"at_s": int, "fault": str, "target": str, "held_s": int, "predicted_s": int}


def from_json(document: object) -> Schedule:
    """Return the schedule that `as_json` gave. Raises ScheduleError in one line for anything else."""
    fields = _fields(document, {"format": int, "seed": int, "minutes": int, "steps": list}, "the schedule")
    if fields["format"] != FORMAT:
        raise ScheduleError(f"the schedule has format {fields['format']}, this version reads {FORMAT}")
    steps = tuple(_step(each, number) for number, each in enumerate(fields["steps"], 1))
    if any(later.at_s < step.at_s for step, later in itertools.pairwise(steps)):
        raise ScheduleError("the steps of the schedule are not in the order of their at_s")
    return Schedule(fields["seed"], fields["minutes"], steps)


def load(path: Path) -> Schedule:
    """Return the schedule in a file. Raises ScheduleError that names the file."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ScheduleError(f"{path} is no schedule: {error}") from error
    except ScheduleError as error:
        raise ScheduleError(f"{path}: {error}") from error


def _step(document: object, number: int) -> Step:
    what = f"step {number} of the schedule"
    fields = _fields(document, {**STEP_FIELDS, "parameters": dict}, what)
    negative = [name for name, kind in STEP_FIELDS.items() if kind is int and fields[name] < 0]
    if negative:
        raise ScheduleError(f"{what}: {negative[0]} is {fields[negative[0]]}")
    strange = [name for name, value in fields["parameters"].items() if not isinstance(value, int | str)]
    if strange:
        raise ScheduleError(f"{what}: parameter {strange[0]} is neither a whole number nor text nor true or false")
    return Step(**{**fields, "parameters": tuple(sorted(fields["parameters"].items()))})


def _fields(document: object, wanted: Mapping[str, type], what: str) -> dict[str, Any]:
    if not isinstance(document, dict) or set(document) != set(wanted):
        raise ScheduleError(f"{what} is not an object with exactly {', '.join(wanted)}")
    for name, kind in wanted.items():
        if type(document[name]) is not kind:  # True is an int to isinstance
            raise ScheduleError(f"{what}: {name} is {document[name]!r}, not of type {kind.__name__}")
    return document


def _nested(steps: Sequence[Step]) -> tuple[Group, ...]:
    groups: list[Group] = []
    rest = list(steps)
    while rest:
        outer = rest.pop(0)
        inner: list[Step] = []
        while rest and rest[0].at_s < outer.ends_s and outer.contains(rest[0]):
            inner.append(rest.pop(0))
        groups.append(Group(outer, Schedule(0, 0, tuple(inner)).groups))
    return tuple(groups)


def _lines(group: Group, depth: int) -> Iterable[str]:
    yield f"  {group.step.at_s:6d} s  {'  ' * depth}{'within it: ' if depth else ''}{group.step}"
    for inner in group.inner:
        yield from _lines(inner, depth + 1)
