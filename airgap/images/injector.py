"""The injector: what a fault needs on a node, brought along because nodes have only their own."""

from __future__ import annotations

import shutil
from pathlib import Path

from airgap.debian import unpack
from airgap.images import reference
from airgap.images.accounts import link_busybox, write_accounts
from airgap.images.iptables import link_iptables
from airgap.layer import Settings, write_image
from airgap.plan import Lane, Step, Work

PROGRAM = Path(__file__).parents[2] / "injector"
PACKAGES = (
    "bash", "busybox-static", "coreutils", "conntrack", "e2fsprogs", "findutils", "grep", "iproute2", "iptables",
    "mount", "procps", "python3-minimal", "libpython3-stdlib", "redis-tools", "sed", "util-linux",
)  # fmt: skip
WITHOUT = (
    "libdb5.3", "libgpm2", "libgssapi-krb5-2", "libk5crypto3", "libkeyutils1", "libkrb5-3", "libkrb5support0",
    "libnsl2", "libreadline8", "libsqlite3-0", "libtirpc-common", "libtirpc3", "mailcap", "media-types",
    "mime-support", "readline-common", "tzdata", "netbase", "logsave",
)  # fmt: skip


def injector_image() -> Step:
    """The step that builds it."""
    return Step("injector", Lane.UNPACK, (*PACKAGES, *WITHOUT, PROGRAM, Path(__file__)), _build)


def _build(work: Work) -> None:
    root = work.scratch / "root"
    root.mkdir()
    versions = unpack(PACKAGES, root, scratch=work.scratch, log=work.log, without=WITHOUT)
    write_accounts(root)
    link_busybox(root)
    link_iptables(root)
    (root / "app").mkdir()
    if PROGRAM.is_dir():
        shutil.copytree(PROGRAM, root / "app" / "injector", ignore=shutil.ignore_patterns("__pycache__"))
    write_image(
        root,
        work.output,
        reference=reference("injector", work.key),
        version=f"util-linux {versions['util-linux']}",
        settings=Settings(command=("sleep", "infinity"), workdir="/app", env={"PYTHONUNBUFFERED": "1"}),
    )
