"""docs/run-json.md is the schema of run.json: what is written is documented, what is documented is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.artifacts import create_run, write_json
from harness.report.document import SCHEMA, document, unfinished
from harness.report.outcome import Result, judge
from tests.unit.report import sample

DESCRIPTION = Path(__file__).parents[3] / "docs" / "run-json.md"
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|", re.MULTILINE)
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "any": (str, int, float, bool, list, dict, type(None)),
}


def documented() -> dict[str, tuple[type, ...]]:
    rows = ROW.findall(DESCRIPTION.read_text(encoding="utf-8"))
    return {path: tuple(t for word in kinds.strip().split(" or ") for t in TYPES[word]) for path, kinds in rows}


def leaves(value: Any, path: str, known: dict[str, tuple[type, ...]]) -> Iterator[tuple[str, Any]]:
    """Yield each value with its path as the description writes it: free keys become `*`."""
    if known.get(path) == TYPES["any"] or not isinstance(value, dict | list):
        yield path, value
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, f"{path}[]", known)
    else:
        for key, inner in value.items():
            exact = f"{path}.{key}" if path else key
            free = f"{path}.*"
            named = any(one == exact or one.startswith((f"{exact}.", f"{exact}[")) for one in known)
            yield from leaves(inner, exact if named or not any(o.startswith(free) for o in known) else free, known)


@pytest.fixture
def full(tmp_path: Path) -> dict[str, Any]:
    """Return a run.json, read back from disk, in which every field has a value."""
    results = [
        Result("a.py::a", "A.", "check", "passed", 0.1, ["seen"], rerun="pytest a.py::a"),
        Result("b.py::b", "B.", "drill", "passed", 31.0, drills=[sample.unplanned(), sample.unplanned(gap_s=31.0)]),
        Result("c.py::c", "C.", "other", "failed", 0.2, [], "wrong", ["logs/c/index.txt"]),
        Result("d.py::d", "D.", "other", "skipped", 0.0, [], "why"),
    ]
    head = {
        "versions": {"Redis": "7.0.15"},
        "images": {
            "mode": "airgap",
            "images": {"redis": {"reference": "redis:7", "version": "7.0.15", "id": "sha256:1"}},
        },
        "provider": {"name": "k3d"},
        "nodes": ["agent-0"],
        "seed": 7,
        "settings": {"quorum": 2},
        "witness": {"rate": 1000},
    }
    run = create_run(tmp_path)
    write_json(run.run_json, document(run, judge(results), results, head=head, command="pytest"))
    loaded = json.loads(run.run_json.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_what_is_written_is_documented_with_its_type(full: dict[str, Any]) -> None:
    known = documented()

    for path, value in leaves(full, "", known):
        assert path in known, f"{path} is not in {DESCRIPTION.name}"
        is_bool = isinstance(value, bool)
        assert isinstance(value, known[path]), f"{path} is {value!r}"
        assert not is_bool or bool in known[path], f"{path} is {value!r}"


def test_what_is_documented_is_written(full: dict[str, Any]) -> None:
    known = documented()

    assert set(known) - {path for path, _ in leaves(full, "", known)} == set()


def test_the_number_of_the_schema_is_the_documented_one(full: dict[str, Any]) -> None:
    assert full["schema"] == SCHEMA
    assert f"number of this description: {SCHEMA} |" in DESCRIPTION.read_text(encoding="utf-8")


def test_images_are_listed_with_where_they_come_from_beside(full: dict[str, Any]) -> None:
    assert full["head"]["images"] == [{"name": "redis", "reference": "redis:7", "version": "7.0.15", "id": "sha256:1"}]
    assert full["head"]["image source"] == {"mode": "airgap"}


def test_a_run_that_has_only_begun_obeys_as_well(tmp_path: Path) -> None:
    known = documented()

    for path, value in leaves(unfinished(create_run(tmp_path), "pytest"), "", known):
        assert isinstance(value, known[path]), f"{path} is {value!r}"
