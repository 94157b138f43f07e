"""A soak: a schedule gone through leg by leg, and on failure the search for the shortest schedule that still fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.artifacts import Run, write_json
from harness.checkers import Verdict, merged
from harness.errors import HarnessError, HealFailed
from harness.nemesis.leg import Leg
from harness.nemesis.schedule import Schedule, Step
from harness.nemesis.shrink import shrink

#: How a verdict that is not valid explains itself (harness/checkers/verdict.py).
BROKEN = " DOES NOT HOLD: "

#: A leg is one history: so long that it pays to start a workload, and far below what the witness's journal holds: the
#: usual clients' 1,300 ops a second, reckoned at 50 bytes each, fill its 256 MiB in about an hour.
LEG_S = 300

#: Makes a leg by its name and the instant of the schedule's clock at which it begins. Raises SteadyStateError.
NewLeg = Callable[[str, int], Leg]

#: What a trial takes beyond its schedule: the first writes, the last sweep, the history's way here.
TRIAL_BEYOND_S = 30

#: The search for a shorter schedule may take as long as the soak, and no less than this: some trials of one fault.
SEARCH_AT_LEAST_S = 600


@dataclass(frozen=True, slots=True)
class LegOutcome:
    """A leg that was gone through, as far as it came, and all that was found."""

    name: str
    schedule: Schedule
    verdict: Verdict


@dataclass(slots=True)
class Outcome:
    """How far a soak came, and what was said of each leg."""

    schedule: Schedule
    legs: list[LegOutcome] = field(default_factory=list)

    @property
    def held(self) -> bool | None:
        """Whether every leg's every verdict is valid; None if none is false and one is unknown."""
        return merged([leg.verdict for leg in self.legs]).valid

    @property
    def gone_through(self) -> Schedule:
        """The part of the schedule that was gone through, the failed leg included."""
        return self.schedule.of(step for leg in self.legs for step in leg.schedule.steps)

    @property
    def blame(self) -> str:
        """Which leg does not hold and why, in one line; empty if none was seen not to hold."""
        return "; ".join(
            f"{leg.name} of the soak: {', '.join(_broken(leg.verdict))}"
            for leg in self.legs
            if leg.verdict.valid is False
        )

    def explain(self) -> str:
        """Return every leg's verdicts, those that do not hold first."""
        order = sorted(self.legs, key=lambda leg: leg.verdict.valid is True)
        return "\n".join(f"{leg.name}: {leg.verdict.explain()}" for leg in order)


def _broken(verdict: Verdict) -> list[str]:
    """The first line of each checker that was seen not to hold."""
    return [line for line in verdict.evidence if BROKEN in line]


class Soak:
    """Goes through schedules. What it says goes to `say`; its files into the run's directory.

    `after_leg` is given every leg when it is over, however it ended; `on_failure` is called once after a leg that does
    not hold, before any trial changes what it left. `left_out` are steps that cannot be had here, with the reason: the
    schedule is what it is, and they are said and not gone through.
    """

    def __init__(
        self,
        schedule: Schedule,
        new_leg: NewLeg,
        run: Run,
        say: Callable[[str], None],
        *,
        after_leg: Callable[[Leg], None],
        on_failure: Callable[[], None],
        left_out: Mapping[Step, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.schedule = schedule
        self._new_leg = new_leg
        self._run = run
        self._say = say
        self._after_leg = after_leg
        self._on_failure = on_failure
        self._left_out = left_out or {}
        self._clock = clock
        self._trials = 0
        self._not_healed = ""
        self._save(schedule, "schedule")
        say(str(schedule))
        for step, reason in self._left_out.items():
            say(f"left out: {step} at {step.at_s} s: {reason}")

    def outcome(self) -> Outcome:
        """Go through the schedule up to its end, or up to the first leg that does not hold."""
        return self._go_through(self.schedule.of(s for s in self.schedule.steps if s not in self._left_out), "leg")

    def _go_through(self, schedule: Schedule, name: str) -> Outcome:
        outcome = Outcome(schedule)
        begins = 0
        legs = schedule.legs(longest_s=LEG_S)
        for number, part in enumerate(legs, 1):
            called = f"{name}-{number}"
            self._say(f"{called} of {len(legs)}: {', then '.join(map(str, part.groups))}")
            leg = self._new_leg(called, begins)
            try:
                verdict = leg.through(part)
            finally:
                self._after_leg(leg)
            begins = part.seconds
            outcome.legs.append(LegOutcome(called, schedule.of(s for each in leg.done for s in each.steps), verdict))
            self._say("\n".join([f"{called}: {verdict.summary}", *_broken(verdict)]))
            if verdict.valid is False:
                break
        return outcome

    # After a failure

    def explain(self, outcome: Outcome) -> str:
        """Return all that is known; for a failed soak with the shortest failing schedule that could be found.

        The search makes trials on the cluster, for at most as long as the soak itself was to take, or ten minutes.
        """
        if outcome.held is not False:
            return outcome.explain()
        self._on_failure()
        failing = outcome.gone_through
        self._save(failing, "schedule-shortest")
        last = outcome.legs[-1].schedule
        seconds = max(self.schedule.seconds, SEARCH_AT_LEAST_S)
        self._say(f"the soak failed: for up to {seconds} s a shorter schedule that fails is looked for")
        shrunk = shrink(
            failing,
            self._fails,
            seconds=seconds,
            clock=self._clock,
            first=[last.of(last.groups[-1].steps), last],
            cost_s=lambda schedule: schedule.seconds + TRIAL_BEYOND_S,
        )
        path = self._save(shrunk.schedule, "schedule-shortest")
        lines = [
            outcome.blame,
            f"the shortest schedule found that fails: {shrunk}",
            str(shrunk.schedule),
            f"replay it: make soak SCHEDULE={path}",
            *([self._not_healed] if self._not_healed else []),
        ]
        for line in lines:
            self._say(line)
        return "\n".join([*lines, outcome.explain()])

    def _fails(self, schedule: Schedule) -> bool | None:
        """Whether the schedule fails, tried on the cluster from a steady state; None: the trial broke."""
        if self._not_healed:
            return None  # the cluster is not what it was: whatever came now would prove nothing
        self._trials += 1
        try:
            held = self._go_through(schedule, f"trial-{self._trials}").held
        except HealFailed as error:
            self._not_healed = str(error)
            held = None
        except HarnessError as error:
            self._say(f"trial-{self._trials} could not be judged: {error}")
            held = None
        if held is False:
            self._save(schedule, "schedule-shortest")  # now, and not only at the end: a killed search leaves its best
        return None if held is None else not held

    def _save(self, schedule: Schedule, name: str) -> Path:
        return write_json(self._run.directory / f"{name}.json", schedule.as_json())
