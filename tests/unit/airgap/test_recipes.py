"""What the recipes must hold, whatever else changes in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airgap import bundle
from airgap.golang import SOURCES
from airgap.images.witness import LOCK
from airgap.versions import GO_TOOLS, GoTool

AIRGAP = Path(__file__).parents[3] / "airgap"
TEXTS = [
    path
    for path in sorted(AIRGAP.rglob("*"))
    if path.is_file() and path.name != "go.sum" and not re.search(r"/[._][^/]*cache", str(path))
]
HOSTS = (
    r"proxy\.golang|sum\.golang|goproxy|debian\.org|pypi|pythonhosted|registry\.|ghcr\.io|gcr\.io|quay\.io|"
    r"registry-1|hub\.docker|rancher/k3s:"
)
MACHINE = r"/work/|/root/|/home/"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(AIRGAP)))
def test_no_registry_host_and_no_path_of_one_machine(path: Path) -> None:
    """Where packages come from is the machine's setting, never this project's."""
    assert re.findall(rf"{HOSTS}|{MACHINE}", path.read_text()) == []


def test_every_go_folder_is_in_the_version_table() -> None:
    """And no other."""
    assert {folder.name for folder in SOURCES.iterdir()} == set(GO_TOOLS)


@pytest.mark.parametrize("tool", GO_TOOLS.values(), ids=lambda tool: tool.directory)
def test_go_mod_pins_the_version_of_the_table(tool: GoTool) -> None:
    """The table and the pinned content agree."""
    folder = SOURCES / tool.directory
    required = re.findall(r"^\s*(?:require )?(\S+) (v\S+)", (folder / "go.mod").read_text(), re.MULTILINE)
    assert not tool.module or (tool.module, tool.version) in required
    sums = (folder / "go.sum").read_text()
    for module, version in [(tool.module, tool.version)] if tool.module else []:
        assert f"{module} {version} h1:" in sums, f"go.sum does not pin the content of {module}"


@pytest.mark.parametrize("tool", GO_TOOLS.values(), ids=lambda tool: tool.directory)
def test_every_file_that_a_recipe_takes_from_a_tool_is_built(tool: GoTool) -> None:
    """Where Go names the files, it names them so."""
    assert tool.packages
    if len(tool.packages) > 1:  # go names the files itself then
        for name, package in tool.packages.items():
            assert name == (tool.directory if package == "." else package.rpartition("/")[2])


def test_kubernetes_replaces_every_staging_module_by_its_own_version() -> None:
    """One that is forgotten fails only after minutes of compiling."""
    text = (SOURCES / "kubernetes" / "go.mod").read_text()
    version = GO_TOOLS["kubernetes"].version.replace("v1.", "v0.")
    replaced = dict(re.findall(r"^\s+(k8s\.io/\S+) => \1 (\S+)$", text, re.MULTILINE))
    unpublished = set(re.findall(r"^\s+(k8s\.io/\S+) v0\.0\.0(?:\s|$)", text, re.MULTILINE))
    assert set(replaced.values()) == {version}
    assert unpublished <= set(replaced)


def test_every_locked_wheel_has_a_hash() -> None:
    """And an exact version."""
    requirements = re.split(r"^(?=[a-z])", LOCK.read_text(), flags=re.MULTILINE)[1:]
    assert {r.partition("==")[0].partition("[")[0] for r in requirements} >= {"redis", "hiredis", "uvloop", "aiohttp"}
    for requirement in requirements:
        assert re.match(r"[a-z0-9-]+(\[\w+\])?==\d", requirement), requirement[:60]
        assert "--hash=sha256:" in requirement, requirement[:60]


def test_every_logical_image_and_tool_has_its_step() -> None:
    """The interface of the harness."""
    plan = bundle.full_plan()
    named = {*bundle.IMAGE_STEPS.values(), *bundle.TOOL_STEPS.values(), bundle.NODE, "images"}
    assert named <= set(plan.steps)
    assert {"redis", "redis-exporter", "witness", "python", "injector"} <= set(bundle.IMAGE_STEPS)


def test_no_step_is_built_for_nothing() -> None:
    """Everything is reached from what a run uses."""
    plan = bundle.full_plan()
    assert set(plan.closure(["images", "node", *bundle.TOOL_STEPS.values()]).steps) == set(plan.steps)


def test_tools_alone_need_no_image() -> None:
    """A run on public images builds no Debian package."""
    plan = bundle.full_plan().closure(bundle.TOOL_STEPS.values())
    assert set(plan.steps) == {"go-k3d", "go-kubernetes"}


def test_an_unknown_name_is_one_clear_line() -> None:
    """The line lists the known ones."""
    with pytest.raises(Exception, match="unknown image or tool nginx: known are coredns, helper, injector"):
        bundle.build(progress=print, only=["nginx"])
