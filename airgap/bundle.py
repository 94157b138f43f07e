"""Everything that a run needs, built or taken from the cache."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from airgap.cache import Cache, default_root
from airgap.errors import AirgapError
from airgap.golang import go_step
from airgap.hostpackages import require_builders
from airgap.images import described, folder
from airgap.images.helper import helper_image
from airgap.images.injector import injector_base, injector_image
from airgap.images.node import node_base, node_image
from airgap.images.redis import redis_image
from airgap.images.single import single_image
from airgap.images.witness import witness_base, witness_image
from airgap.layer import ARCHIVE
from airgap.plan import Plan
from airgap.runner import Outcome, Progress, carry_out
from airgap.toolchain import require_go
from airgap.versions import GO_TOOLS

IMAGE_STEPS = {
    "redis": "redis",
    "redis-exporter": "redis-exporter",
    "witness": "witness",
    "python": "witness",  # a plain interpreter is part of it
    "injector": "injector",
    "pause": "pause",
    "coredns": "coredns",
    "helper": "helper",
}
"""Step by logical name."""

TOOL_STEPS = {"k3d": "go-k3d", "kubectl": "go-kubernetes"}
NODE = "node"


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """One image: ``archive`` can be imported by ``ctr images import`` and ``docker load``."""

    logical: str
    reference: str
    archive: Path
    image_id: str
    version: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was built.

    ``images_dir`` holds every archive but the node's own: mounted at
    /var/lib/rancher/k3s/agent/images, a node imports them when it starts.
    """

    tools: Mapping[str, Path]
    images: Mapping[str, BuiltImage]
    node_image: BuiltImage
    images_dir: Path
    built: tuple[str, ...]
    """Names of the steps that were not in the cache."""


def build(*, progress: Progress, only: Collection[str] | None = None) -> Bundle:
    """Build what is not cached yet; with everything cached nothing runs.

    ``only`` names logical images or tools: nothing else is built then, and
    asking the bundle for anything else is a mistake. Raises AirgapError.
    """
    plan = full_plan()
    if only is not None:
        unknown = set(only) - set(IMAGE_STEPS) - set(TOOL_STEPS) - {NODE}
        if unknown:
            raise AirgapError(f"unknown image or tool {', '.join(sorted(unknown))}: known are {', '.join(known())}")
        plan = plan.closure({NODE: NODE, **TOOL_STEPS, **IMAGE_STEPS}[name] for name in only)
    outcome = _carry_out(plan, progress)
    entries = {name: cache().entry(name, key) for name, key in plan.keys.items()}
    return Bundle(
        tools=MappingProxyType({name: entries[step] / name for name, step in TOOL_STEPS.items()}),
        images=MappingProxyType(
            {name: _image(name, entries[step]) for name, step in IMAGE_STEPS.items() if entries[step].is_dir()}
        ),
        node_image=_image(NODE, entries[NODE]) if entries[NODE].is_dir() else _absent(NODE),
        images_dir=entries[folder.NAME],
        built=outcome.built,
    )


def build_tools(*, progress: Progress) -> Mapping[str, Path]:
    """Only k3d and kubectl, for runs on public images where a tool is missing."""
    plan = full_plan().closure(TOOL_STEPS.values())
    entries = _carry_out(plan, progress).entries
    return MappingProxyType({name: entries[step] / name for name, step in TOOL_STEPS.items()})


def known() -> list[str]:
    """Names that ``build(only=...)`` takes."""
    return sorted({*IMAGE_STEPS, *TOOL_STEPS, NODE})


def cache() -> Cache:
    """The cache of this environment."""
    return Cache(default_root())


def full_plan() -> Plan:
    """All steps; the slowest compilation comes first so that the rest fits beside it."""
    return Plan.of(
        [
            *(go_step(tool) for tool in sorted(GO_TOOLS.values(), key=lambda t: t.directory != "kubernetes")),
            node_base(),
            redis_image(),
            witness_base(),
            witness_image(),
            injector_base(),
            injector_image(),
            helper_image(),
            single_image("pause", "pause", "pause", user="65535:65535"),
            single_image("coredns", "coredns", "coredns"),
            single_image("redis-exporter", "redis-exporter", "redis_exporter", user="59000:59000"),
            node_image(),
            folder.folder_step(sorted(set(IMAGE_STEPS.values()))),
        ]
    )


def _carry_out(plan: Plan, progress: Progress) -> Outcome:
    store = cache()
    missing = [name for name in plan.steps if not store.entry(name, plan.keys[name]).is_dir()]
    if missing:
        require_builders(progress)
    if any(name.startswith("go-") for name in missing):
        require_go(store, progress)
    outcome = carry_out(plan, store, progress)
    if outcome.built:
        store.discard(store.entry(name, key) for name, key in plan.keys.items())
    return outcome


def _image(logical: str, entry: Path) -> BuiltImage:
    found = described(entry)
    return BuiltImage(logical, found.reference, entry / ARCHIVE, found.image_id, found.version)


def _absent(logical: str) -> BuiltImage:
    return BuiltImage(logical, "", Path(), "", "")
