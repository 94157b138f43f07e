"""What a drill was measured against: limits, budget, checkers, and how well the measuring itself went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckerVerdict:
    """What one checker said. `valid` None: unknown, which is not a pass.

    `asserted` False: shown for information, the drill does not stand or fall with it.
    """

    checker: str
    valid: bool | None
    explanation: str
    asserted: bool = True


@dataclass(frozen=True, slots=True)
class LimitCheck:
    """A limit that the drill asserts beside what was measured; `measured_s` None: it could not be measured."""

    name: str
    limit_s: float
    measured_s: float | None

    @property
    def held(self) -> bool | None:
        """Whether the limit was kept; None when nothing was measured."""
        return None if self.measured_s is None else self.measured_s <= self.limit_s


@dataclass(frozen=True, slots=True)
class BudgetPhase:
    """What the deployed configuration allows one phase, in seconds, beside what it took.

    `took_s` and `held` None: the phase did not happen or was not measured. `why` says where the two bounds come from.
    """

    name: str
    best_s: float
    worst_s: float
    took_s: float | None = None
    held: bool | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class WitnessHealth:
    """How well the measuring went, in seconds.

    The largest lag of the witness's event loop, how long the kernel kept it from running for want of CPU quota, and the
    resolution that its windows can claim.
    """

    largest_lag_s: float
    throttled_s: float
    resolution_s: float
