"""From what a drill left behind to what the report shows of it: plain values, in seconds on the witness's clock."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from harness.checkers import LostWrites, Verdict, windows
from harness.checkers import Window as Gap
from harness.faults import Felled
from harness.history import History
from harness.history.records import MICRO, OK
from harness.report.record import (
    CheckerVerdict,
    DrillRecord,
    FaultBracket,
    LimitCheck,
    OpsBucket,
    Phase,
    RoleSpan,
    SentinelEvent,
    Window,
)
from harness.timeline import Anatomy

#: Width of a column of the picture, in seconds.
BUCKET_S = 0.1

#: Shorter gaps between acknowledged writes are the usual pauses of a busy machine.
WINDOW_S = 0.5


def record_of(
    promise: str,
    *,
    outcome: str,
    history: History | None,
    anatomy: Anatomy | None,
    faults: Sequence[Felled],
    verdicts: Sequence[Verdict],
    for_information: Sequence[Verdict],
    limits: Sequence[LimitCheck],
    primaries: tuple[str, str | None],
) -> DrillRecord:
    """Return the record of one drill, with or without a history."""
    judged = [_verdict(each, asserted=True) for each in verdicts]
    judged += [_verdict(each, asserted=False) for each in for_information]
    old, new = primaries
    if history is None or anatomy is None:
        brackets = _brackets_without_history(faults)
        phases = [phase for bracket in brackets for phase in _phases(bracket)]
        return DrillRecord(promise, outcome, old, new, faults=brackets, phases=phases, verdicts=judged, limits=limits)
    counts = history.writes.counts()
    lost = next((each for each in (*verdicts, *for_information) if isinstance(each, LostWrites)), None)
    return DrillRecord(
        promise,
        outcome,
        anatomy.old_primary or old,
        anatomy.new_primary or new,
        faults=_brackets(history),
        phases=[Phase(each.name, each.since_fault or 0.0, each.took, each.by) for each in anatomy.phases],
        windows=[_window(each) for each in windows(history, longer_than=WINDOW_S)],
        verdicts=judged,
        limits=limits,
        acknowledged=counts.get("o", 0),
        failed=counts.get("f", 0),
        unknown=counts.get("i", 0),
        lost=max(lost.lost.values()) if lost is not None and lost.lost else None,
        roles=_roles(history),
        sentinel_events=[
            SentinelEvent(event.at_s, history.instance_name(event.sentinel), event.event, event.payload)
            for event in history.events
        ],
        ops=_buckets(history),
        ops_bucket_s=BUCKET_S,
        history=f"history/{history.path.name}" if history.path else None,
    )


def _verdict(verdict: Verdict, *, asserted: bool) -> CheckerVerdict:
    return CheckerVerdict(verdict.checker, verdict.valid, verdict.summary, asserted=asserted)


def _brackets(history: History) -> list[FaultBracket]:
    """Return the faults as the history has them, on its clock."""
    found = []
    for mark in history.faults:
        if mark.action == "inject":
            name, _, target = mark.name.partition("(")
            effect, heal = history.fault(mark.name, "effect"), history.fault(mark.name, "heal")
            found.append(
                FaultBracket(
                    name,
                    target.rstrip(")"),
                    injected_at=mark.sent / MICRO,
                    returned_at=mark.returned / MICRO,
                    effect_at=effect.sent / MICRO if effect else None,
                    healed_at=heal.sent / MICRO if heal else None,
                )
            )
    return found


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


def _window(found: Gap) -> Window:
    return Window(
        "write",
        found.begin,
        None if found.is_open else found.end,
        found.duration,
        found.resolution,
        [f"{number} {error}" for error, number in sorted(found.errors.items())],
    )


def _roles(history: History) -> dict[str, list[RoleSpan]]:
    """Return, by seat, the stretches of samples that say the same."""
    spans: dict[str, list[RoleSpan]] = defaultdict(list)
    for sample in history.roles:
        seat, at = history.instance_name(sample.instance), sample.completed / MICRO
        last = spans[seat][-1] if spans[seat] else None
        if last is not None:
            spans[seat][-1] = RoleSpan(last.start, at, last.role)
        if last is None or last.role != sample.role:
            spans[seat].append(RoleSpan(at, at, sample.role))
    return dict(sorted(spans.items()))


def _buckets(history: History) -> list[OpsBucket]:
    """Return how many ops ended in each BUCKET_S, by outcome; empty stretches stay empty columns."""
    width = int(BUCKET_S * MICRO)
    writes = history.writes
    counts = Counter(
        (completed // width, outcome) for completed, outcome in zip(writes.completed, writes.outcome, strict=True)
    )
    columns = sorted({column for column, _ in counts})
    if not columns:
        return []
    ok, fail, info = (ord(letter) for letter in (OK, "f", "i"))
    return [
        OpsBucket(column * BUCKET_S, counts[column, ok], counts[column, fail], counts[column, info])
        for column in range(columns[0], columns[-1] + 1)
    ]
