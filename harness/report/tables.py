"""What stands beside a drill's picture: windows, budget, attempts and losses as rows of words."""

from __future__ import annotations

from typing import Any

from harness.report.causes import all_in_words
from harness.report.harm import harms
from harness.report.record import BudgetPhase, DrillRecord
from harness.report.wording import seconds, since_fault

#: Where in its gauge the worst allowed case lies, in per cent: there is room for what took longer.
WORST_AT = 72.0


def tables(record: DrillRecord) -> dict[str, Any]:
    """Return the rows that the page's template needs of one drill and that run.json has in another form."""
    return {
        "window_rows": _windows(record),
        "budget_tone": _tone(record),
        "budget_rows": [_budget(phase) for phase in record.budget],
        "attempt_rows": _attempts(record),
        "overlap_rows": [harm.telling for harm in harms(record) if harm.kind == "overlap"],
        "tilt_rows": [harm.telling for harm in harms(record) if harm.kind == "tilt"],
        "loss_rows": [
            {
                "group": loss.group,
                "seat": loss.seat,
                "count": loss.count,
                "between": f"{since_fault(record, loss.start)} to {since_fault(record, loss.end)}",
            }
            for loss in record.losses
        ],
        "measured": _measured(record),
    }


def _windows(record: DrillRecord) -> list[dict[str, Any]]:
    return [
        {
            "what": f"{window.kind}s{f' of {window.group}' if window.group else ''}",
            "between": f"{since_fault(record, window.start)} to "
            + ("the end" if window.end is None else since_fault(record, window.end)),
            "lasted": f"{seconds(window.duration_s)} ± {seconds(window.resolution_s)}",
            "causes": all_in_words(window.causes) or ["nothing was refused: clients waited"],
        }
        for window in record.windows
    ]


def _budget(phase: BudgetPhase) -> dict[str, Any]:
    """Return a phase beside its bounds, with a gauge in per cent of its width; each phase has a scale of its own."""
    scale = WORST_AT / phase.worst_s if phase.worst_s > 0 else 0.0
    return {
        "name": phase.name,
        "allowed": f"{_short(phase.best_s)} to {_short(phase.worst_s)}",
        "took": phase.took_s,
        "held": phase.held,
        "why": phase.why,
        "best_at": round(phase.best_s * scale, 1),
        "worst_at": WORST_AT if phase.worst_s > 0 else 0.0,
        "took_at": None if phase.took_s is None else round(min(phase.took_s * scale, 100.0), 1),
    }


def _tone(record: DrillRecord) -> str:
    """Return whether the drill kept its budget: bad with one phase over it, good if every phase was seen within."""
    held = [phase.held for phase in record.budget]
    if False in held:
        return "bad"
    return "good" if held and all(held) else "unsure"


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + " s"


def _attempts(record: DrillRecord) -> list[str]:
    """Return each attempt in words; a single one that succeeded is no news."""
    return [
        f"{one.leader} began at {since_fault(record, one.began)}: {one.outcome}"
        + ("." if one.ended is None else f", at {since_fault(record, one.ended)}.")
        for one in record.attempts
    ]


def _measured(record: DrillRecord) -> str:
    health = record.witness
    if health is None:
        return ""
    return (
        f"Measured to {seconds(health.resolution_s)}: the witness's longest pause was {seconds(health.largest_lag_s)},"
        f" and it was kept from running for {seconds(health.throttled_s)} for want of CPU."
    )
