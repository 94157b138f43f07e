"""What the report tells of a leg: its faults one by one, where a drill has the phases of its one failover."""

from __future__ import annotations

from harness.history import History
from harness.history.records import MICRO
from harness.nemesis.judging import STEADY
from harness.report.record import Phase

#: How a mark of the history reads.
WORDS = {"inject": "fault sent", "effect": "effect seen", "heal": "healed", STEADY: "steady again"}


def phases(history: History) -> list[Phase]:
    """Return every mark of the leg in its order, in seconds after the first fault, each with the time since its fault.

    `took_s` is None for the fault itself; the steady state counts from the first fault of its group.
    """
    told: list[Phase] = []
    sent: dict[str, int] = {}
    group = 0
    marks = sorted(history.faults, key=lambda mark: mark.sent)
    zero = marks[0].sent if marks else 0
    for mark in marks:
        if mark.action == "inject":
            group = group or mark.sent
            sent[mark.name] = mark.sent
        since = group if mark.action == STEADY else sent.get(mark.name)
        took = None if mark.action == "inject" or since is None else (mark.sent - since) / MICRO
        told.append(Phase(WORDS.get(mark.action, mark.action), (mark.sent - zero) / MICRO, took, mark.name))
        if mark.action == STEADY:
            group = 0
    return told
