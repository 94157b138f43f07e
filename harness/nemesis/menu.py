"""The menu: every fault that a schedule may contain, what it may hit, what it costs, and what it is not combined with.

The rule behind it: a schedule never asks the deployment for more than it promises. It promises to bear the loss of one
Redis instance and of one Sentinel, also at the same time. What an entry hits beyond that it hits alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harness.faults import Fault, needs
from harness.nemesis.schedule import Group, Schedule, ScheduleError, Step, Value
from harness.nemesis.targets import TARGETS, Seats, Target
from harness.providers import Provider
from harness.sut import Topology
from harness.sut.names import PROMISED_FAILOVER_S

#: How many of each kind may be gone at once: two of three Sentinels still are the quorum and the majority.
REDIS_TO_SPARE = 1
SENTINELS_TO_SPARE = 1

#: Losing neither the primary nor a quorum asks for no promotion: without writes for as long as down-after (5 s), the
#: primary would be found down, and that was not due.
NOT_MISSED_S = 5.0

#: How long a primary that was replaced may acknowledge writes beside its successor, from the first to the last: not at
#: all. A hand-over holds writes before another is promoted (docs/decisions/0015), a server that comes back takes none
#: before the Sentinels name it (0012). A fault from which the old primary returns alive says how long it is given.
TWO_PRIMARIES_S = 0.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault of the menu.

    `make` gets the seats and the parameters chosen. `held_s` is the shortest and the longest hold; a fault that is
    over by itself has no hold. `lost_around_s`: when it hits the primary, writes may be lost that were acknowledged
    so many seconds before it, and those that a replaced primary took within so many seconds after it. `gap_s`
    replaces the write gap that follows from the target. `one_by_one`: it takes its targets away one after the
    other. `takes_away` False: what it hits keeps serving. `stops_writes`: hitting the primary, it ends writing for
    as long as it holds, and replaces nobody. `whole_node`: a Redis instance goes with the Sentinel of its node.
    `alone`: it is combined with nothing. `beyond_promise`: it may be combined even so that more is gone than the
    deployment promises to bear. `needs`: what the provider of the cluster must be able to do.
    """

    name: str
    make: Callable[..., Fault]
    targets: tuple[str, ...]
    predicted_s: int
    held_s: tuple[int, int] = (0, 0)
    parameters: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    not_with: frozenset[str] = frozenset()
    lost_around_s: tuple[float, float] = (0.0, 0.0)
    two_primaries_s: float = TWO_PRIMARIES_S
    gap_s: float | None = None
    one_by_one: bool = False
    takes_away: bool = True
    stops_writes: bool = False
    whole_node: bool = False
    alone: bool = False
    beyond_promise: bool = False
    needs: type[object] = object

    def __post_init__(self) -> None:
        unknown = [word for word in self.targets if word not in TARGETS]
        if unknown or not self.targets or not 0 <= self.held_s[0] <= self.held_s[1]:
            raise ScheduleError(f"entry {self.name} of the menu: targets {self.targets}, held {self.held_s} s")

    @property
    def shortest_s(self) -> int:
        """The least that it takes until the deployment is steady again."""
        return self.held_s[0] + self.predicted_s

    def takes(self, word: str) -> tuple[int, int]:
        """Return how many Redis instances and Sentinels are gone at once while it holds."""
        target = TARGETS[word]
        if self.whole_node:
            return (1, 1)
        most = 1 if self.one_by_one else target.redis + target.sentinels
        return (min(most, target.redis), min(most, target.sentinels)) if self.takes_away else (0, 0)


class Menu:
    """Entries by name, in their order."""

    def __init__(self, *entries: Entry) -> None:
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise ScheduleError("two entries of the menu have the same name")

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def entry(self, step: Step) -> Entry:
        """Return the step's entry. Raises ScheduleError."""
        if step.fault not in self._entries:
            raise ScheduleError(f"the menu has no fault {step.fault!r} (it has: {', '.join(self._entries)})")
        return self._entries[step.fault]

    def seats(self, step: Step, topology: Topology) -> Seats:
        """Return who is hit by the step now; nobody if the word means nobody at the moment."""
        return TARGETS[step.target].find(topology)

    def fault(self, step: Step, seats: Seats) -> Fault:
        """Make the step's fault."""
        return self.entry(step).make(seats, **dict(step.parameters))

    def refusal(self, step: Step, provider: Provider | None) -> str | None:
        """Say why the step's fault cannot be had from this provider; None when it can."""
        return needs(provider, self.entry(step).needs)

    def objection(self, at_once: Sequence[Step]) -> str:
        """Return why these must not hold at the same time; empty if they may. One alone may always."""
        entries = [self.entry(step) for step in at_once]
        names = {entry.name for entry in entries}
        if len(entries) < 2:
            return ""
        if lonely := [entry.name for entry in entries if entry.alone]:
            return f"{lonely[0]} is combined with nothing"
        for position, entry in enumerate(entries):
            others = {other.name for place, other in enumerate(entries) if place != position}
            if entry.not_with & others:
                return f"{entry.name} is not combined with {', '.join(sorted(entry.not_with & names))}"
        if any(entry.beyond_promise for entry in entries):
            return ""
        gone = [entry.takes(step.target) for entry, step in zip(entries, at_once, strict=True)]
        redis, sentinels = (sum(kind) for kind in zip(*gone, strict=True))
        if redis > REDIS_TO_SPARE or sentinels > SENTINELS_TO_SPARE:
            return f"{redis} Redis instances and {sentinels} Sentinels would be gone at once"
        return ""

    def check(self, schedule: Schedule) -> Schedule:
        """Return the schedule if everything in it is on the menu and may be combined. Raises ScheduleError."""
        if not schedule.steps:
            raise ScheduleError("the schedule has no step: to go through it would prove nothing")
        for step in schedule.steps:
            self._check(step)
        for group in schedule.groups:
            self._check_composed(group, ())
        return schedule

    def _check(self, step: Step) -> None:
        entry = self.entry(step)
        if step.target not in entry.targets:
            raise ScheduleError(f"{step.fault} does not hit {step.target} (it hits: {', '.join(entry.targets)})")
        if {name for name, _ in step.parameters} != set(entry.parameters):
            raise ScheduleError(f"{step.fault} takes the parameters {', '.join(entry.parameters) or 'none'}")
        if step.held_s > entry.held_s[1]:
            raise ScheduleError(f"{step} is held for longer than {entry.held_s[1]} s")

    def _check_composed(self, group: Group, outer: tuple[Step, ...]) -> None:
        at_once = (*outer, group.step)
        if objection := self.objection(at_once):
            raise ScheduleError(f"{' and '.join(map(str, at_once))} at once: {objection}")
        for inner in group.inner:
            self._check_composed(inner, at_once)

    # What a step allows

    def hits_primary(self, step: Step) -> bool:
        """Whether the primary is among what it takes away or disturbs."""
        return TARGETS[step.target].has_primary

    def gap_s(self, steps: Sequence[Step], failover_timeout_s: float) -> float:
        """Return how long clients may be without an acknowledged write at a time, with these steps as one group.

        Where a Sentinel is lost around the loss of the primary, it may be the one that leads: then nobody tries again
        for 2 x failover-timeout (sentinel.c, sentinelStartFailoverIfNeeded). Not so with the one that shares a node
        with the primary: it is gone before anybody can be elected.
        """
        entries = [self.entry(step) for step in steps]
        if len(steps) > 1 and any(entry.beyond_promise for entry in entries):
            return float(sum(step.held_s + step.predicted_s for step in steps))
        gap = max(self._gap_s(step) for step in steps)
        primary = any(self._may_be_replaced(step) for step in steps)
        sentinel = any(
            entry.takes(step.target)[1] and not entry.whole_node for entry, step in zip(entries, steps, strict=True)
        )
        return gap + (2 * failover_timeout_s if primary and sentinel else 0.0)

    def _may_be_replaced(self, step: Step) -> bool:
        """Whether the primary is lost to the Sentinels by this step, and another one may take over."""
        entry = self.entry(step)
        return TARGETS[step.target].has_primary and entry.takes_away and not entry.stops_writes

    def _gap_s(self, step: Step) -> float:
        entry, target = self.entry(step), TARGETS[step.target]
        if entry.gap_s is not None:
            return entry.gap_s
        if _is_beyond_promise(entry, target) or (entry.stops_writes and target.has_primary):
            return float(step.held_s + step.predicted_s)
        return PROMISED_FAILOVER_S if self._may_be_replaced(step) else NOT_MISSED_S


def _is_beyond_promise(entry: Entry, target: Target) -> bool:
    # Sentinels serve no writes: all of them may be gone while the primary stays.
    return entry.takes(target.word)[0] > REDIS_TO_SPARE
