"""docs/run-json.md and docs/run.schema.json describe run.json: neither leaves out what is written, nor says more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from harness.artifacts import create_run, write_json
from harness.report.document import SCHEMA, document, unfinished
from harness.report.outcome import Result, judge
from tests.unit.report import sample, sample_trouble

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "run.schema.json"
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
        Result("e.py::e", "E.", "drill", "passed", 31.0, drills=[sample_trouble.paused(), sample_trouble.tilt()]),
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


def schema() -> dict[str, Any]:
    loaded = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def complaints(document: Any, against: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(against).iter_errors(document)]


def closed(node: Any) -> Any:
    """Return a schema that refuses what it does not describe: drift shows, where a reader would be lenient."""
    if isinstance(node, list):
        return [closed(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    inner = {key: closed(value) for key, value in node.items()}
    return inner | (
        {"additionalProperties": False} if "required" in node and "additionalProperties" not in node else {}
    )


def described(node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield the path of each value that a schema describes, as the table writes it."""
    inner = {f"{path}.{name}" if path else name: one for name, one in node.get("properties", {}).items()}
    if isinstance(node.get("additionalProperties"), dict):
        inner[f"{path}.*"] = node["additionalProperties"]
    if "items" in node:
        inner[f"{path}[]"] = node["items"]
    if not inner or "null" in node.get("type", []):
        yield path
    for name, one in inner.items():
        yield from described(one, name)


def test_what_is_written_obeys_the_schema_and_is_described_by_it(full: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema())

    assert complaints(full, schema()) == []
    assert complaints(full, closed(schema())) == []


def test_a_run_that_has_only_begun_obeys_the_schema(tmp_path: Path) -> None:
    assert complaints(unfinished(create_run(tmp_path), "pytest"), closed(schema())) == []


def test_the_schema_and_the_table_describe_the_same() -> None:
    assert set(described(schema())) == set(documented())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema"], 2),
        (["verdict", "name"], "YELLOW"),
        (["run", "took_s"], "31 s"),
        (["counts", "failed"], -1),
        (["tests", 1, "outcome"], "ok"),
        (["tests", 1, "drills", 0, "lost"], 0.5),
        (["tests", 1, "drills", 0, "windows", 0, "start"], None),
        (["tests", 1, "drills", 0, "budget", 0, "held"], "yes"),
        (["tests", 1, "drills", 0, "views", "redis-sentinel-0", 0, "flags"], None),
        (["tests", 1, "drills", 0, "witness"], []),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(full: dict[str, Any], path: list[Any], value: Any) -> None:
    place: Any = full
    for step in path[:-1]:
        place = place[step]
    assert place[path[-1]] != value
    place[path[-1]] = value

    found = complaints(full, schema())
    assert len(found) == 1
    assert f"{path[-1]}" in found[0]


@pytest.mark.parametrize("name", ["schema", "verdict", "tests"])
def test_a_missing_part_is_refused(full: dict[str, Any], name: str) -> None:
    del full[name]

    assert complaints(full, schema()) == [f"$: '{name}' is a required property"]
