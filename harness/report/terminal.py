"""The last lines of a run in the terminal: verdict, each drill in one line, the phases of a change of primary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from harness.report import beyond
from harness.report.wording import seconds

COLOURS = {"GREEN": {"green": True}, "RED": {"red": True}, "INCOMPLETE": {"yellow": True}}
LONGEST_LINE = 240


def write(
    reporter: pytest.TerminalReporter, document: Mapping[str, Any], problems: Sequence[str], report_path: str
) -> None:
    """Print the summary; `problems` are those that came up after the document was made as well."""
    verdict = document["verdict"]
    reporter.write_sep("=", f"verdict: {verdict['name']}", bold=True, **COLOURS[verdict["name"]])
    for line in summary(document):
        reporter.write_line(line)
    for problem in problems:
        if problem not in verdict["reasons"]:
            reporter.write_line(f"! {problem}", red=True)
    reporter.write_line(f"report: {report_path}")


def summary(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines below the verdict."""
    verdict = document["verdict"]
    yield verdict["sentence"]
    yield from (f"! {reason}"[:LONGEST_LINE] for reason in verdict["reasons"])
    for test in document["tests"]:
        for record in test["drills"]:
            yield f"{test['outcome']:7} {record['sentence']}"
            if record["budget_sentence"]:
                yield f"        {record['budget_sentence']}"[:LONGEST_LINE]
            if record["new_primary"] not in {None, record["old_primary"]}:
                yield from (f"        {line}" for line in phase_table(record["phases"]))
    if words := beyond.sentence(document["run"]["beyond_fault"]):
        yield f"beyond their faults the drills took: {words}"
    yield from (f"not proved: {line}"[:LONGEST_LINE] for line in verdict["not_proved"])


def phase_table(phases: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the phases as aligned columns: name, time after the fault, time it took, note."""
    rows = [("phase", "after the fault", "took", "")]
    rows += [
        (p["name"], seconds(p["at_s"]), "" if p["took_s"] is None else seconds(p["took_s"]), p["note"]) for p in phases
    ]
    widest = max(len(row[0]) for row in rows)
    return [f"{name:{widest}}  {at:>15}  {took:>9}  {note}".rstrip() for name, at, took, note in rows]
