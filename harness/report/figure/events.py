"""The dots: numbered phases on top, each Sentinel's events in its row, changes of name answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from harness.report.figure.frame import CHARACTER_PX, INK, PAPER, QUIET, Frame, Rows, Trace
from harness.report.record import DrillRecord, SentinelEvent
from harness.report.telling import TELLING, rank
from harness.report.wording import seconds

MARK_PX = 19.0
LEVEL, MOST_LEVELS = 0.64, 6  # numbers of phases that are close to each other stand on levels, in units of a row


def phases(record: DrillRecord, frame: Frame, into: Rows) -> Iterator[Trace]:
    """Yield the phases, numbered as in the table; close ones stand above each other."""
    if not record.phases:
        return
    levels = _levels([frame.px(phase.at_s) for phase in record.phases])
    height = 1.0 + LEVEL * max(levels)
    top = into.add("phases", height) + height / 2 - 0.5
    yield {
        "type": "scatter",
        "mode": "markers+text",
        "name": "phases",
        "legendgroup": "phases",
        "x": [round(phase.at_s, 3) for phase in record.phases],
        "y": [round(top - LEVEL * level, 3) for level in levels],
        "text": [str(number) for number in range(1, len(record.phases) + 1)],
        "textfont": {"color": PAPER, "size": 10},
        "marker": {"color": INK, "size": 16},
        "customdata": [
            f"<b>{number}. {escape(phase.name)}</b><br>{phase.at_s:+.3f} s after the fault"
            + (f", {seconds(phase.took_s)} after the phase before" if phase.took_s is not None else "")
            + (f"<br>{escape(phase.note)}" if phase.note else "")
            for number, phase in enumerate(record.phases, start=1)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _levels(places: Sequence[float]) -> list[int]:
    """Return on which level each number stands, from the top down, so that none covers another while levels last."""
    last: list[float] = []
    found = []
    for at in places:
        level = next((number for number, taken in enumerate(last) if at - taken > MARK_PX), len(last))
        if level == MOST_LEVELS:
            level = last.index(min(last))
        last[level : level + 1] = [at]
        found.append(level)
    return found


def sentinel_rows(record: DrillRecord, into: Rows) -> dict[str, float]:
    """Add a row per Sentinel that is known of; return where the middle of each lies."""
    names = {event.sentinel for event in record.sentinel_events} | set(record.views)
    return {name: into.add(name, 2.0) for name in sorted(names)}


def sentinel_events(record: DrillRecord, frame: Frame, at: Mapping[str, float]) -> Iterator[Trace]:
    """Yield the events: filled those that decide, hollow the others; the payload shows at a pointer."""
    ordered = sorted(record.sentinel_events, key=lambda event: event.at)
    for telling, name in ((True, "Sentinel decides"), (False, "Sentinel tells")):
        some = [event for event in ordered if (rank(event.event) < len(TELLING)) == telling]
        if not some:
            continue
        trace = {
            "type": "scatter",
            "mode": "markers+text" if telling else "markers",
            "name": name,
            "legendgroup": name,
            "x": [frame.x(event.at) for event in some],
            "y": [at[event.sentinel] + 0.2 for event in some],
            "marker": {
                "color": INK if telling else PAPER, "size": 8 if telling else 7, "line": {"color": INK, "width": 1.2},
                "symbol": "diamond" if telling else "circle",
            },
            "customdata": [_hover(event, frame) for event in some],
            "hovertemplate": "%{customdata}<extra></extra>",
        }  # fmt: skip
        if telling:
            trace |= {"text": _labels(some, frame), "textposition": "top right", "textfont": {"color": INK, "size": 10}}
        yield trace


def _labels(events: Sequence[SentinelEvent], frame: Frame) -> list[str]:
    """Return each event's label where it has room in the view shown first, the weightier events first."""
    taken: dict[str, list[tuple[float, float]]] = {}
    shown: set[int] = set()
    for index in sorted(range(len(events)), key=lambda index: rank(events[index].event)):
        event = events[index]
        left = frame.px(frame.x(event.at))
        right = left + len(event.event) * CHARACTER_PX
        others = taken.setdefault(event.sentinel, [])
        if all(right < begin or left > end for begin, end in others):
            others.append((left, right))
            shown.add(index)
    return [escape(event.event) if index in shown else "" for index, event in enumerate(events)]


def _hover(event: SentinelEvent, frame: Frame) -> str:
    return (
        f"<b>{escape(event.event)}</b> {frame.x(event.at):+.3f} s<br>{escape(event.sentinel)}<br>{escape(event.text)}"
    )


def names(record: DrillRecord, frame: Frame, into: Rows) -> Iterator[Trace]:
    """Yield when a name's answer changed."""
    if not record.dns:
        return
    y = into.add("DNS changes")
    yield {
        "type": "scatter",
        "mode": "markers",
        "name": "DNS changes",
        "legendgroup": "dns",
        "x": [frame.x(change.at) for change in record.dns],
        "y": [y] * len(record.dns),
        "marker": {
            "symbol": ["triangle-down" if change.error else "triangle-up" for change in record.dns],
            "size": 9, "color": QUIET,
        },
        "customdata": [
            f"<b>{escape(change.host)}</b> {frame.x(change.at):+.3f} s<br>"
            + (escape(", ".join(change.addresses)) or f"does not resolve: {escape(change.error)}")
            for change in record.dns
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip
