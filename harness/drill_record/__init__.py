"""From what a drill left behind to what the report shows of it: plain values, in seconds on the witness's clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.budget import BudgetVerdict
from harness.checkers import LostWrites, SplitBrain, Verdict
from harness.drill_record import course
from harness.drill_record.proof import does_not_prove, proves
from harness.faults import Felled
from harness.history import History
from harness.report.record import BudgetPhase, CheckerVerdict, DrillRecord, FaultBracket, LimitCheck, Phase
from harness.timeline import Anatomy

__all__ = ["Left", "record_of"]


HELD: dict[str, bool | None] = {"within": True, "over": False, "unknown": None}


@dataclass(frozen=True, slots=True)
class Left:
    """All that a drill left behind; `history` and what follows from it are None where no client wrote.

    `done` names what was done to the deployment; empty: the faults, one by one.
    """

    promise: str
    outcome: str
    primaries: tuple[str, str | None]
    faults: Sequence[Felled]
    asserted: Sequence[Verdict]
    limits: Sequence[LimitCheck]
    history: History | None = None
    anatomy: Anatomy | None = None
    budget: BudgetVerdict | None = None
    cautions: Sequence[str] = ()
    for_information: Sequence[Verdict] = field(default_factory=tuple)
    done: str = ""


def record_of(left: Left) -> DrillRecord:
    """Return the record of one drill, with or without a history."""
    verdicts = [_verdict(each, asserted=True) for each in left.asserted]
    verdicts += [_verdict(each, asserted=False) for each in left.for_information]
    old, new = left.primaries
    history, anatomy = left.history, left.anatomy
    if history is None or anatomy is None:
        brackets = _brackets_without_history(left.faults)
        return DrillRecord(
            left.promise,
            left.outcome,
            old,
            new,
            faults=brackets,
            phases=[phase for bracket in brackets for phase in _phases(bracket)],
            verdicts=verdicts,
            limits=left.limits,
            proves=proves(left),
            does_not_prove=does_not_prove(left),
        )
    counts = history.writes.counts()
    everything = [*left.asserted, *left.for_information]
    lost = next((each for each in everything if isinstance(each, LostWrites)), None)
    split = next((each for each in everything if isinstance(each, SplitBrain)), None)
    return DrillRecord(
        left.promise,
        left.outcome,
        anatomy.old_primary or old,
        anatomy.new_primary or new,
        faults=course.brackets(history),
        phases=[Phase(each.name, each.since_fault or 0.0, each.took, each.by) for each in anatomy.phases],
        windows=course.windows_of(history),
        verdicts=verdicts,
        limits=left.limits,
        acknowledged=counts.get("o", 0),
        failed=counts.get("f", 0),
        unknown=counts.get("i", 0),
        lost=max(lost.lost.values()) if lost is not None and lost.lost else None,
        roles=course.roles(history),
        sentinel_events=course.events(history),
        ops=course.judged_ops(history),
        ops_bucket_s=course.BUCKET_S,
        history=f"history/{history.path.name}" if history.path else None,
        budget=_budget(left.budget),
        budget_sentence=left.budget.summary if left.budget and left.budget.steps else "",
        budget_warnings=left.cautions,
        attempts=course.attempts(anatomy),
        tilts=course.tilts(anatomy),
        ops_by_group=course.other_ops(history),
        losses=course.losses(history) if lost is not None and lost.valid is not None else (),
        overlaps=course.overlaps(split) if split is not None else (),
        services=course.services(history),
        views=course.views(history),
        dns=course.names(history),
        witness=course.health(history, anatomy),
        proves=proves(left),
        does_not_prove=does_not_prove(left),
    )


def _verdict(verdict: Verdict, *, asserted: bool) -> CheckerVerdict:
    return CheckerVerdict(verdict.checker, verdict.valid, verdict.summary, asserted=asserted)


def _budget(verdict: BudgetVerdict | None) -> list[BudgetPhase]:
    if verdict is None:
        return []
    return [
        BudgetPhase(each.name, each.best_s, each.worst_s, each.took, HELD[each.outcome], each.why)
        for each in verdict.steps
    ]


def _brackets_without_history(faults: Sequence[Felled]) -> list[FaultBracket]:
    """Return the faults on the runner's clock, counted from the first one: nothing else was recorded."""
    zero = min((felled.injected_at for felled in faults), default=0.0)

    def after(instant: float | None) -> float | None:
        return None if instant is None else instant - zero

    return [
        FaultBracket(
            felled.name,
            felled.target,
            injected_at=felled.injected_at - zero,
            returned_at=after(felled.returned_at),
            effect_at=after(felled.effect_at),
            healed_at=after(felled.healed_at),
        )
        for felled in faults
    ]


def _phases(bracket: FaultBracket) -> Iterator[Phase]:
    """Yield the course of a fault that no history was recorded of."""
    before = bracket.injected_at
    for name, at in (("fault sent", before), ("effect seen", bracket.effect_at), ("healed", bracket.healed_at)):
        if at is not None:
            yield Phase(name, at, at - before, f"{bracket.name}({bracket.target})")
            before = at
