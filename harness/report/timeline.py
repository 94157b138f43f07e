"""The picture of a drill: one time axis, lanes for faults, roles, Sentinels and operations, as inline SVG.

Static and self-contained: readable without JavaScript, colours from the page's style sheet, and nothing told by colour
alone (labels, shapes and places say the same).
"""

from __future__ import annotations

from html import escape

from harness.report.axis import RIGHT, WIDTH, Axis, axis_of
from harness.report.lanes import faults, harm, operations, roles, sentinels
from harness.report.record import DrillRecord, Window
from harness.report.svg import circle, line, rect, text
from harness.report.wording import drill_sentence, seconds, write_limit

LANE_GAP, TOP = 14.0, 54.0
TICKS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
MOST_TICKS = 14
MARK = 17.0  # the room that a phase's number takes


def draw(record: DrillRecord) -> str:
    """Return the picture as one ``<svg>`` element, or an empty string when there is nothing to be seen but faults."""
    zero = record.zero
    if zero is None or not (record.ops or record.roles or record.sentinel_events):
        return ""
    axis = axis_of(record, zero)
    parts: list[str] = []
    y = TOP
    for lane in (faults, roles, sentinels, operations, harm):
        drawn, height = lane(record, zero, axis, y)
        if drawn:
            parts += drawn
            y += height + LANE_GAP
    bottom = y - LANE_GAP
    windows = _windows(record, zero, axis, bottom)
    parts = [
        *_ticks(axis, bottom, "fault" if record.faults else "start"),
        *windows,
        *_marks(record, axis, bottom),
        *parts,
        *_limit(record, zero, axis, bottom),
    ]
    height = bottom + 38
    description = escape(drill_sentence(record))
    return (
        f'<svg class="timeline" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{description}">'
        f"{''.join(parts)}</svg>"
    )


def _ticks(axis: Axis, bottom: float, origin: str) -> list[str]:
    step = next((tick for tick in TICKS_S if (axis.end - axis.start) / tick <= MOST_TICKS), TICKS_S[-1])
    first = int(axis.start // step)
    parts = []
    for number in range(first, int(axis.end // step) + 1):
        second = number * step
        if axis.shows(second):
            x = axis.x(second)
            css = "zero" if number == 0 else "grid"
            label = origin if number == 0 else f"{second:+g} s"
            parts += [line(x, TOP - 8, x, bottom, css), text(x, bottom + 16, label, "tick")]
    return parts


def _windows(record: DrillRecord, zero: float, axis: Axis, bottom: float) -> list[str]:
    parts = []
    for window in [each for each in record.windows if not each.group]:  # a group's own is in the table
        left, right = axis.x(window.start - zero), axis.x(axis.end if window.end is None else window.end - zero)
        label = _window_label(window)
        parts.append(rect(left, TOP - 8, right - left, bottom - TOP + 8, f"window {escape(window.kind)}", title=label))
    return parts


def _window_label(window: Window) -> str:
    causes = f" ({', '.join(window.causes)})" if window.causes else ""
    return f"no acknowledged {window.kind} for {seconds(window.duration_s)}{causes}"


def _marks(record: DrillRecord, axis: Axis, bottom: float) -> list[str]:
    """Number the phases as the table beside the picture does; numbers that would overlap step aside, upwards."""
    parts = []
    taken = [-100.0, -100.0]
    for number, phase in enumerate(record.phases, start=1):
        if not axis.shows(phase.at_s):
            continue
        x = axis.x(phase.at_s)
        level = next((level for level, last in enumerate(taken) if x - last > MARK), None)
        if level is None:
            level = min(range(len(taken)), key=lambda index: taken[index])
            shifted = taken[level] + MARK
        else:
            shifted = x
        taken[level] = shifted
        y = TOP - 20 - 16 * level
        title = f"{number}. {phase.name}, {seconds(phase.at_s)} after the fault"
        parts += [line(x, TOP - 8, x, bottom, "phase"), line(shifted, y + 7, x, TOP - 8, "phase")]
        parts += [circle(shifted, y, 7.5, "mark", title=title), text(shifted, y + 3.5, str(number), "mark-number")]
    return parts


def _limit(record: DrillRecord, zero: float, axis: Axis, bottom: float) -> list[str]:
    window = record.longest_write_window
    limit = write_limit(record, window)
    if window is None or limit is None:
        return []
    at = window.start - zero + limit.limit_s
    if not axis.shows(at):
        return [text(WIDTH - RIGHT, bottom + 32, f"limit {limit.limit_s:g} s: beyond the edge →", "edge limit-label")]
    x = axis.x(at)
    return [
        line(x, TOP - 8, x, bottom, "limit"),
        text(x - 4, TOP + 4, f"limit {limit.limit_s:g} s", "edge limit-label"),
    ]
