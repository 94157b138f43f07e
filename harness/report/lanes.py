"""The lanes of a drill's picture: each returns its SVG elements and its height, given where it begins."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.axis import LEFT, RIGHT, WIDTH, Axis
from harness.report.buckets import merged
from harness.report.harm import harms, rows
from harness.report.record import DrillRecord, SentinelEvent
from harness.report.svg import box, circle, line, path, rect, text
from harness.report.telling import TELLING, rank
from harness.report.wording import seconds

ROW, SENTINEL_ROW, OK_HEIGHT, BAD_HEIGHT = 22.0, 40.0, 84.0, 30.0
CHARACTER = 6.6  # advance of the 11 px sans-serif labels, a little generous so that labels do not touch
MOST_BARS = 450


def faults(record: DrillRecord, zero: float, axis: Axis, y: float) -> tuple[list[str], float]:
    """Draw one bar per fault from injection to healing, pale until its effect was seen."""
    parts = []
    for index, fault in enumerate(record.faults):
        top = y + index * ROW
        begin = axis.x(fault.injected_at - zero)
        healed = fault.healed_at - zero if fault.healed_at is not None else None
        end = axis.x(axis.end if healed is None else healed)
        effect = axis.x(fault.effect_at - zero) if fault.effect_at is not None else end
        when = "never healed" if healed is None else f"healed at {healed:+.1f} s"
        label = f"{fault.name} ({fault.target}), {when}"
        parts.append(text(LEFT - 8, top + 15, "fault" if index == 0 else "", "lane"))
        parts.append(rect(begin, top + 2, max(end - begin, 3), ROW - 5, "fault", title=label))
        parts.append(
            rect(begin, top + 2, max(effect - begin, 1), ROW - 5, "fault-waiting", title="injected, not yet felt")
        )
        parts.append(_fault_label(label, top + 15, begin, effect, end))
    return parts, len(record.faults) * ROW


def _fault_label(label: str, y: float, begin: float, effect: float, end: float) -> str:
    """Write a fault's label where there is room: in its bar, after it, before it, or over everything from the left."""
    room = len(label) * CHARACTER + 12
    if end - effect > room:
        return text(effect + 6, y, label, "on-fault")
    if WIDTH - RIGHT - end > room:
        return text(end + 6, y, label, "label")
    if begin - LEFT > room:
        return text(begin - 6, y, label, "edge")
    return text(LEFT + 4, y, label, "label")


def roles(record: DrillRecord, zero: float, axis: Axis, y: float) -> tuple[list[str], float]:
    """Draw one row per seat: what its instance said it was, and when it said nothing."""
    parts = []
    for index, (seat, spans) in enumerate(sorted(record.roles.items())):
        top = y + index * ROW
        parts.append(text(LEFT - 8, top + 15, seat, "lane"))
        for span in spans:
            begin, end = span.start - zero, span.end - zero
            if end <= axis.start or begin >= axis.end:
                continue
            left, width = axis.x(begin), axis.x(end) - axis.x(begin)
            css = span.role if span.role in {"primary", "replica", "unreachable"} else "other-role"
            parts.append(
                rect(left, top + 2, width, ROW - 5, f"role {css}", title=f"{seat} {span.role} from {begin:+.2f} s")
            )
            if width > len(span.role) * CHARACTER + 8:
                parts.append(text(left + 6, top + 15, span.role, f"on-{css}"))
    return parts, len(record.roles) * ROW


def sentinels(record: DrillRecord, zero: float, axis: Axis, y: float) -> tuple[list[str], float]:
    """Draw one row per Sentinel with its events."""
    shown = [event for event in record.sentinel_events if axis.shows(event.at - zero)]
    names = sorted({event.sentinel for event in record.sentinel_events})
    parts = []
    for index, name in enumerate(names):
        top = y + index * SENTINEL_ROW
        parts += [text(LEFT - 8, top + 24, name, "lane"), line(LEFT, top + 20, WIDTH - RIGHT, top + 20, "rail")]
        parts += _sentinel([event for event in shown if event.sentinel == name], zero, axis, top)
    return parts, len(names) * SENTINEL_ROW


def _sentinel(events: Sequence[SentinelEvent], zero: float, axis: Axis, top: float) -> list[str]:
    """Draw one Sentinel's events; labels above and below its rail, the telling ones first, never one over another."""
    parts = []
    taken: list[list[tuple[float, float]]] = [[], []]
    for event in sorted(events, key=lambda event: rank(event.event)):
        x = axis.x(event.at - zero)
        title = f"{event.at - zero:+.3f} s {event.event} {event.text}".strip()
        parts.append(
            circle(x, top + 20, 3.5, "event telling" if rank(event.event) < len(TELLING) else "event", title=title)
        )
        width = len(event.event) * CHARACTER + 4
        left = x + 2 if x + width < WIDTH - RIGHT else x - width
        for level, spans in enumerate(taken):
            if all(left + width < begin or left > end for begin, end in spans):
                spans.append((left, left + width))
                parts.append(text(left, top + (13 if level == 0 else 34), event.event, "label"))
                break
    return parts


def operations(record: DrillRecord, zero: float, axis: Axis, y: float) -> tuple[list[str], float]:
    """Draw acknowledged operations upwards, the others downwards.

    Those have a scale of their own: refusals come by the thousand and would flatten everything else.
    """
    buckets = [bucket for bucket in record.ops if axis.shows(bucket.t - zero)]
    if not buckets:
        return [], 0.0
    factor = -(-len(buckets) // MOST_BARS)
    width_s = record.ops_bucket_s * factor
    shown = merged(buckets, zero, width_s)
    most_ok = max(bucket.ok for bucket in shown) or 1
    most_bad = max(bucket.fail + bucket.info for bucket in shown)
    base = y + OK_HEIGHT
    data = {"ok": "", "fail": "", "info": ""}
    for bucket in shown:
        left = axis.x(bucket.t - zero)
        width = max(axis.x(bucket.t - zero + width_s) - left - 0.4, 0.6)
        ok = bucket.ok / most_ok * OK_HEIGHT
        fail, info = (number / (most_bad or 1) * BAD_HEIGHT for number in (bucket.fail, bucket.info))
        data["ok"] += box(left, base - ok, width, ok) if bucket.ok else ""
        data["fail"] += box(left, base + 1, width, fail) if bucket.fail else ""
        data["info"] += box(left, base + 1 + fail, width, info) if bucket.info else ""
    parts = [path(shape, f"ops-{outcome}") for outcome, shape in data.items()]
    parts += [line(LEFT, base, WIDTH - RIGHT, base, "rail"), text(LEFT - 8, y + 9, f"at most {most_ok}", "lane quiet")]
    parts += [
        text(LEFT - 8, y + 44, "acknowledged", "lane"),
        text(LEFT - 8, y + 58, f"per {seconds(width_s)}", "lane quiet"),
    ]
    parts += [
        text(LEFT - 8, base + 14, "failed, unknown", "lane"),
        text(LEFT - 8, base + 28, f"at most {most_bad}", "lane quiet"),
    ]
    parts += _window_labels(record, zero, axis, y + OK_HEIGHT / 2)
    return parts, OK_HEIGHT + BAD_HEIGHT + 2


def harm(record: DrillRecord, zero: float, axis: Axis, y: float) -> tuple[list[str], float]:
    """Draw split brain, losses and TILT, one row per kind; the words stand beside the bar."""
    names = rows(record)
    parts = [text(LEFT - 8, y + index * ROW + 15, name, "lane") for index, name in enumerate(names)]
    for one in harms(record):
        top = y + names.index(one.row) * ROW
        left, right = axis.x(one.start - zero), axis.x(axis.end if one.end is None else one.end - zero)
        parts.append(rect(left, top + 2, max(right - left, 3), ROW - 5, f"harm {one.kind}", title=one.telling))
        parts.append(_beside(one.words, top + 15, left, right))
    return parts, len(names) * ROW


def _beside(label: str, y: float, left: float, right: float) -> str:
    """Write a label after a bar, before it, or from its left edge on, wherever there is room."""
    room = len(label) * CHARACTER + 12
    if WIDTH - RIGHT - right > room:
        return text(right + 6, y, label, "label")
    return text(left - 6, y, label, "edge") if left - LEFT > room else text(left + 4, y, label, "label")


def _window_labels(record: DrillRecord, zero: float, axis: Axis, y: float) -> list[str]:
    """Write each window's length where there are no bars; one too narrow for its label has it in its tooltip only."""
    parts = []
    for window in [each for each in record.windows if not each.group]:
        left, right = axis.x(window.start - zero), axis.x(axis.end if window.end is None else window.end - zero)
        label = f"no acknowledged {window.kind}: {seconds(window.duration_s)}"
        if right - left > len(label) * CHARACTER * 1.1:
            parts.append(text((left + right) / 2, y + (18 if window.kind == "read" else 0), label, "window-label"))
    return parts
