"""What goes in which image: one module each, every one a step of the plan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from airgap.layer import DESCRIPTION
from airgap.versions import DEBIAN

CODE: tuple[str | Path, ...] = (
    f"debian {DEBIAN}",
    Path(__file__).parents[1] / "debian.py",
    Path(__file__).parents[1] / "layer.py",
    Path(__file__).parents[1] / "programs.py",
    Path(__file__).parent / "accounts.py",
    Path(__file__).parent / "iptables.py",
)
"""What shapes every image, and so is an input of each."""

NAMESPACE = "redis-e2e"
"""First part of every reference: no registry has it, so a missing image is never pulled by mistake."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is written beside an image's archive."""

    reference: str
    image_id: str
    version: str


def reference(logical: str, key: str) -> str:
    """The full reference; its tag follows the content of the inputs."""
    return f"{NAMESPACE}/{logical}:{key}"


def described(entry: Path) -> Described:
    """Read the description that a finished image step left."""
    content = json.loads((entry / DESCRIPTION).read_text())
    return Described(content["reference"], content["image_id"], content["version"])
