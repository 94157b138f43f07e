"""Controls: they do nothing, so the proof of an effect must fail and every checker must stay silent."""

from __future__ import annotations

from harness import wait
from harness.errors import WaitTimeout
from harness.faults.base import Bench, Fault, name_of

#: Long enough for most proofs to look several times; each looks once at least, which takes 1 s at most (DNS, a PING).
PATIENCE_S = 0.7


class Noop:
    """A fault that does not happen."""

    target = "nothing"
    by_hand = "nothing is to be undone"

    def prepare(self, bench: Bench) -> None:
        """Note nothing."""

    def inject(self, bench: Bench) -> None:
        """Do nothing."""

    def await_effect(self, bench: Bench) -> None:
        """Find no effect, as is due."""
        raise WaitTimeout("there is nothing to be felt")

    def heal(self, bench: Bench) -> None:
        """Undo nothing."""

    def await_healed(self, bench: Bench) -> None:
        """Find everything as it was."""


class Withheld:
    """Everything of a fault but its injection: its own preparation, its own proof, its own healing.

    A proof that finds an effect all the same is a false one. Healing must be harmless: it comes after every injection,
    also after one that failed before it did anything. The proof is given `patience_s` instead of its own patience.
    """

    def __init__(self, fault: Fault, *, patience_s: float = PATIENCE_S) -> None:
        self.fault = fault
        self._patience_s = patience_s

    @property
    def target(self) -> str:
        """What is not done, and to whom."""
        return f"{name_of(self.fault)} of {self.fault.target}"

    @property
    def by_hand(self) -> str:
        """As for the fault itself: its healing may be what failed."""
        return self.fault.by_hand

    def prepare(self, bench: Bench) -> None:
        """Prepare it."""
        self.fault.prepare(bench)

    def inject(self, bench: Bench) -> None:
        """Do nothing."""

    def await_effect(self, bench: Bench) -> None:
        """Look for the effect as the fault itself does."""
        with wait.patience_at_most(self._patience_s):
            self.fault.await_effect(bench)

    def heal(self, bench: Bench) -> None:
        """Heal what did not happen."""
        self.fault.heal(bench)

    def await_healed(self, bench: Bench) -> None:
        """See it healed as the fault itself does."""
        self.fault.await_healed(bench)
