"""Whether a failover kept its budget, phase by phase. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from harness.budget.phases import PLANNED, REBOOT, SILENCE, Budget, Course, Step
from harness.timeline import NONE, Anatomy
from harness.timeline import PLANNED as PLANNED_KIND

WITHIN, OVER, UNKNOWN = "within", "over", "unknown"
IN_ALL = "write gap"


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """One phase against its budget; seconds. `took` is None if the phase was not seen."""

    name: str
    took: float | None
    best_s: float
    worst_s: float
    outcome: str
    why: str
    aside: bool = False


@dataclass(frozen=True, slots=True)
class BudgetVerdict:
    """The phases and the whole. `valid` is None if nothing was over budget, but not everything could be measured."""

    course: str
    valid: bool | None
    summary: str
    steps: tuple[StepVerdict, ...]

    def step(self, name: str) -> StepVerdict | None:
        """The verdict on the phase of that name."""
        return next((each for each in self.steps if each.name == name), None)

    def explain(self) -> str:
        """The summary, then a line for each phase."""
        rows = [self.summary]
        for each in self.steps:
            took = "not seen" if each.took is None else f"{each.took:.3f} s"
            rows.append(
                f"  {each.name:16} {took:>10}  of {each.best_s:6.2f} to {each.worst_s:6.2f} s  {each.outcome}"
                + (" (aside)" if each.aside else "")
            )
        return "\n".join(rows)


def judge(anatomy: Anatomy, budget: Budget, *, course: str | None = None) -> BudgetVerdict:
    """Compare a failover with its budget, or a reboot with that of a reboot.

    `course` is one of ``crash`` and ``silence`` for an unplanned failover whose fault is known to be of that sort;
    by default the wider one. A phase is over budget only if it certainly is: the fault's bracket, the clocks' doubt and
    the resolution of the gap count in its favour. Asides do not make the verdict false or unknown.
    """
    if anatomy.kind == NONE and not anatomy.rebooted:
        return BudgetVerdict("", None, "nobody was promoted and nobody rebooted: there is nothing to compare", ())
    if anatomy.kind == NONE:
        course = REBOOT
    elif anatomy.kind == PLANNED_KIND:
        course = PLANNED
    against = budget.course(course or SILENCE)
    steps = (*(_judged(anatomy, step) for step in against.steps), _in_all(anatomy, against))
    counted = [each for each in steps if not each.aside]
    over = next((each for each in counted if each.outcome == OVER), None)
    if over is not None:
        number = f", {anatomy.attempts} attempts were made" if anatomy.attempts > 1 else ""
        summary = f"over budget in phase {over.name} (took {over.took:.1f} s, at most {over.worst_s:.1f} s){number}"
        return BudgetVerdict(against.name, False, summary, steps)
    unseen = [each.name for each in counted if each.outcome == UNKNOWN]
    if unseen:
        return BudgetVerdict(against.name, None, f"within budget as far as seen; not seen: {', '.join(unseen)}", steps)
    return BudgetVerdict(against.name, True, "within budget", steps)


def _judged(anatomy: Anatomy, step: Step) -> StepVerdict:
    began, ended = anatomy.phase(step.begins), anatomy.phase(step.ends)
    if began is None or ended is None:
        return _verdict(step, None, None)
    took = ended.at - began.at
    if step.begins == "fault sent" and ended.least is not None:
        return _verdict(step, took, ended.least)
    resolution = anatomy.window.resolution if "ok write" in step.begins + step.ends else 0.0
    return _verdict(step, took, took - resolution)


def _verdict(step: Step, took: float | None, least: float | None) -> StepVerdict:
    outcome = UNKNOWN if least is None else OVER if least > step.worst_s else WITHIN
    return StepVerdict(step.name, took, step.best_s, step.worst_s, outcome, step.why, step.aside)


def _in_all(anatomy: Anatomy, against: Course) -> StepVerdict:
    window = anatomy.window
    took = window.duration if window.window is not None else None
    outcome = UNKNOWN
    if took is not None:
        outcome = OVER if took - window.resolution > against.worst_s else WITHIN
        if outcome == WITHIN and window.valid is None:
            outcome = UNKNOWN
    return StepVerdict(IN_ALL, took, against.best_s, against.worst_s, outcome, "what writers met in all")
