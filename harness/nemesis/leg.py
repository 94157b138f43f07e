"""A leg: some minutes of a schedule under one workload, with a history and verdicts of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness import wait
from harness.checkers import Verdict, merged
from harness.clock import Bracket
from harness.drill import Drill
from harness.drill.waiting import NEW_PRIMARY_S
from harness.errors import HarnessError, InjectionFailed, SteadyStateError, WaitTimeout
from harness.nemesis.judging import STEADY, Rules, injected, limits, questions, windows_allowed
from harness.nemesis.menu import Menu
from harness.nemesis.schedule import Group, Schedule, Step
from harness.nemesis.targets import Seats
from harness.nemesis.telling import phases
from harness.report.record import DrillRecord
from harness.workload import Recording

#: Patience, not a limit: an election that fails is tried again 2 x failover-timeout (60 s) later, then comes a resync.
STEADY_PATIENCE_S = 100.0


class Leg(Drill):
    """A drill whose faults come from a schedule. Between two groups of them the deployment has to be steady again."""

    def __init__(
        self, *arguments: Any, menu: Menu, say: Callable[[str], None], begins_s: int = 0, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._menu = menu
        self._say = say
        self._begins_s = begins_s
        self._done: list[Group] = []
        self._steady_again: list[str] = []
        self._never_steady = ""

    @property
    def done(self) -> tuple[Group, ...]:
        """The groups that were injected and healed so far."""
        return tuple(self._done)

    def through(self, schedule: Schedule) -> Verdict:
        """Go through all groups of the schedule while clients write, and return what is to be said of it.

        `begins_s` of the leg is the instant of the schedule's clock at which it starts. Raises FaultError, WitnessError
        or another HarnessError if the set-up broke: then nothing is known.
        """
        try:
            with self.writing() as recording:
                self._go_through(schedule.groups, recording)
        except HarnessError:
            # A deployment that never became steady again may not even let its history be closed: that is known.
            if not self._never_steady:
                raise
            self._judgement.asserted.append(self._steadiness())
            return self._steadiness()
        found = injected(self.history, self._done)
        for checker, arguments in questions(self.history, found, self._menu).items():
            self._judgement.ask(self.history, checker, **arguments)
        rules = Rules(self._menu, self._failover_timeout_s())
        self._limits += limits(self.history, found, rules)
        self._judgement.asserted += [self._steadiness(), windows_allowed(self.history, found, rules)]
        return merged(self._judgement.asserted)

    @property
    def done_in_words(self) -> str:
        """The leg: what was done in it stands in its table."""
        number = len(self._done)
        return f"{self.name} ({number} group{'' if number == 1 else 's'} of faults)"

    @property
    def kind_in_words(self) -> str:
        """How the leg ended, and if not well, what does not hold."""
        verdict = merged(self._judgement.asserted)
        word = {True: "held", False: "DOES NOT HOLD", None: "is not known to hold"}[verdict.valid]
        broken = [each.checker for each in self._judgement.asserted if each.valid is not True]
        return f"{self.name} {word}" + (f" ({', '.join(broken)})" if broken else "")

    def record(self) -> DrillRecord:
        """Return what the report shows: its groups one by one, and no budget, which is that of a single failover."""
        shown = super().record()
        course = phases(self.history) if self._history is not None else shown.phases
        return replace(shown, phases=course, budget=(), budget_sentence="", budget_warnings=())

    def _go_through(self, groups: tuple[Group, ...], recording: Recording) -> None:
        zero = time.monotonic() - self._begins_s
        for group in groups:
            wait.pause_until(zero + group.step.at_s)
            injected_at = self._fell(group)
            self._done.append(group)
            if not self._is_steady_after(group, injected_at):
                return
            recording.is_writing()  # raises WitnessError if it broke off: nothing that comes now would be judged
            now = time.monotonic()
            recording.mark(group.step.fault, Bracket(now, now), action=STEADY)
            zero = max(zero, now - group.step.ends_s)  # what took longer than predicted stops the schedule's clock

    def _fell(self, group: Group) -> float:
        """Go through the group; return when its first fault was ordered, in seconds of `time.monotonic()`."""
        step = group.step
        seats = self._seats(step)
        self._say(f"{step}: {', '.join(seats)}")
        fault = self._menu.fault(step, seats)
        with self.felled(fault) as felled:
            felt = time.monotonic()
            for inner in group.inner:
                wait.pause_until(felled.injected_at + inner.step.at_s - step.at_s)
                self._fell(inner)
            wait.pause_until(felt + step.held_s)
        return felled.injected_at

    def _seats(self, step: Step) -> Seats:
        """Return who the step hits now, once there is somebody: within another fault, it may be in mid-promotion."""
        try:
            return wait.eventually(
                lambda: self._menu.seats(step, self._sut.topology()),
                bool,
                seconds=NEW_PRIMARY_S,
                what=f"{step.target} to be hit by {step.fault}",
            )
        except WaitTimeout as error:
            raise InjectionFailed(f"{step} has nobody to hit: {error}") from error

    def _is_steady_after(self, group: Group, injected_at: float) -> bool:
        healed = time.monotonic()
        patience = group.step.predicted_s + STEADY_PATIENCE_S
        try:
            self.now = self._sut.steady(seconds=patience)
        except SteadyStateError as error:
            self._never_steady = f"after {group}: {error}"
            return False
        now = time.monotonic()
        beyond = now - injected_at - group.step.held_s
        line = (
            f"after {group}: steady {now - healed:.1f} s after it was healed, "
            f"{beyond:.1f} s beyond its hold ({group.step.predicted_s} s predicted)"
        )
        self._say(line)
        self._steady_again.append(line)
        return True

    def _steadiness(self) -> Verdict:
        if self._never_steady:
            summary = f"not steady again {self._never_steady}"
        else:
            summary = f"steady again after each of {len(self._done)} groups of faults"
        valid = False if self._never_steady else True if self._done else None
        return Verdict(checker="steady_again", valid=valid, summary=summary, evidence=tuple(self._steady_again))

    def _failover_timeout_s(self) -> float:
        return max(view.failover_timeout_s for view in self.before.sentinels)
