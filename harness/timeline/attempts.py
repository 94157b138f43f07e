"""Who tried to lead a failover, when, and what became of it.

Only the Sentinel that tries says so: ``+new-epoch <epoch>`` and right behind it ``+try-failover``, then either
``+promoted-slave`` or one of the aborts (sentinel.c, sentinelStartFailover and sentinelFailoverStateMachine). A
Sentinel that dies in between says nothing at all, so its silence is read from the witness's subscription to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.history.history import History
from harness.history.records import MICRO, SentinelEvent

PROMOTED = "promoted"
LEADER_LOST = "leader lost"
OVERTAKEN = "overtaken by another Sentinel's promotion"
UNFINISHED = "unfinished"

#: What Sentinel says when it gives up, and what that means.
ABORTS = {
    "-failover-abort-not-elected": "aborted: not elected",
    "-failover-abort-no-good-slave": "aborted: no good replica",
    "-failover-abort-slave-timeout": "aborted: slave timeout",
    "-failover-abort-x-sdown": "aborted: the replica to be promoted is down",
}
_ENDINGS = {"+promoted-slave": PROMOTED, **ABORTS, "+switch-master": OVERTAKEN}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; instants in seconds since the origin.

    `ended` is when its outcome was known: the promotion, the abort, or the last that the witness could hear of the
    leader; None if `outcome` is unfinished. `after_first` is the delay since the first attempt began.
    """

    number: int
    leader: str
    began: float
    ended: float | None
    epoch: int | None
    outcome: str
    after_first: float

    @property
    def has_promoted(self) -> bool:
        """Whether the leader saw its replica become primary."""
        return self.outcome == PROMOTED

    def describe(self, zero: float = 0.0) -> str:
        """One line; instants counted from `zero` (seconds since the origin)."""
        epoch = f" in epoch {self.epoch}" if self.epoch is not None else ""
        until = f" .. {self.ended - zero:+.3f} s" if self.ended is not None else ""
        again = f", {self.after_first:.3f} s after the first began" if self.number > 1 else ""
        return (
            f"attempt {self.number} by {self.leader}{epoch}, {self.began - zero:+.3f} s{until}: {self.outcome}{again}"
        )


def attempts(history: History, events: Sequence[SentinelEvent]) -> tuple[Attempt, ...]:
    """All attempts that these events (in order) tell of."""
    found = list(_tries(history, events))
    return tuple(
        Attempt(number, leader, began / MICRO, _seconds(ended), epoch, outcome, (began - found[0][1]) / MICRO)
        for number, (leader, began, ended, epoch, outcome) in enumerate(found, 1)
    )


_Try = tuple[str, int, int | None, int | None, str]


def _tries(history: History, events: Sequence[SentinelEvent]) -> Iterator[_Try]:
    epochs: dict[int, int] = {}
    for place, event in enumerate(events):
        if event.event == "+new-epoch" and event.payload.isdigit():
            epochs[event.sentinel] = int(event.payload)
        elif event.event == "+try-failover":
            ended, outcome = _ending(history, event, events[place + 1 :])
            yield history.instance_name(event.sentinel), event.at, ended, epochs.get(event.sentinel), outcome


def _ending(history: History, start: SentinelEvent, later: Sequence[SentinelEvent]) -> tuple[int | None, str]:
    """When this Sentinel's attempt ended, and how.

    What it says itself counts, also after it was not heard for a while; a silence counts if nothing follows it.
    """
    for event in later:
        if event.sentinel != start.sentinel:
            continue
        if event.event == "+try-failover":
            break
        if event.event in _ENDINGS:
            return event.at, _ENDINGS[event.event]
    silent = (
        each.at
        for each in history.listening
        if each.sentinel == start.sentinel and each.state == "down" and each.at >= start.at
    )
    lost = next(silent, None)
    return (lost, LEADER_LOST) if lost is not None else (None, UNFINISHED)


def _seconds(instant: int | None) -> float | None:
    return None if instant is None else instant / MICRO
