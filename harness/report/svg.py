"""The few SVG elements that the timeline needs, escaped and rounded to a tenth of a pixel."""

from __future__ import annotations

from html import escape


def rect(x: float, y: float, width: float, height: float, css: str, *, title: str = "") -> str:
    """Return a rectangle; `css` is its class, `title` what a pointer over it shows."""
    return _element("rect", css, title, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0))


def line(x1: float, y1: float, x2: float, y2: float, css: str, *, title: str = "") -> str:
    """Return a straight line."""
    return _element("line", css, title, x1=x1, y1=y1, x2=x2, y2=y2)


def circle(x: float, y: float, radius: float, css: str, *, title: str = "") -> str:
    """Return a dot."""
    return _element("circle", css, title, cx=x, cy=y, r=radius)


def path(data: str, css: str) -> str:
    """Return a path of ready-made path data."""
    return f'<path class="{css}" d="{data}"/>' if data else ""


def text(x: float, y: float, words: str, css: str) -> str:
    """Return one line of text with its baseline at `y`."""
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float) -> str:
    """Return the path data of a rectangle, so that many of one kind fit into one element."""
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


def _element(name: str, css: str, title: str, **numbers: float) -> str:
    attributes = " ".join(f'{key}="{value:.1f}"' for key, value in numbers.items())
    inner = f"<title>{escape(title)}</title>" if title else ""
    return f'<{name} class="{css}" {attributes}>{inner}</{name}>'
