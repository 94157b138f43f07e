"""How a figure and Plotly's library get into the page: inlined, so that the page works offline and from a file."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

#: Draws the figures of the page; see there.
SCRIPT = Path(__file__).with_name("draw.js")


def figure_json(figure: dict[str, Any]) -> str:
    """Return a figure as JSON for a script element: no text in it can end that element or begin a comment."""
    text = json.dumps(figure, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def library() -> str:
    """Return Plotly's library and the script that draws with it, to be inlined once (about 4.8 MB)."""
    plotly = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    return f"{plotly}\n{SCRIPT.read_text(encoding='utf-8')}"
