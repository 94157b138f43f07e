"""What a provider is: somebody who hands out a cluster and takes it back.

What only some providers can do has a Protocol of its own; a drill asks ``isinstance(provider, StopsNodes)`` and skips
with the reason when it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

Progress = Callable[[str], None]
Origin = Literal["created", "kept", "leftover", "given"]


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach the cluster, and where it is from.

    `origin`: created by this run, kept by an earlier one on purpose, left by one that was killed, or given by the user.
    A leftover may still carry faults and data of its last run. `ledger` is where those faults are written down.
    """

    kubeconfig: Path
    context: str
    origin: Origin
    ledger: Path | None = None


class Provider(Protocol):
    """Hands out one cluster and takes it back."""

    @property
    def name(self) -> str:
        """The value of ``--provider``."""

    def obtain(self, progress: Progress) -> Access:
        """Return access to a cluster that works. ProviderError in one line; nothing half-made is left behind."""

    def release(self) -> None:
        """Remove what this run created, unless it is to be kept; safe to call twice and after a failed ``obtain``.

        Raises ProviderError in one line that says what is left.
        """

    def describe(self) -> dict[str, object]:
        """Return what the report's head says about the cluster."""

    def may_inject(self, namespace: str) -> str | None:
        """Say why faults may not be injected into `namespace`; None when they may."""


# What is done to a node ends by itself after `at_most_s` seconds, even when this process was killed: the provider arms
# a dead man's timer before it acts, and disarms it when the node is given back.


@runtime_checkable
class StopsNodes(Protocol):
    """Can stop and start nodes."""

    def stop_node(self, node: str, *, at_most_s: float) -> None:
        """Stop a node at once, as a power cut does."""

    def start_node(self, node: str) -> None:
        """Start it again; harmless when it runs."""


@runtime_checkable
class PausesNodes(Protocol):
    """Can freeze nodes."""

    def pause_node(self, node: str, *, at_most_s: float) -> None:
        """Freeze every process of a node."""

    def unpause_node(self, node: str) -> None:
        """Let them go on; harmless when they do."""


@runtime_checkable
class DisconnectsNodes(Protocol):
    """Can take nodes off the network."""

    def disconnect_node(self, node: str, *, at_most_s: float) -> None:
        """Take a node off the network, established connections too."""

    def connect_node(self, node: str) -> None:
        """Put it back; harmless when it is on it."""


@runtime_checkable
class MendsNodes(Protocol):
    """Can find and undo what a run that was killed did to nodes."""

    def mend_nodes(self) -> list[str]:
        """Start, thaw and connect every node; return one line for each that needed it."""


@runtime_checkable
class HealsLater(Protocol):
    """Can have everything healed when this process no longer can."""

    def heal_later(self, *, seconds: float) -> Callable[[], object]:
        """Have ``make heal`` run in `seconds`, whatever becomes of this process; what is returned calls it off.

        As long as a run uses the cluster nothing is healed: its faults are its own business.
        """


@runtime_checkable
class RunsOnNodes(Protocol):
    """Can run commands on nodes past the Kubernetes API."""

    def run_on_node(self, node: str, argv: Sequence[str], *, seconds: float = 10.0) -> str:
        """Return what a command on the node wrote to stdout; ProviderError unless it ended with status 0."""
