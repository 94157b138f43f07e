"""Redis from Debian in the shape of the public alpine image."""

from __future__ import annotations

from pathlib import Path

from airgap.debian import unpack
from airgap.images import CODE, reference
from airgap.images.accounts import link_busybox, write_accounts
from airgap.layer import Settings, write_image
from airgap.plan import Lane, Step, Work

PACKAGES = ("redis-server", "redis-tools", "busybox-static")
WITHOUT = ("lsb-base", "procps")
UID, GID = 999, 1000
"""User and group of the public alpine image."""

PROGRAMS = ("redis-server", "redis-sentinel", "redis-cli", "redis-check-aof", "redis-check-rdb", "redis-benchmark")


def redis_image() -> Step:
    """The step that builds it."""
    return Step("redis", Lane.UNPACK, (*CODE, *PACKAGES, *WITHOUT, Path(__file__)), _build)


def _build(work: Work) -> None:
    root = work.scratch / "root"
    root.mkdir()
    versions = unpack(PACKAGES, root, scratch=work.scratch, log=work.log, without=WITHOUT)
    write_accounts(root, ("redis", UID, GID, "/data"))
    link_busybox(root)
    sentinel = root / "usr/bin/redis-sentinel"
    if not sentinel.exists():  # a package of its own; the program is the server's, by this name
        sentinel.symlink_to("redis-server")
    (root / "data").mkdir()
    write_image(
        root,
        work.output,
        reference=reference("redis", work.key),
        version=versions["redis-server"],
        settings=Settings(
            command=("redis-server",),
            user=f"{UID}:{GID}",
            workdir="/data",
            volumes=("/data",),
            owners={"data": (UID, GID)},
        ),
    )
