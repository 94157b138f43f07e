"""Building the suite's own images with Docker, for runs on public images; without a registry airgap/ builds them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.errors import ImageError
from harness.programs import run_program
from harness.settings import PROJECT

BUILD_S = 900.0
INSPECT_S = 10.0


def exists(name: str) -> bool:
    """Whether the repository has such an image."""
    return (PROJECT / name / "Dockerfile").is_file()


def build(name: str, progress: Callable[[str], None]) -> str:
    """Build ``NAME/Dockerfile`` unless its very content was built before; return the reference.

    The tag is a hash of the folder, so that a kept cluster is recreated when the program changed. ImageError when it
    cannot be built.
    """
    reference = f"redis-e2e/{name}:{_content_hash(PROJECT / name)}"
    if run_program(["docker", "image", "inspect", "--format", "ok", reference], seconds=INSPECT_S).ok:
        return reference
    progress(f"images: building {reference}")
    with tempfile.TemporaryDirectory() as context:  # the folder alone: reports and caches are no part of an image
        shutil.copytree(PROJECT / name, Path(context, name), ignore=shutil.ignore_patterns("__pycache__"))
        dockerfile = Path(context, name, "Dockerfile")
        ran = run_program(["docker", "build", "--tag", reference, "--file", dockerfile, context], seconds=BUILD_S)
    if not ran.ok:
        raise ImageError(f"image {name} cannot be built: {ran.telling('ERROR', 'error')}")
    return reference


def _content_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:12]
