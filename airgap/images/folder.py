"""The folder that every node mounts: the images as archives, and unpacked once for all nodes.

A node that imports archives reads and writes each of them; four nodes on one
machine do so four times, and hold four copies in memory. So the images are
unpacked here, by the node's own containerd, into a store that nodes only link
to: their containerd starts with all images present, and equal files are one
file to the kernel.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from airgap import commands
from airgap.errors import AirgapError
from airgap.layer import ARCHIVE
from airgap.plan import Lane, Step, Work
from airgap.programs import loader

NAME = "images"
MOUNTED = Path("/var/lib/rancher/k3s/agent/images")
"""Where the folder lies in a node: k3s imports the archives there by itself."""

STORE = "store"
SEED = "seed"
CONTENT = Path("io.containerd.content.v1.content/blobs/sha256")
SNAPSHOTS = Path("io.containerd.snapshotter.v1.overlayfs/snapshots")
SCRIPT = Path(__file__).parent / "unpack-images.sh"


def folder_step(images: Sequence[str]) -> Step:
    """The step that gathers the archives of the named image steps and, for root, unpacks them."""
    may_mount = os.geteuid() == 0

    def gather(work: Work) -> None:
        for name in images:
            os.link(work.needs[name] / ARCHIVE, work.output / f"{name}.tar")
        if may_mount:
            _unpack(work)

    return Step(NAME, Lane.UNPACK, (f"unpacked {may_mount}", SCRIPT, Path(__file__)), gather, (*images, "node-base"))


def _unpack(work: Work) -> None:
    root = work.scratch / "containerd"
    programs = work.needs["node-base"] / "root"
    loading = loader(programs)
    archives = sorted(work.output.glob("*.tar"))
    commands.run(
        # A mount namespace of its own, so that nothing stays mounted whatever happens.
        [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", SCRIPT),
            *(root, programs / "usr/bin", str(len(loading)), *loading, *archives),
        ],
        log=work.log,
        timeout=300,
    )
    _split(root, work.output)


def _split(root: Path, output: Path) -> None:
    """The bulk goes to the shared store; the seed has links in its places, and is what a node copies."""
    store = output / STORE
    for kind, places in (
        ("blobs", sorted((root / CONTENT).iterdir())),
        ("snapshots", sorted((root / SNAPSHOTS).glob("*/fs"))),
    ):
        (store / kind).mkdir(parents=True)
        for place in places:
            name = place.parent.name if place.name == "fs" else place.name
            shutil.move(place, store / kind / name)
            place.symlink_to(MOUNTED / STORE / kind / name)
    if not any((store / "snapshots").iterdir()):
        raise AirgapError("containerd unpacked no image")
    shutil.copytree(root, output / SEED, symlinks=True)
