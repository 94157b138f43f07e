"""What a fault is, and what it works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from harness.faults.injector import Injector
    from harness.providers import Provider
    from harness.sut import Sut


@dataclass(frozen=True, slots=True)
class Bench:
    """The tools a fault may use: Kubernetes by the handle on the deployment, nodes by the injector."""

    sut: Sut
    injector: Injector
    provider: Provider | None = None
    """Who gave the cluster: the faults of whole nodes are ordered from it."""


class Fault(Protocol):
    """One reversible disruption. An instance is used once.

    `inject` returns as soon as the disruption is ordered; the two waits only look and may be called any number of
    times. `heal` undoes exactly what `inject` did, and may be called after an `inject` that got stuck half-way.
    """

    @property
    def target(self) -> str:
        """What it hits, in words."""

    @property
    def by_hand(self) -> str:
        """The manual step that undoes it when healing failed."""

    def prepare(self, bench: Bench) -> None:
        """Note what must be known from before the fault, to prove its effect later."""

    def inject(self, bench: Bench) -> None:
        """Disrupt. Raises InjectionFailed."""

    def await_effect(self, bench: Bench) -> None:
        """Return when the disruption is seen at its target. Raises FaultHadNoEffect with what was seen instead."""

    def heal(self, bench: Bench) -> None:
        """Undo what inject did."""

    def await_healed(self, bench: Bench) -> None:
        """Return when the target is as before. Raises HealFailed."""


@runtime_checkable
class OnLedger(Protocol):
    """A fault that tells the ledger, before it is injected, what undoes it without the run."""

    @property
    def on_ledger(self) -> dict[str, Any]:
        """Where it is and under which id."""


@runtime_checkable
class LeftToTheSweep(Protocol):
    """A fault that is a matter of the API: no node has a timer for it, the sweep undoes it when its run was killed."""

    healed_by_sweep: bool
    """Whether there is anything that has to be undone."""


@dataclass(slots=True)
class Felled:
    """The course of one injected fault, in seconds of `time.monotonic()`.

    Its instant is the bracket [injected_at, returned_at]: the order was sent, the order was acknowledged.
    """

    name: str
    target: str
    injected_at: float
    returned_at: float | None = None
    effect_at: float | None = None
    healed_at: float | None = None
    identity: str = ""
    """What tells it from another one of the same name and target, where the ledger must."""

    def __str__(self) -> str:
        return f"{self.name}({self.target})"


def name_of(fault: Fault) -> str:
    """Return the fault's name as a state: ``SeatEmpty`` becomes ``seat_empty``."""
    name = type(fault).__name__
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
