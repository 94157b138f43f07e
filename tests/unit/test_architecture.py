"""The layers of docs/architecture.md, checked by walking the imports: an unenforced rule rots."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HARNESS = PROJECT / "harness"

#: Lowest first; a module may import from its own layer's package and from any layer below it.
LAYERS: list[set[str]] = [
    {"errors"},
    {"values"},
    {"settings", "artifacts", "clock", "history", "programs", "leftovers"},
    {"wait", "checkers"},
    {"timeline", "cluster", "own_images"},
    {"images", "diagnosis", "replay"},
    {"deploy", "workload", "judgement"},
    {"providers", "sut"},
    {"properties", "budget"},
    {"observations"},
    {"witness_pod", "faults", "clients"},
    {"report"},
    {"drill_record"},
    {"drill"},
    {"nemesis"},
    {"progress", "plugin", "up", "down", "heal", "command_line"},
    {"fixtures"},
]

#: Who alone may import a package: everybody else goes through them.
SOLE_USERS = {
    "kubernetes": {"harness/cluster"},
    "tenacity": {"harness/cluster"},
    "pytest": {"harness/plugin.py", "harness/fixtures.py", "harness/progress.py", "harness/report"},
    "pytest_html": {"harness/report"},
    "subprocess": {"harness/programs.py"},
}


def modules() -> list[Path]:
    return sorted(HARNESS.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "harness":
                yield from (f"harness.{alias.name}" for alias in node.names)
            yield node.module


def package_of(path: Path) -> str:
    first = path.relative_to(HARNESS).parts[0]
    return first.removesuffix(".py")


def layer_of(package: str) -> int:
    return next((number for number, layer in enumerate(LAYERS) if package in layer), -1)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_imports_lead_downwards(path: Path) -> None:
    """No module of the harness imports from a higher layer, nor from another package of its own layer."""
    package = package_of(path)
    if package == "__init__" or path.name == "__main__.py":  # a program may start whatever there is
        return
    assert layer_of(package) >= 0, f"{package} is in no layer: add it to LAYERS and to docs/architecture.md"

    upwards = {
        name
        for name in imports(path)
        if name.startswith("harness.")
        and (other := name.split(".")[1]) != package
        and layer_of(other) >= layer_of(package)
    }

    assert not upwards, f"{path.name} imports upwards: {sorted(upwards)}"


@pytest.mark.parametrize("library", SOLE_USERS)
def test_each_library_has_one_home(library: str) -> None:
    """What the façade of a library hides stays hidden."""
    homes = SOLE_USERS[library]
    users = {
        str(path.relative_to(PROJECT))
        for path in modules()
        if any(name.split(".")[0] == library for name in imports(path))
    }
    strangers = {user for user in users if not any(user.startswith(home) for home in homes)}

    assert not strangers, f"{library} is imported outside {sorted(homes)}"


@pytest.mark.parametrize("path", sorted((PROJECT / "tests").rglob("test_*.py")), ids=lambda path: path.stem)
def test_the_word_is_reserved_for_its_drills(path: Path) -> None:
    """`pytest -k failover` is an interface: no other test has the word in its id."""
    if path == PROJECT / "tests" / "drills" / "test_failover.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    named = [name for name in [str(path.relative_to(PROJECT)), *names] if "failover" in name.lower()]

    assert not named or all(not name.startswith(("test", "Test")) for name in named), named


def test_modules_stay_small() -> None:
    """At 400 lines a module is split; 250 is the aim."""
    long = {
        str(path.relative_to(PROJECT)): lines
        for folder in ("harness", "witness", "injector", "airgap", "tests")
        for path in (PROJECT / folder).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }

    assert not long
