"""The last lines of a run in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest


def write(
    reporter: pytest.TerminalReporter, document: Mapping[str, Any], problems: Sequence[str], report_path: str
) -> None:
    """Print verdict, each drill's window against its limit, and where the report is."""
    verdict = document["verdict"]
    reporter.write_sep("=", f"verdict: {verdict['name']}")
    reporter.write_line(verdict["sentence"])
    for problem in problems:
        reporter.write_line(problem)
    reporter.write_line(f"report: {report_path}")
