"""How the report says things: one wording for the page, the terminal and run.json."""

from __future__ import annotations

from harness.report.record import DrillRecord, LimitCheck, Window

#: The name under which a drill judges the data set that was written before it.
DATA_SET = "data set"


def drill_sentence(record: DrillRecord) -> str:
    """Return what a drill found in one sentence: how long writes stood still, who took over, what was lost."""
    parts = [_writes(record), _data(record), _primary(record), _losses(record)]
    told = "; ".join(part for part in parts if part)
    return f"{record.outcome}: {told}" if record.outcome else told


def write_limit(record: DrillRecord, window: Window | None) -> LimitCheck | None:
    """Return the limit that a drill asserts for the interruption of writes, None if it asserts none."""
    measured = [x for x in record.limits if window and x.measured_s is not None and x.measured_s == window.duration_s]
    named = [limit for limit in record.limits if "write" in limit.name.lower()]
    return next(iter([*measured, *named]), None)


def seconds(value: float | None) -> str:
    """Return a duration for reading: milliseconds below one second, minutes above two."""
    if value is None:
        return "-"
    if abs(value) < 1:
        return f"{value * 1000:.0f} ms"
    if abs(value) < 120:
        return f"{value:.2f} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def since_fault(record: DrillRecord, instant: float) -> str:
    """Return an instant as the pictures count: time since the fault, with a sign."""
    after = instant - (record.zero or 0.0)
    return f"{'-' if after < 0 else '+'}{seconds(abs(after))}"


def _writes(record: DrillRecord) -> str:
    window = record.longest_write_window
    limit = write_limit(record, window)
    allowed = f" of {limit.limit_s:g} s allowed" if limit else ""
    if window is None and not record.acknowledged:
        return "" if _data(record) else "no write was measured"
    if window is None:
        return "no interruption of writes was seen"
    if window.end is None:
        return f"writes stood still for {seconds(window.duration_s)}{allowed} and had not come back at the end"
    return f"writes stood still for {seconds(window.duration_s)}{allowed}"


def _data(record: DrillRecord) -> str:
    """Return what became of a data set that was written before the drill; nothing where none was."""
    seen = [verdict.valid for verdict in record.verdicts if verdict.checker == DATA_SET]
    if not seen:
        return ""
    if all(seen):
        return "every key survived with its value, on every instance"
    return "keys were lost or changed" if False in seen else "whether every key survived is not known"


def _primary(record: DrillRecord) -> str:
    old, new = record.old_primary, record.new_primary
    if old is None:
        return ""
    if new is None:
        return f"nobody took over from {old}"
    return f"{old} stayed primary" if old == new else f"{new} took over from {old}"


def _losses(record: DrillRecord) -> str:
    others = [f"{group} lost {count:,}" for group, count in _lost_by_group(record).items()]
    if record.lost is None:
        return f"acknowledged writes: {', '.join(others)}" if others else ""
    if record.lost == 0:
        own = "no acknowledged write was lost"
        return ", but ".join([f"{own} by clients that ask the Sentinels", *others]) if others else own
    return ", ".join([f"{record.lost} acknowledged write{'' if record.lost == 1 else 's'} lost", *others])


def _lost_by_group(record: DrillRecord) -> dict[str, int]:
    """Return, by group of writers, the most that any seat lacks; a write missing on two seats is one lost write."""
    most: dict[str, dict[str, int]] = {}
    for loss in record.losses:
        seats = most.setdefault(loss.group, {})
        seats[loss.seat] = seats.get(loss.seat, 0) + loss.count
    return {group: max(seats.values()) for group, seats in most.items()}
