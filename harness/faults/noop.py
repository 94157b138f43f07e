"""The control: does nothing, so its own proof must fail and every checker must stay silent."""

from __future__ import annotations

from harness.errors import WaitTimeout
from harness.faults.base import Bench


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
