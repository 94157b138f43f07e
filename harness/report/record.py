"""What a drill hands to the report: plain values, so that the report needs neither cluster nor history to be drawn.

Instants (``*_at``, ``start``, ``end``, ``t``) are seconds on the witness's clock unless a field says otherwise;
durations end in ``_s`` and are seconds. Everything is frozen: what is attached is what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.errors import HarnessError


class ReportError(HarnessError):
    """A record cannot be shown as it is: the drill that made it has a bug."""


@dataclass(frozen=True, slots=True)
class FaultBracket:
    """One injected fault. Its instant is a bracket: command sent at `injected_at`, answered at `returned_at`."""

    name: str
    target: str
    injected_at: float
    effect_at: float | None = None
    healed_at: float | None = None
    returned_at: float | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """One step on the way from the fault to writes flowing again; `at_s` counts from the fault's `injected_at`."""

    name: str
    at_s: float
    took_s: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """An interval without acknowledged operations of one kind ("write" or "read"); `end` None: it never ended."""

    kind: str
    start: float
    end: float | None
    duration_s: float
    resolution_s: float
    causes: Sequence[str] = ()


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
class RoleSpan:
    """What one seat was from `start` to `end`: "primary", "replica", "unreachable", "loading" ..."""

    start: float
    end: float
    role: str


@dataclass(frozen=True, slots=True)
class SentinelEvent:
    """One event as one Sentinel published it, e.g. event "+odown"."""

    at: float
    sentinel: str
    event: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class OpsBucket:
    """How many operations ended from `t` on, for `DrillRecord.ops_bucket_s`, by outcome."""

    t: float
    ok: int
    fail: int
    info: int


@dataclass(frozen=True, slots=True)
class DrillRecord:
    """All that the report shows of one drill.

    `outcome` names what happened ("unplanned failover", "planned failover", "reboot, no failover due").
    `acknowledged`, `failed`, `unknown` count writes by outcome; `lost` counts acknowledged writes that were not found
    afterwards, None when that was not judged. `history` is the history file, relative to the run's directory.
    """

    promise: str
    outcome: str = ""
    old_primary: str | None = None
    new_primary: str | None = None
    faults: Sequence[FaultBracket] = ()
    phases: Sequence[Phase] = ()
    windows: Sequence[Window] = ()
    verdicts: Sequence[CheckerVerdict] = ()
    limits: Sequence[LimitCheck] = ()
    acknowledged: int = 0
    failed: int = 0
    unknown: int = 0
    lost: int | None = None
    roles: Mapping[str, Sequence[RoleSpan]] = field(default_factory=dict)
    sentinel_events: Sequence[SentinelEvent] = ()
    ops: Sequence[OpsBucket] = ()
    ops_bucket_s: float = 0.1
    history: str | None = None

    @property
    def zero(self) -> float | None:
        """The instant that the picture counts from: the first fault, else the first thing known; None if nothing is."""
        if self.faults:
            return min(fault.injected_at for fault in self.faults)
        return min(self._instants(), default=None)

    @property
    def longest_write_window(self) -> Window | None:
        """The longest interval without an acknowledged write; None when there was none or no writer ran."""
        return max((w for w in self.windows if w.kind == "write"), key=lambda w: w.duration_s, default=None)

    @property
    def contradictions(self) -> list[str]:
        """Why a test that carries this record must not be green: what it asserts was not seen to hold."""
        limits = [f"{limit.name}: {_kept(limit)}" for limit in self.limits if limit.held is not True]
        verdicts = [
            f"{v.checker}: {'does not hold' if v.valid is False else 'unknown, which is not a pass'} ({v.explanation})"
            for v in self.verdicts
            if v.asserted and v.valid is not True
        ]
        return limits + verdicts

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values. Raises ReportError naming the first number that JSON cannot hold."""
        document = asdict(self)
        document["limits"] = [{**asdict(limit), "held": limit.held} for limit in self.limits]
        for path, value in _numbers(document, ""):
            if not math.isfinite(value):
                raise ReportError(f"drill record {self.promise!r}: {path} is {value}; give None for what never ended")
        return document

    def _instants(self) -> Iterator[float]:
        yield from (bucket.t for bucket in self.ops)
        yield from (span.start for spans in self.roles.values() for span in spans)
        yield from (event.at for event in self.sentinel_events)
        yield from (window.start for window in self.windows)


def _kept(limit: LimitCheck) -> str:
    if limit.measured_s is None:
        return "could not be measured"
    return f"{limit.measured_s:.2f} s is more than the {limit.limit_s:g} s allowed"


def _numbers(value: object, path: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _numbers(inner, f"{path}[{index}]")
