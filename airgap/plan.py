"""Steps and their keys: what is built from what."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from airgap.cache import digest
from airgap.errors import AirgapError
from airgap.versions import RECIPE


class Lane(Enum):
    """Steps of one lane share its width, so that the machine is busy and not swamped."""

    COMPILE = "compile"
    """Uses every core by itself: one at a time."""
    UNPACK = "unpack"
    """Waits for the network and the disk: two at a time."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a step is given: its key, where its needs are, where to write, what to log to."""

    key: str
    output: Path
    scratch: Path
    log: Path
    needs: Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is built: a pure function of ``inputs`` and ``needs``.

    ``inputs`` are strings (names, versions) and paths (their content counts).
    """

    name: str
    lane: Lane
    inputs: tuple[str | Path, ...]
    run: Callable[[Work], None]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in an order in which every need comes first, each with its key."""

    steps: Mapping[str, Step]
    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, steps: Iterable[Step]) -> Plan:
        """Compute every key; a missing or circular need is a mistake in the recipes."""
        waiting = {step.name: step for step in steps}
        ordered: dict[str, Step] = {}
        keys: dict[str, str] = {}
        while waiting:
            ready = [step for step in waiting.values() if all(need in keys for need in step.needs)]
            if not ready:
                raise AirgapError(f"the recipes of {', '.join(sorted(waiting))} need each other or something unknown")
            for step in ready:
                keys[step.name] = _key(step, keys)
                ordered[step.name] = waiting.pop(step.name)
        return cls(ordered, keys)

    def still_holds(self, step: Step) -> bool:
        """Whether the step's inputs are what they were when its key was computed."""
        return _key(step, self.keys) == self.keys[step.name]

    def closure(self, names: Iterable[str]) -> Plan:
        """The named steps and all they need, in order."""
        wanted: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in wanted:
                wanted.add(name)
                stack.extend(self.steps[name].needs)
        return Plan({n: s for n, s in self.steps.items() if n in wanted}, self.keys)


def _key(step: Step, keys: Mapping[str, str]) -> str:
    parts = [f"recipe {RECIPE}", platform.machine(), step.name, *step.inputs]
    return digest([*parts, *(keys[need] for need in step.needs)])
