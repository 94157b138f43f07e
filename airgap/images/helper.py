"""Busybox alone: makes and removes the folders behind the claims."""

from __future__ import annotations

from pathlib import Path

from airgap.debian import unpack
from airgap.images import CODE, reference
from airgap.images.accounts import link_busybox, write_accounts
from airgap.layer import Settings, write_image
from airgap.plan import Lane, Step, Work

PACKAGES = ("busybox-static",)


def helper_image() -> Step:
    """The step that builds it."""
    return Step("helper", Lane.UNPACK, (*CODE, *PACKAGES, Path(__file__)), _build)


def _build(work: Work) -> None:
    root = work.scratch / "root"
    root.mkdir()
    versions = unpack(PACKAGES, root, scratch=work.scratch, log=work.log)
    write_accounts(root)
    link_busybox(root)
    write_image(
        root,
        work.output,
        reference=reference("helper", work.key),
        version=versions["busybox-static"],
        settings=Settings(command=("sh",)),
    )
