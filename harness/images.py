"""Which image stands behind each name: public ones by exact version, or those that airgap/ builds.

The manifests name upstream images, so that ``kubectl apply -k`` works without this suite; the exchange happens on the
rendered objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from types import MappingProxyType
from typing import Any, Literal

import yaml

from harness import own_images
from harness.errors import ImageError, ProviderError, ToolMissing
from harness.programs import run_program
from harness.settings import PROJECT

Progress = Callable[[str], None]

#: Public images by exact version. Each was seen in use under this tag; the manifests name the same ones.
UPSTREAM = MappingProxyType(
    {
        "redis": "redis:7.4.7-alpine",
        "redis-exporter": "oliver006/redis_exporter:v1.88.0",
        "python": "python:3.13.7-alpine",
    }
)
#: Built from this repository in either mode.
OWN = ("witness", "injector")
TOOLS = ("k3d", "kubectl")
K3D_CONFIG = PROJECT / "k3d-config.yaml"
#: `auto` gives the registry this long to answer: who has one gets an answer in well under a second.
UPSTREAM_ANSWERS_S = 5.0
ENGINE_ANSWERS_S = 20.0


@dataclass(frozen=True, slots=True)
class ImageSet:
    """The images and tools of one run."""

    mode: Literal["upstream", "airgap"]
    references: Mapping[str, str]  # by logical name
    node_image: str
    tools: Mapping[str, Path]  # k3d, kubectl
    why: str  # how the mode came about, for the report
    versions: Mapping[str, str] = field(default_factory=dict)  # of what is inside, where it is known
    ids: Mapping[str, str] = field(default_factory=dict)  # content ids, where they are known
    images_dir: Path | None = None  # archives that every node imports when it starts
    imports: tuple[str, ...] = ()  # images of the Docker engine that the nodes cannot pull
    k3d_tools_image: str | None = None  # what k3d runs as its tools container; None: its own, pulled

    def describe(self) -> dict[str, object]:
        """Return what the report's head says about images."""
        told = {
            name: {"reference": reference, "version": self.versions.get(name, ""), "id": self.ids.get(name, "")}
            for name, reference in sorted(self.references.items())
        }
        return {"mode": self.mode, "why": self.why, "node": self.node_image, "images": told}


def choose(wanted: str, progress: Progress) -> ImageSet:
    """Return the images of the run: `wanted` is upstream, airgap, or auto (upstream if a registry answers).

    Starts a Docker engine where none answers, and builds what has to be built. Raises ImageError, or ProviderError for
    the engine, or ToolMissing, in one line.
    """
    _ensure_engine(progress)  # first: without it, minutes of building would be for nothing
    if wanted == "airgap":
        return _airgap("asked for", progress)
    trouble = _no_upstream()
    if trouble is None:
        return _upstream("asked for" if wanted == "upstream" else "the public registry answers", progress)
    if wanted == "upstream":
        raise ImageError(f"--images upstream: {trouble}; --images airgap builds everything here")
    progress(f"images: built here, because {trouble}")
    return _airgap(trouble, progress)


def substitute(objects: Sequence[Mapping[str, Any]], image_set: ImageSet) -> list[dict[str, Any]]:
    """Return copies of `objects` with every container's image exchanged for the run's.

    An image is known by its logical name or by its upstream repository, whatever its tag. ImageError for any other.
    """
    exchanged = [deepcopy(dict(item)) for item in objects]
    for item in exchanged:
        for container in _containers(item):
            image = str(container.get("image", ""))
            name = _logical(image)
            if name is None or name not in image_set.references:
                about = f"{item.get('kind')} {item.get('metadata', {}).get('name')}, container {container.get('name')}"
                raise ImageError(f"{about}: image {image!r} is not in the table of harness/images.py: add it there")
            container["image"] = image_set.references[name]
    return exchanged


def images_of(objects: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return every image that the objects' containers name."""
    return {str(container.get("image", "")) for item in objects for container in _containers(item)}


def _containers(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all containers of an object that is a pod or makes pods."""
    spec = item.get("spec") or {}
    if item.get("kind") == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    pod = spec if item.get("kind") == "Pod" else (spec.get("template") or {}).get("spec") or {}
    for group in ("initContainers", "containers", "ephemeralContainers"):
        yield from pod.get(group) or []


def _logical(image: str) -> str | None:
    repository = _repository(image)
    names = {name: name for name in (*UPSTREAM, *OWN)} | {_repository(ref): name for name, ref in UPSTREAM.items()}
    return names.get(repository)


def _repository(image: str) -> str:
    """Strip digest, tag, the registry (it may be a mirror) and the prefix that official images imply."""
    path = re.sub(r":[^/:]*$", "", image.partition("@")[0])
    return re.sub(r"^([^/]*[.:][^/]*/)?(library/)?", "", path)


def _ensure_engine(progress: Progress) -> None:
    if which("docker") and run_program(["docker", "version", "--format", "ok"], seconds=ENGINE_ANSWERS_S).ok:
        return
    import airgap  # noqa: PLC0415 - see _tools

    try:
        airgap.ensure_engine(progress=progress)
    except airgap.AirgapError as error:
        raise ProviderError(str(error)) from error


# Upstream


def _no_upstream() -> str | None:
    """Say why public images cannot be had; None when they can."""
    node = _upstream_node()
    if run_program(["docker", "image", "inspect", "--format", "ok", node], seconds=UPSTREAM_ANSWERS_S).ok:
        return None  # it is here already, so a registry can be reached, or need not be
    asked = run_program(["docker", "manifest", "inspect", node], seconds=UPSTREAM_ANSWERS_S)
    if asked.ok:
        return None
    if asked.status is None:
        return f"the registry of {node} does not answer within {UPSTREAM_ANSWERS_S:.0f} s"
    cause = ": ".join(asked.telling().split(": ")[-2:])  # Go's errors wrap from the outside in
    return f"{node} cannot be had: {cause}"


def _upstream(why: str, progress: Progress) -> ImageSet:
    own = {name: own_images.build(name, progress) for name in OWN if own_images.exists(name)}
    references = {**UPSTREAM, **own}
    versions = {name: reference.rpartition(":")[2] for name, reference in UPSTREAM.items()}
    return ImageSet(
        mode="upstream",
        references=MappingProxyType(references),
        node_image=_upstream_node(),
        tools=_tools(progress),
        why=why,
        versions=MappingProxyType(versions),
        imports=tuple(own.values()),
    )


def _upstream_node() -> str:
    try:
        return str(yaml.safe_load(K3D_CONFIG.read_text(encoding="utf-8"))["image"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ImageError(f"{K3D_CONFIG.name} names no node image: {error}") from error


def _tools(progress: Progress) -> Mapping[str, Path]:
    """Return the tools of the PATH; what is missing is built."""
    found = {name: which(name) for name in TOOLS}
    missing = [name for name, path in found.items() if path is None]
    built: Mapping[str, Path] = {}
    if missing:
        import airgap  # noqa: PLC0415 - heavy, and not needed where the tools are there

        progress(f"tools: {' and '.join(missing)} missing, built here")
        try:
            built = airgap.build_tools(progress=progress)
        except airgap.AirgapError as error:
            raise ToolMissing(f"{' and '.join(missing)} is not installed and cannot be built: {error}") from error
    return MappingProxyType({name: Path(path) if path else built[name] for name, path in found.items()})


# Airgap


def _airgap(why: str, progress: Progress) -> ImageSet:
    import airgap  # noqa: PLC0415 - see _tools

    try:
        bundle = airgap.build(progress=progress)
        node = airgap.load_node_image(bundle, progress=progress)
    except airgap.AirgapError as error:
        raise ImageError(str(error)) from error
    chosen = {name: bundle.images[name] for name in (*UPSTREAM, *OWN) if name in bundle.images}
    return ImageSet(
        mode="airgap",
        references=MappingProxyType({name: image.reference for name, image in chosen.items()}),
        node_image=node,
        tools=bundle.tools,
        why=why,
        versions=MappingProxyType({name: image.version for name, image in chosen.items()}),
        ids=MappingProxyType({name: image.image_id for name, image in chosen.items()}),
        images_dir=bundle.images_dir,
        k3d_tools_image=node,  # it has the one command that k3d asks of a tools image
    )
