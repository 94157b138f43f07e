"""The page: HTML out of the run's document. Everything is inlined, and readable without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.artifacts import file_name
from harness.report import beyond
from harness.report.figure import figure, figure_json, library
from harness.report.outcome import Result
from harness.report.record import DrillRecord
from harness.report.tables import tables
from harness.report.timeline import draw
from harness.report.wording import seconds

HERE = Path(__file__).parent
CSS = HERE / "report.css"

TONES = {"GREEN": "good", "RED": "bad", "INCOMPLETE": "unsure"}
TONES |= {
    "passed": "good",
    "failed": "bad",
    "error": "bad",
    "skipped": "unsure",
    "xfailed": "unsure",
    "not run": "unsure",
}
MARKS = {"GREEN": "✔", "RED": "✘", "INCOMPLETE": "?"}
MARKS |= {"good": "✔", "bad": "✘", "unsure": "-"}
MARKS |= {"passed": "✔", "failed": "✘", "error": "✘", "skipped": "-", "xfailed": "-", "not run": "?"}
WORST_FIRST = ("failed", "error", "not run", "passed", "xfailed", "skipped")
#: Keys of the head that have a place of their own in the page; others are listed under their name.
PLACED = {"images", "seed", "nodes"}
#: As many sentences on what was proved are shown at once; more are folded away.
FEW_LINES = 6
#: As many faults of a drill are named in its headline.
MOST_FAULTS = 3


def body(document: Mapping[str, Any], results: Sequence[Result]) -> str:
    """Return the part above pytest-html's own table: verdict, facts of the run, drills, checks."""
    rows = [
        _row(row, result)
        for row, result in sorted(
            zip(document["tests"], results, strict=True), key=lambda pair: WORST_FIRST.index(pair[1].outcome)
        )
    ]
    verdict = document["verdict"]
    seed = document["head"]["seed"]
    return (
        _environment()
        .get_template("body.html.j2")
        .render(
            run=document["run"],
            verdict=verdict,
            tone=TONES[verdict["name"]],
            mark=MARKS[verdict["name"]],
            counts=_counts(document["counts"]),
            checks=_checks(results),
            facts=_facts(document),
            images=document["head"]["images"],
            seed_option="" if seed is None else f"--chaos-seed={seed}",
            drills=[row for row in rows if row["kind"] == "drill"],
            tables=[
                (title, [r for r in rows if r["kind"] == kind])
                for title, kind in (("Checks", "check"), ("Other tests", "other"))
            ],
            tones=TONES,
            marks=MARKS,
            seconds=seconds,
            few=FEW_LINES,
            library=_library() if any(one["figure"] for row in rows for one in row["records"]) else "",
        )
    )


def unfinished(document: Mapping[str, Any]) -> str:
    """Return a whole page for a run that has begun: what is found when it was killed."""
    css = Markup(CSS.read_text(encoding="utf-8"))  # noqa: S704  our own file
    return _environment().get_template("unfinished.html.j2").render(**document, css=css)


def property_cell(text: str) -> str:
    """Return the table cell of a test's property."""
    return f'<td class="col-property">{escape(text)}</td>'


def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined)


def _row(row: Mapping[str, Any], result: Result) -> dict[str, Any]:
    records = [
        {**one, **tables(record), **_pictures(record), "felled": _felled(record, one["sentence"])}
        for one, record in zip(row["drills"], result.drills, strict=True)
    ]
    tone = "unsure" if row["contradictions"] else TONES[row["outcome"]]
    return {**row, "records": records, "tone": tone, "anchor": file_name(row["test"])}


def _felled(record: DrillRecord, sentence: str) -> str:
    """Return what was done to whom, where the sentence of the drill does not begin with it."""
    faults = list(dict.fromkeys(f"{fault.name}({fault.target})" for fault in record.faults))
    shown = [*faults[:MOST_FAULTS], *([f"{len(faults) - MOST_FAULTS} more"] if len(faults) > MOST_FAULTS else [])]
    return "" if faults and sentence.startswith(faults[0]) else ", ".join(shown)


def _pictures(record: DrillRecord) -> dict[str, Markup]:
    """Return the static picture and the figure for the page's script; both escape every text."""
    drawn = figure(record)
    return {
        "picture": Markup(draw(record)),  # noqa: S704
        "figure": Markup(figure_json(drawn) if drawn else ""),  # noqa: S704
    }


def _library() -> Markup:
    return Markup(library())  # noqa: S704  Plotly's own file and ours


def _counts(counts: Mapping[str, int]) -> str:
    shown = [f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if number or name == "passed"]
    return ", ".join(shown)


def _checks(results: Sequence[Result]) -> str:
    """Return how the checks ended, in one line; empty when none was among the tests."""
    checks = [result.outcome for result in results if result.kind == "check"]
    others = [
        f"{checks.count(outcome)} {outcome}" for outcome in WORST_FIRST if outcome in checks and outcome != "passed"
    ]
    return ", ".join([f"{checks.count('passed')} of {len(checks)} checks hold", *others]) if checks else ""


def _when(stamp: str | None) -> str:
    return stamp.replace("T", " ").replace("+00:00", " UTC") if stamp else ""


def _facts(document: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the head in titled groups of name and value, without the empty ones."""
    run, head = document["run"], document["head"]
    times = [("started", _when(run["started_at"])), ("took", seconds(run["took_s"]))]
    times += [("beyond the faults", beyond.sentence(run["beyond_fault"]))]
    about = [*times, ("run", run["id"]), ("seed", _value(head["seed"])), ("nodes", _value(head["nodes"]))]
    groups = [("Run", [(name, value) for name, value in about if value])]
    for key, value in head.items():
        if key not in PLACED and value:
            entries = value.items() if isinstance(value, Mapping) else [("", value)]
            groups.append((key.replace("_", " ").capitalize(), [(str(name), _value(inner)) for name, inner in entries]))
    return groups


def _value(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_value(inner) for inner in value)
    return str(value)
