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
from harness.report.course import (
    Attempt,
    FaultBracket,
    Loss,
    NameChange,
    OpsBucket,
    Overlap,
    Phase,
    RoleSpan,
    SentinelEvent,
    ServiceSpan,
    Tilt,
    ViewSpan,
    Window,
)
from harness.report.judged import BudgetPhase, CheckerVerdict, LimitCheck, WitnessHealth

#: Who fills a record needs this module alone.
__all__ = [
    "Attempt",
    "BudgetPhase",
    "CheckerVerdict",
    "DrillRecord",
    "FaultBracket",
    "LimitCheck",
    "Loss",
    "NameChange",
    "OpsBucket",
    "Overlap",
    "Phase",
    "ReportError",
    "RoleSpan",
    "SentinelEvent",
    "ServiceSpan",
    "Tilt",
    "ViewSpan",
    "Window",
    "WitnessHealth",
]


class ReportError(HarnessError):
    """A record cannot be shown as it is: the drill that made it has a bug."""


@dataclass(frozen=True, slots=True)
class DrillRecord:
    """All that the report shows of one drill.

    `outcome` names what happened ("unplanned failover", "planned failover", "reboot, no failover due").
    `acknowledged`, `failed`, `unknown` count writes by outcome; `lost` counts acknowledged writes that were not found
    afterwards, None when that was not judged. `history` is the history file, relative to the run's directory.
    `ops` are the writes that the drill judges by, those of clients that ask the Sentinels; `ops_by_group` has the other
    clients, by what they are called ("pinned writers", "Service writer", "readers"). `roles` and `views` go by seat,
    `services` by the Service's name. `budget_sentence` is "within budget" or "over budget in phase ...".
    `proves` and `does_not_prove` are sentences: what a reader may conclude from this drill, and what not.
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
    budget: Sequence[BudgetPhase] = ()
    budget_sentence: str = ""
    budget_warnings: Sequence[str] = ()
    attempts: Sequence[Attempt] = ()
    tilts: Sequence[Tilt] = ()
    ops_by_group: Mapping[str, Sequence[OpsBucket]] = field(default_factory=dict)
    losses: Sequence[Loss] = ()
    overlaps: Sequence[Overlap] = ()
    services: Mapping[str, Sequence[ServiceSpan]] = field(default_factory=dict)
    views: Mapping[str, Sequence[ViewSpan]] = field(default_factory=dict)
    dns: Sequence[NameChange] = ()
    witness: WitnessHealth | None = None
    proves: Sequence[str] = ()
    does_not_prove: Sequence[str] = ()

    @property
    def zero(self) -> float | None:
        """The instant that the picture counts from: the first fault, else the first thing known; None if nothing is."""
        if self.faults:
            return min(fault.injected_at for fault in self.faults)
        return min(self._instants(), default=None)

    @property
    def longest_write_window(self) -> Window | None:
        """The longest interval without an acknowledged write of those the drill judges by; None when there was none."""
        judged = (window for window in self.windows if window.kind == "write" and not window.group)
        return max(judged, key=lambda w: w.duration_s, default=None)

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
