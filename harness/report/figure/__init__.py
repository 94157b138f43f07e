"""The interactive picture of a drill: a Plotly figure as plain values, and what the page needs to draw it offline.

The figure is a dict of Plotly's documented schema (https://plotly.com/javascript/reference/). Plotly's Python classes
would only check what a unit test checks as well, and cost each run of the suite their import.
"""

from harness.report.figure.assembly import figure
from harness.report.figure.embedding import figure_json, library

__all__ = ["figure", "figure_json", "library"]
