"""The shortest failing schedule that can be found in a bounded time: delta debugging over steps, then over holds.

The idea is Zeller's and Hildebrandt's (Simplifying and Isolating Failure-Inducing Input, 2002): try each half, then
each half's complement, then quarters, and so on. What is told apart here is a trial that could not be judged: it is
neither a pass nor a failure, so nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from harness.nemesis.draw import PAUSE_S
from harness.nemesis.schedule import Schedule, Step

#: ``fails(schedule)``: True, it failed; False, it held; None, the set-up broke, so nothing is known.
Fails = Callable[[Schedule], bool | None]

#: After so many trials in a row that could not be judged, more of them would tell no more.
ERRORS_IN_A_ROW = 3


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The shortest schedule that was seen to fail, and how far the search got.

    `is_minimal`: without any one of its steps it was seen to hold (once each: what fails by chance may need more).
    `is_confirmed`: it was gone through once more at the end, and failed again.
    """

    schedule: Schedule
    trials: int
    failed: int
    unjudged: int
    is_minimal: bool
    is_confirmed: bool
    ended: str

    def __str__(self) -> str:
        told = f"{self.trials} trials, {self.failed} of them failed"
        told += f", {self.unjudged} could not be judged" if self.unjudged else ""
        word = "no step can be left out" if self.is_minimal else "perhaps not the shortest"
        again = "failed again when repeated" if self.is_confirmed else "not seen to fail a second time"
        return f"{len(self.schedule.steps)} steps in {self.schedule.seconds} s ({word}; {again}; {told}; {self.ended})"


class _Ended(Exception):
    """No further trial is made; its message says why."""


def shrink(
    failing: Schedule,
    fails: Fails,
    *,
    seconds: float,
    clock: Callable[[], float],
    first: Sequence[Schedule] = (),
    cost_s: Callable[[Schedule], float] = lambda schedule: schedule.seconds,
) -> Shrunk:
    """Return the shortest schedule found to fail; `failing` itself, which was seen to fail, if there is no other.

    `first` are tried before anything else, by a suspicion of the caller's. `clock` gives seconds. A trial is begun only
    if it is predicted (`cost_s`) to be over within `seconds` of now; a shorter one may still be when a longer is not.
    """
    search = _Search(failing, fails, clock() + seconds, clock, cost_s)
    minimal = confirmed = False
    try:
        for candidate in first:
            if len(candidate.steps) < len(search.best.steps) and search.fails(candidate):
                break
        search.drop_steps()
        minimal = search.is_minimal
        steps = len(search.best.steps)
        search.shorten_holds()
        confirmed = search.confirm()
        minimal = minimal and len(search.best.steps) == steps
        ended = "the time for more was used up" if search.is_short_of_time else "nothing left to try"
    except _Ended as why:
        ended = str(why)
    return Shrunk(
        search.best,
        len(search.outcomes),
        search.outcomes.count(True),
        search.outcomes.count(None),
        minimal,
        confirmed,
        ended,
    )


@dataclass(slots=True)
class _Search:
    """The trials so far. `best` is always one that was seen to fail."""

    best: Schedule
    _fails: Fails
    _deadline: float
    _clock: Callable[[], float]
    _cost_s: Callable[[Schedule], float]
    tried: dict[Schedule, bool | None] = field(default_factory=dict)
    outcomes: list[bool | None] = field(default_factory=list)
    is_short_of_time: bool = False
    _earlier: list[Schedule] = field(default_factory=list)
    _errors_in_a_row: int = 0

    def fails(self, candidate: Schedule) -> bool:
        """Whether it was seen to fail; then it is the best from now on. Raises _Ended when no more is to be tried."""
        if not candidate.steps or not candidate.is_sound:
            return False
        candidate = candidate.closed_up(pause_s=PAUSE_S[0])
        if candidate not in self.tried and candidate != self.best:
            if not self._has_time_for(candidate):
                return False
            self.tried[candidate] = self._try(candidate)
        failed = self.tried.get(candidate) is True
        if failed:
            self._earlier.append(self.best)
            self.best = candidate
        return failed

    def _has_time_for(self, candidate: Schedule) -> bool:
        enough = self._clock() + self._cost_s(candidate) <= self._deadline
        self.is_short_of_time = self.is_short_of_time or not enough
        return enough

    def _try(self, candidate: Schedule) -> bool | None:
        if self._errors_in_a_row >= ERRORS_IN_A_ROW:
            raise _Ended(f"given up: {ERRORS_IN_A_ROW} trials in a row could not be judged")
        outcome = self._fails(candidate)
        self._errors_in_a_row = self._errors_in_a_row + 1 if outcome is None else 0
        self.outcomes.append(outcome)
        return outcome

    def confirm(self) -> bool:
        """Repeat the best; go back from one that holds now to the one that failed before it. Return whether it failed.

        The shortest hold that fails is the one at the edge: it fails one time and holds the next.
        """
        while self._has_time_for(self.best):
            outcome = self._try(self.best)
            if outcome is not False:
                return outcome is True
            if not self._earlier:
                break
            self.best = self._earlier.pop()
        return False

    def drop_steps(self) -> None:
        """Leave out as many steps as can be; at the end, no single one can."""
        parts = 2
        while len(self.best.steps) > 1:
            steps = self.best.steps
            parts = min(parts, len(steps))
            chunks = list(_chunks(steps, parts))
            # The last first: a soak stops where it fails, so the culprit is mostly near the end.
            if any(self.fails(self.best.of(chunk)) for chunk in reversed(chunks)):
                parts = 2
            elif any(self.fails(self.best.of(rest)) for rest in _complements(chunks)):
                parts = max(parts - 1, 2)
            elif parts == len(steps):
                return
            else:
                parts *= 2

    @property
    def is_minimal(self) -> bool:
        """Whether it was seen to hold without each one of its steps."""
        steps = self.best.steps
        without = [self.best.of((*steps[:place], *steps[place + 1 :])) for place in range(len(steps))]
        return all(
            not each.steps or self.tried.get(each.closed_up(pause_s=PAUSE_S[0])) is False
            for each in without
            if each.is_sound
        )

    def shorten_holds(self) -> None:
        """Hold each fault as shortly as still fails; a second one before the first, which has to outlast it."""
        for place in reversed(range(len(self.best.steps))):
            if self.best.steps[place].held_s == 0 or self.fails(self._held(place, 0)):
                continue
            holds, fails_s = 0, self.best.steps[place].held_s
            while fails_s - holds > 1:
                middle = (holds + fails_s) // 2
                if self.fails(self._held(place, middle)):
                    fails_s = middle
                else:
                    holds = middle

    def _held(self, place: int, held_s: int) -> Schedule:
        steps = list(self.best.steps)
        steps[place] = replace(steps[place], held_s=held_s)
        return self.best.of(steps)


def _chunks(steps: Sequence[Step], parts: int) -> Iterator[tuple[Step, ...]]:
    for part in range(parts):
        yield tuple(steps[part * len(steps) // parts : (part + 1) * len(steps) // parts])


def _complements(chunks: Sequence[Iterable[Step]]) -> Iterator[tuple[Step, ...]]:
    for left_out in range(len(chunks)):
        yield tuple(step for place, chunk in enumerate(chunks) if place != left_out for step in chunk)
