"""What lies over all lanes: the fault's instant, windows without acknowledged operations, the limit."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from harness.report.figure.frame import Frame
from harness.report.figure.operations import Lane
from harness.report.record import DrillRecord, Window
from harness.report.wording import seconds, write_limit

SHADES = {"write": ("var(--shade)", 0.14), "read": ("var(--info)", 0.16)}


def shapes(record: DrillRecord, frame: Frame, lanes: Sequence[Lane]) -> list[dict[str, Any]]:
    """Return the shaded stretches and the lines, as Plotly's shapes; another group's window shades its lane only."""
    own = {lane.group: f"y{number} domain" for number, lane in enumerate(lanes, start=2) if lane.group}
    zero = _line(0.0, "var(--fault)", "solid")
    windows = []
    seen: set[str] = set()
    for window in record.windows:
        colour, opacity = SHADES.get(window.kind, SHADES["write"])
        windows.append(
            {
                "type": "rect",
                "xref": "x",
                "yref": own.get(window.group, "paper"),
                "x0": frame.x(window.start),
                "x1": frame.end(window.end),
                "y0": 0,
                "y1": 1,
                "fillcolor": colour,
                "opacity": opacity,
                "line": {"width": 0},
                "layer": "below",
                "name": f"no acknowledged {escape(window.kind)}",
                "legendgroup": f"no {window.kind}",
                "showlegend": window.kind not in seen,
            }
        )
        seen.add(window.kind)
    limit = _limit_at(record, frame)
    return [*windows, zero, *([_line(limit, "var(--fail)", "dash")] if limit is not None else [])]


def notes(record: DrillRecord, frame: Frame) -> list[dict[str, Any]]:
    """Return the words beside them: how long nothing was acknowledged, where the limit lies."""
    found = [
        _note((frame.x(window.start) + frame.end(window.end)) / 2, "y2 domain", 0.62 if window.kind == "write" else 0.3,
              _words(window, frame))
        for window in record.windows
        if not window.group
    ]  # fmt: skip
    limit = _limit_at(record, frame)
    if limit is not None:
        window = record.longest_write_window
        allowed = write_limit(record, window)
        words = f"limit {allowed.limit_s:g} s" if allowed else ""
        found.append(_note(limit, "paper", 1.0, words) | {"xanchor": "right", "yanchor": "bottom"})
    return [note for note in found if note["text"]]


def _words(window: Window, frame: Frame) -> str:
    full = f"no acknowledged {escape(window.kind)}: {seconds(window.duration_s)}"
    start, end = frame.x(window.start), frame.end(window.end)
    short = seconds(window.duration_s)
    return next((words for words in (full, short) if frame.fits(f"<b>{words}", start, end)), "")


def _limit_at(record: DrillRecord, frame: Frame) -> float | None:
    window = record.longest_write_window
    limit = write_limit(record, window)
    return None if window is None or limit is None else frame.x(window.start) + limit.limit_s


def _line(x: float, colour: str, dash: str) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1,
        "line": {"color": colour, "width": 1.5, "dash": dash},
    }  # fmt: skip


def _note(x: float, yref: str, y: float, words: str) -> dict[str, Any]:
    return {
        "x": round(x, 3), "xref": "x", "yref": yref, "y": y, "text": f"<b>{words}</b>" if words else "",
        "showarrow": False, "font": {"color": "var(--fail)", "size": 12},
    }  # fmt: skip
