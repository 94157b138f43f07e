"""The content of ``run.json``, which is also all that the page is drawn from. Described in docs/run-json.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from typing import Any

from harness.artifacts import Run
from harness.report import beyond
from harness.report.outcome import OUTCOMES, Result, Verdict
from harness.report.wording import drill_sentence

#: Raised when a field goes away or changes its meaning; new fields do not raise it.
SCHEMA = 1

#: What the head of a run always holds; whoever knows the values fills them in, more keys are shown as they are.
EMPTY_HEAD: Mapping[str, Any] = {
    "versions": {},
    "images": [],
    "provider": {},
    "nodes": [],
    "seed": None,
    "settings": {},
}


def document(
    run: Run, verdict: Verdict, results: Sequence[Result], *, head: Mapping[str, Any], command: str, deselected: int = 0
) -> dict[str, Any]:
    """Return the run as plain JSON values; `ended_at` is now."""
    ended_at = datetime.now(UTC)
    tests = [_test(result) for result in results]
    counts = Counter(result.outcome for result in results)
    return {
        "schema": SCHEMA,
        "run": {
            "id": run.run_id,
            "started_at": run.started_at.isoformat(timespec="seconds"),
            "ended_at": ended_at.isoformat(timespec="seconds"),
            "took_s": round((ended_at - run.started_at).total_seconds(), 1),
            "command": command,
            "beyond_fault": beyond.of_run(tests),
        },
        "verdict": asdict(verdict),
        "counts": {outcome.replace(" ", "_"): counts[outcome] for outcome in OUTCOMES} | {"deselected": deselected},
        "head": _head(head),
        "tests": tests,
    }


def unfinished(run: Run, command: str) -> dict[str, Any]:
    """Return the document of a run that has begun: what is found when it was killed before it could write its own."""
    reason = "The run has not ended yet, or it was killed before it could write its report."
    verdict = Verdict("INCOMPLETE", reason, [reason], [])
    started = document(run, verdict, [], head={}, command=command)
    started["run"] |= {"ended_at": None, "took_s": None}
    return started


def _head(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return the head with every promised key, even where whoever filled it in left some out."""
    known: dict[str, Any] = plain({**EMPTY_HEAD, **head})
    images = known["images"]
    if isinstance(images, dict):  # as ImageSet.describe() tells it: where they come from, and the images by name
        known["image source"] = {key: value for key, value in images.items() if key != "images"}
        images = [{"name": name, **image} for name, image in images["images"].items()]
    known["images"] = [{"name": "", "reference": "", "version": "", "id": ""} | image for image in images]
    return known


def _test(result: Result) -> dict[str, Any]:
    inner = {"drills", "met_broken_set_up"}
    fields = {one.name: getattr(result, one.name) for one in dataclass_fields(result) if one.name not in inner}
    drills = [{"sentence": drill_sentence(record), **record.to_json()} for record in result.drills]
    return {
        **plain(fields),
        "beyond_s": beyond.beyond_s(result.seconds, result.drills),
        "contradictions": result.contradictions,
        "drills": plain(drills),
    }


def plain(value: object) -> Any:
    """Return `value` with only what JSON knows: paths, times and the like become their text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, bool | int | str | None):
        return value
    if isinstance(value, float):
        return value
    return str(value)
