"""The injector: what a fault needs on a node, brought along because nodes have only their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from airgap.debian import unpack
from airgap.images import CODE, reference
from airgap.images.accounts import link_busybox, write_accounts
from airgap.images.checkout import copy_sources, sources
from airgap.images.iptables import link_iptables
from airgap.layer import Settings, write_image
from airgap.plan import Lane, Step, Work

PROGRAM = Path(__file__).parents[2] / "injector"
PACKAGES = (
    "bash", "busybox-static", "coreutils", "conntrack", "e2fsprogs", "findutils", "grep", "iproute2", "iptables",
    "mount", "procps", "python3-minimal", "libpython3-stdlib", "redis-tools", "sed", "util-linux",
)  # fmt: skip
WITHOUT = (
    "libgpm2", "libnsl2", "libreadline8", "libsqlite3-0", "mailcap", "media-types", "mime-support",
    "readline-common", "tzdata", "netbase", "logsave",
)  # fmt: skip


def injector_base() -> Step:
    """The tools alone: the program's own changes build in a second."""
    return Step("injector-base", Lane.UNPACK, (*CODE, *PACKAGES, *WITHOUT, Path(__file__)), _build_base)


def injector_image() -> Step:
    """The step that builds it."""
    return Step("injector", Lane.UNPACK, (*CODE, *sources(PROGRAM), Path(__file__)), _build, ("injector-base",))


def _build_base(work: Work) -> None:
    root = work.output / "root"
    root.mkdir()
    versions = unpack(PACKAGES, root, scratch=work.scratch, log=work.log, without=WITHOUT)
    (work.output / "version").write_text(f"util-linux {versions['util-linux']}")
    write_accounts(root)
    link_busybox(root)
    link_iptables(root)


def _build(work: Work) -> None:
    root = work.scratch / "root"
    base = work.needs["injector-base"]
    shutil.copytree(base / "root", root, symlinks=True)
    copy_sources(PROGRAM, root / "app")
    write_image(
        root,
        work.output,
        reference=reference("injector", work.key),
        version=(base / "version").read_text(),
        settings=Settings(
            command=("python3", "-m", "injector", "serve"), workdir="/app", env={"PYTHONUNBUFFERED": "1"}
        ),
    )
