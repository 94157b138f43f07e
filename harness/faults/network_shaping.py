"""A pod's line made bad: packets held back, lost or squeezed, and connections cut."""

from __future__ import annotations

from functools import partial
from typing import Any

from harness import wait
from harness.faults.base import Bench
from harness.faults.network import EFFECT_S, NetworkFault
from harness.faults.network_probe import PATIENCE_S, Seen
from harness.faults.timer import TIMER_S
from harness.sut.names import kind_of

#: Of what is lost, this share must be seen as unanswered at least: TCP sends again, and hides most of it.
SEEN_LOSS = 0.25
#: Of a delay, this share must be seen at least; jitter may take from it.
SEEN_DELAY = 0.5
#: Comes back with each answer, to feel a squeezed line: more than a bucket lets through at once.
LOAD_BYTES = 20_000


class Delayed(NetworkFault):
    """What the pod sends is held back: `ms`, more or less by `jitter_ms`. Packets keep their order."""

    kind = "queued"

    def __init__(self, seat: str, *, ms: float, jitter_ms: float = 0.0, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.ms = ms
        self.jitter_ms = jitter_ms
        self.patience_s = PATIENCE_S + 6 * (ms + jitter_ms) / 1000  # a new connection takes several packets

    @property
    def target(self) -> str:
        """The seat and the delay."""
        return f"{self.seat} by {self.ms:.0f} ms" + (f" ± {self.jitter_ms:.0f} ms" if self.jitter_ms else "")

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The delay."""
        return {"delay_ms": self.ms, "jitter_ms": self.jitter_ms, "loss": 0.0}

    @property
    def effect(self) -> str:
        """A late answer."""
        return f"answering about {self.ms:.0f} ms later"

    def is_felt(self, seen: Seen) -> bool:
        """Whether the last answers on the old connection were late."""
        return min(seen.held_milliseconds[-3:], default=0.0) >= SEEN_DELAY * self.ms

    def is_over(self, seen: Seen) -> bool:
        """Whether the last answers on the old connection are quick again."""
        return super().is_over(seen) and seen.typical_ms < SEEN_DELAY * self.ms


class Lossy(NetworkFault):
    """A share of the packets that the pod sends is lost."""

    kind = "queued"
    patience_s = 0.15  # less than TCP waits before it sends again: what is lost is seen as late

    def __init__(self, seat: str, *, share: float, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.share = share

    @property
    def target(self) -> str:
        """The seat and the share."""
        return f"{self.seat}, {self.share:.0%} lost"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The loss."""
        return {"delay_ms": 0.0, "jitter_ms": 0.0, "loss": self.share}

    def await_effect(self, bench: Bench) -> None:
        """Return when packets were lost, by the count of who loses them, and answers are missing."""
        wait.eventually(
            partial(self.look, bench),
            lambda seen: seen.get("lost", 0) > 0,
            seconds=EFFECT_S,
            what=f"packets of {self.seat} lost",
        )
        super().await_effect(bench)

    @property
    def effect(self) -> str:
        """Missing answers."""
        return "not answering now and then"

    def is_felt(self, seen: Seen) -> bool:
        """Whether a part of the loss shows."""
        return seen.unanswered >= SEEN_LOSS * self.share


class Squeezed(NetworkFault):
    """What the pod sends goes through a narrow line of `kbit` thousand bits a second."""

    kind = "squeezed"
    load = LOAD_BYTES
    patience_s = 10.0

    def __init__(self, seat: str, *, kbit: int = 256, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.kbit = kbit

    @property
    def target(self) -> str:
        """The seat and the bandwidth."""
        return f"{self.seat} to {self.kbit} kbit/s"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The bandwidth."""
        return {"kbit": self.kbit}

    @property
    def _due_ms(self) -> float:
        return 8 * LOAD_BYTES / self.kbit

    @property
    def effect(self) -> str:
        """A long answer that takes its time."""
        return f"taking {self._due_ms:.0f} ms for {LOAD_BYTES} bytes"

    def is_felt(self, seen: Seen) -> bool:
        """Whether the last answers took at least half of what such a line needs."""
        return min(seen.milliseconds[-2:], default=0.0) >= self._due_ms / 2

    def is_over(self, seen: Seen) -> bool:
        """Whether they are quick again."""
        return super().is_over(seen) and max(seen.milliseconds[-3:]) < self._due_ms / 2


class ConnectionsCut(NetworkFault):
    """Every established connection to the server is reset, once; whoever was connected connects again."""

    kind = "cut"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The server's port."""
        return {"port": kind_of(self.seat).port}

    @property
    def effect(self) -> str:
        """A lost connection, and a new one that works."""
        return "having lost the observer's old connection"

    def is_felt(self, seen: Seen) -> bool:
        """Whether the held connection was lost."""
        return seen.losses > 0
