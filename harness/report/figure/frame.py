"""What the lanes of a figure share: the clock, the rows, the colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, TypeAlias

from harness.report.axis import Axis

Trace: TypeAlias = dict[str, Any]

#: Colours are names of the page's style sheet: the page's script puts in their values, light or dark, when it draws.
INK, QUIET, PAPER, RULE = "var(--ink)", "var(--quiet)", "var(--paper)", "var(--rule)"
CHARACTER_PX = 6.2  # advance of an 11 px label
PLOT_PX = 900.0  # the width of the plot in a window of 1280 px, in which labels must not touch

#: Roles of a seat: fill, pattern, colour of the pattern, colour of the text. Told apart without seeing a colour.
LOOKS: dict[str, tuple[str, str, str, str]] = {
    "primary": ("var(--primary)", "", "var(--primary)", PAPER),
    "replica": ("var(--replica)", "", "var(--replica)", "var(--on-replica)"),
    "unreachable": (PAPER, "x", "var(--gone)", INK),
    "loading": ("var(--other)", "/", "var(--on-other)", "var(--on-other)"),
    "other": ("var(--other)", ".", "var(--on-other)", "var(--on-other)"),
}


@dataclass(slots=True)
class Rows:
    """The rows of the upper part, from the top down, each with its height in units of one bar."""

    labels: list[str] = field(default_factory=list)
    middles: list[float] = field(default_factory=list)
    depth: float = 0.0

    def add(self, label: str, height: float = 1.0) -> float:
        """Add a row below the others; return the y of its middle (downwards is negative)."""
        middle = -(self.depth + height / 2)
        self.labels.append(escape(label))
        self.middles.append(middle)
        self.depth += height
        return middle


@dataclass(frozen=True, slots=True)
class Frame:
    """What every lane is drawn in: the instant that counts as zero, the stretch shown first, the end of all that is."""

    zero: float
    axis: Axis
    last: float

    def x(self, instant: float) -> float:
        """Return seconds since the fault, rounded to a millisecond."""
        return round(instant - self.zero, 3)

    def end(self, instant: float | None) -> float:
        """Return where something ends; what never ended reaches to the end of all that is known."""
        return self.last if instant is None else self.x(instant)

    def px(self, length_s: float) -> float:
        """Return how wide a stretch is in the view shown first."""
        return length_s / (self.axis.end - self.axis.start) * PLOT_PX

    def shown(self, x: float) -> float:
        """Return where a label stands that belongs at `x`: at the edge, if that lies before what is shown first."""
        return max(x, round(self.axis.start, 3))

    def fits(self, text: str, start: float, end: float) -> bool:
        """Whether a label has room in a stretch, as far as it is shown first."""
        seen = min(end, self.axis.end) - max(start, self.axis.start)
        return self.px(seen) > len(text) * CHARACTER_PX + 8


def bars(name: str, group: str, y: list[float], begin: list[float], end: list[float], **more: Any) -> Trace:
    """Return horizontal bars from `begin` to `end`, in seconds since the fault."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": escape(name),
        "legendgroup": group,
        "y": y,
        "base": begin,
        "x": [round(right - left, 3) for left, right in zip(begin, end, strict=True)],
        **more,
    }


def words(group: str, placed: list[tuple[float, float, str, str]], colour: str) -> Trace:
    """Return labels of a group, each at x, y, to the "right" or to the "left" of it; they go with the group's bars."""
    return {
        "type": "scatter",
        "mode": "text",
        "legendgroup": group,
        "showlegend": False,
        "hoverinfo": "skip",
        "x": [x for x, _, _, _ in placed],
        "y": [y for _, y, _, _ in placed],
        "text": [f"\u00a0{escape(text)}\u00a0" for _, _, text, _ in placed],
        "textposition": [f"middle {side}" for _, _, _, side in placed],
        "textfont": {"color": colour, "size": 11},
    }
