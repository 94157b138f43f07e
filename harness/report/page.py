"""The page: HTML out of the run's document. Everything in it is static, inlined and readable without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from harness.report.record import DrillRecord


def body(document: Mapping[str, Any]) -> str:
    """Return the part above pytest-html's own table: verdict, head, drills, checks."""
    verdict = document["verdict"]
    return f"<h2>{escape(verdict['name'])}</h2><p>{escape(verdict['sentence'])}</p>"


def unfinished(document: Mapping[str, Any]) -> str:
    """Return a whole page for a run that has begun."""
    return f"<!DOCTYPE html><meta charset='utf-8'><title>unfinished run</title>{body(document)}"


def property_cell(text: str) -> str:
    """Return the table cell of a test's property."""
    return f'<td class="col-property">{escape(text)}</td>'


def drill_sentence(record: DrillRecord) -> str:
    """Return what a drill found, in one sentence."""
    window = record.longest_write_window
    return f"writes stood still for {window.duration_s:.2f} s" if window else record.outcome
