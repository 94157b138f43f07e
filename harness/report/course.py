"""What happened in a drill, on one clock: the pieces of a record that are drawn.

Instants (``*_at``, ``at``, ``start``, ``end``, ``t``) are seconds on the witness's clock unless a field says otherwise;
durations end in ``_s`` and are seconds. An `end` of None means that it had not ended when the recording did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
    """An interval without acknowledged operations of one kind ("write" or "read").

    `causes` says what clients were told meanwhile, each as "<number> <class of error>". `group` names the clients that
    it was measured on; empty: those that the drill judges by.
    """

    kind: str
    start: float
    end: float | None
    duration_s: float
    resolution_s: float
    causes: Sequence[str] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class RoleSpan:
    """What one seat was from `start` to `end`: "primary", "replica", "unreachable", "loading" ..."""

    start: float
    end: float
    role: str


@dataclass(frozen=True, slots=True)
class ServiceSpan:
    """Where new connections through a Service led: to `seat`, which claimed `role`; `seat` None: nowhere."""

    start: float
    end: float
    seat: str | None
    role: str = ""


@dataclass(frozen=True, slots=True)
class ViewSpan:
    """Whom one Sentinel named primary, and with which flags; `primary` None: it did not answer."""

    start: float
    end: float
    primary: str | None
    flags: str = ""


@dataclass(frozen=True, slots=True)
class NameChange:
    """From `at` on a name resolved to these addresses; none and an `error`: it did not."""

    at: float
    host: str
    addresses: Sequence[str] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class SentinelEvent:
    """One event as one Sentinel published it, e.g. event "+odown"."""

    at: float
    sentinel: str
    event: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a Sentinel to replace the primary; `outcome` says in words how it ended."""

    leader: str
    began: float
    ended: float | None
    outcome: str


@dataclass(frozen=True, slots=True)
class Tilt:
    """A Sentinel that distrusted its own clock: in TILT it judges and does nothing."""

    sentinel: str
    start: float
    end: float | None = None


@dataclass(frozen=True, slots=True)
class OpsBucket:
    """How many operations ended from `t` on, for `DrillRecord.ops_bucket_s`, by outcome."""

    t: float
    ok: int
    fail: int
    info: int


@dataclass(frozen=True, slots=True)
class Loss:
    """Acknowledged writes of one group of writers that `seat` does not have in the end.

    They were acknowledged from `start` to `end`.
    """

    group: str
    seat: str
    count: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two instances that both were writable primaries; `acknowledged_by_stale` counts what the wrong one accepted."""

    rightful: str
    stale: str
    start: float
    end: float | None
    acknowledged_by_stale: int
