from __future__ import annotations

import stat
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from harness import images as subject
from harness import own_images
from harness.errors import ImageError
from harness.images import K3D_CONFIG, OWN, UPSTREAM, ImageSet, choose, images_of, substitute
from harness.settings import PROJECT


def image_set(**references: str) -> ImageSet:
    """Return an image set with these references."""
    return ImageSet(
        mode="airgap",
        references=MappingProxyType(references),
        node_image="node:1",
        tools=MappingProxyType({}),
        why="asked for",
        versions=MappingProxyType({"redis": "7.0.15"}),
    )


def pod(*images: str, init: str | None = None) -> dict[str, Any]:
    """Return a pod's spec with these images."""
    spec: dict[str, Any] = {"containers": [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]}
    return {**spec, "initContainers": [{"name": "i", "image": init}]} if init else spec


def program(folder: Path, name: str, text: str) -> None:
    """Write a stand-in for a program."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_every_container_gets_the_runs_image() -> None:
    """Containers and init containers of whatever makes pods are exchanged; the originals are not touched."""
    template = {"template": {"spec": pod("redis:7.4.7-alpine", init="library/redis")}}
    objects = [
        {"kind": "StatefulSet", "metadata": {"name": "s"}, "spec": template},
        {"kind": "Pod", "metadata": {"name": "w"}, "spec": pod("witness")},
        {
            "kind": "CronJob",
            "metadata": {"name": "j"},
            "spec": {"jobTemplate": {"spec": {"template": {"spec": pod("redis")}}}},
        },
        {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"image": "redis"}},
        {"kind": "Service", "metadata": {"name": "n"}, "spec": {"ports": []}},
    ]

    exchanged = substitute(objects, image_set(redis="r:1", witness="w:1"))

    assert images_of(exchanged) == {"r:1", "w:1"}
    assert images_of(objects) == {"redis:7.4.7-alpine", "library/redis", "witness", "redis"}
    assert exchanged[3:] == objects[3:]


@pytest.mark.parametrize(
    "image",
    [
        "redis",
        "redis:7",
        "redis@sha256:abc",
        "redis:7@sha256:abc",
        "library/redis:7",
        "registry.example/library/redis:7",
        "localhost:5000/redis:7",
    ],
)
def test_image_is_known_by_its_repository(image: str) -> None:
    """Tag, digest and registry do not matter: the table decides the version."""
    exchanged = substitute([{"kind": "Pod", "metadata": {"name": "p"}, "spec": pod(image)}], image_set(redis="r:1"))

    assert images_of(exchanged) == {"r:1"}


@pytest.mark.parametrize("image", ["busybox:1", "someone/redis:7", "", "python:3"])
def test_unknown_image_is_refused(image: str) -> None:
    """An image that the run has no equivalent for is named with its object and container."""
    with pytest.raises(ImageError, match=r"^Pod p, container c0: image .* is not in the table of harness/images\.py"):
        substitute([{"kind": "Pod", "metadata": {"name": "p"}, "spec": pod(image)}], image_set(redis="r:1"))


def test_manifests_name_the_images_of_the_table() -> None:
    """The manifests and the table agree on every public image and version, so both ways deploy the same."""
    objects = [
        item
        for path in sorted((PROJECT / "manifests" / "base").glob("[0-9]*.yaml"))
        for item in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if item
    ]

    assert images_of(objects) == set(UPSTREAM.values())


def test_own_images_have_what_they_are_built_from() -> None:
    """Each image of our own that a Dockerfile exists for can be named by the content of its folder."""
    built = [name for name in OWN if own_images.exists(name)]

    assert "witness" in built
    for name in built:
        digest = own_images._content_hash(PROJECT / name)
        assert len(digest) == 12
        assert digest == own_images._content_hash(PROJECT / name)


def test_cluster_shape_pins_an_exact_node_image() -> None:
    """The upstream node image has an exact version, not a channel."""
    image = yaml.safe_load(K3D_CONFIG.read_text(encoding="utf-8"))["image"]

    assert image == subject._upstream_node()
    assert image.partition(":")[2].startswith("v1.")
    assert image.endswith("-k3s1")


def test_upstream_without_a_registry_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for public images where none can be had, the run says so at once and what to do."""
    program(tmp_path, "docker", '[ "$1" = version ] && exit 0; echo "no such host" >&2; exit 1')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    with pytest.raises(ImageError, match=r"^--images upstream: rancher/k3s:\S+ cannot be had: no such host; --images"):
        choose("upstream", print)


def test_registry_that_does_not_answer_costs_the_probe_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry behind a wall that swallows packets is given up on after the hard limit."""
    program(tmp_path, "docker", '[ "$1" = image ] && exit 1; [ "$1" = manifest ] && exec sleep 30; exit 0')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(subject, "UPSTREAM_ANSWERS_S", 0.2)

    assert str(subject._no_upstream()).startswith("the registry of rancher/k3s:")


def test_upstream_is_taken_where_a_registry_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a registry and the tools there, public images are taken and our own are built beside them."""
    for tool in ("docker", "k3d", "kubectl"):
        program(tmp_path, tool, "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    got = choose("auto", print)

    assert got.mode == "upstream"
    assert got.references["redis"] == UPSTREAM["redis"]
    assert got.references["witness"].startswith("redis-e2e/witness:")
    assert got.references["witness"] in got.imports
    assert got.tools["k3d"] == tmp_path / "k3d"


def test_description_names_version_and_reference() -> None:
    """The report's head can say which image stood behind each name."""
    told = image_set(redis="r:1").describe()

    assert told["mode"] == "airgap"
    assert told["images"] == {"redis": {"reference": "r:1", "version": "7.0.15", "id": ""}}
