"""The witness: Debian's Python, its locked wheels and the program from this checkout."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from airgap import commands
from airgap.debian import unpack
from airgap.errors import AirgapError
from airgap.images import CODE, reference
from airgap.images.accounts import link_busybox, write_accounts
from airgap.images.checkout import copy_sources, sources
from airgap.layer import Settings, architecture, write_image
from airgap.plan import Lane, Step, Work
from airgap.programs import loader

CHECKOUT = Path(__file__).parents[2]
PROGRAM = CHECKOUT / "witness"
LOCK = PROGRAM / "requirements.lock"
PACKAGES = ("python3", "busybox-static")
# What the standard library can do but the witness does not: databases, consoles, Kerberos, NIS.
WITHOUT = (
    "libcom-err2", "libdb5.3", "libgpm2", "libgssapi-krb5-2", "libk5crypto3", "libkeyutils1", "libkrb5-3",
    "libkrb5support0", "libncursesw6", "libnsl2", "libreadline8", "libsqlite3-0", "libtinfo6", "libtirpc-common",
    "libtirpc3", "mailcap", "media-types", "mime-support", "readline-common", "tzdata",
)  # fmt: skip
NOT_LOADABLE = ("_curses*", "_dbm*", "_gdbm*", "_sqlite3*", "nis*", "readline*")
UNUSED = ("idlelib", "lib2to3", "ensurepip", "pydoc_data", "test", "tkinter", "turtledemo", "unittest/test")
PLATFORMS = {"amd64": "manylinux2014_x86_64", "arm64": "manylinux2014_aarch64"}
UID = 1000


def witness_base() -> Step:
    """Python and the wheels: changes only with the lock, so the program's own changes build in a second."""
    return Step("witness-base", Lane.UNPACK, (*CODE, *PACKAGES, *WITHOUT, *UNUSED, LOCK, Path(__file__)), _build_base)


def witness_image() -> Step:
    """The step that builds it."""
    return Step("witness", Lane.UNPACK, (*CODE, *sources(PROGRAM), Path(__file__)), _build, ("witness-base",))


def _build_base(work: Work) -> None:
    root = work.output / "root"
    root.mkdir()
    versions = unpack(PACKAGES, root, scratch=work.scratch, log=work.log, without=WITHOUT)
    (work.output / "version").write_text(versions["python3"])
    library = _library(root)
    for name in UNUSED:
        shutil.rmtree(library / name, ignore_errors=True)
    for pattern in NOT_LOADABLE:
        for module in (library / "lib-dynload").glob(f"{pattern}.so"):
            module.unlink()
    _install_wheels(root, library, work.log)
    write_accounts(root, ("witness", UID, UID, "/app"))
    link_busybox(root)
    _link(root / "usr/bin/python", "python3")
    _compile(root, library, work.log)


def _build(work: Work) -> None:
    root = work.scratch / "root"
    base = work.needs["witness-base"]
    shutil.copytree(base / "root", root, symlinks=True)
    copy_sources(PROGRAM, root / "app")
    _compile(root, root / "app", work.log)
    write_image(
        root,
        work.output,
        reference=reference("witness", work.key),
        version=f"python {(base / 'version').read_text()}",
        settings=Settings(
            entrypoint=("python3", "-m", "witness"),
            user=f"{UID}:{UID}",
            workdir="/app",
            # Started in a read-only root, where nothing could be cached.
            env={"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        ),
    )


def _library(root: Path) -> Path:
    found = sorted(root.glob("usr/lib/python3.*/lib-dynload"))
    if len(found) != 1:
        raise AirgapError(f"Debian's python3 brought {len(found)} standard libraries instead of one")
    return found[0].parent


def _install_wheels(root: Path, library: Path, log: Path) -> None:
    commands.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"),
            *("--require-hashes", "--python-version", library.name.removeprefix("python"), "--implementation", "cp"),
            *("--platform", PLATFORMS[architecture()], "--root-user-action=ignore", "--disable-pip-version-check"),
            *("--target", root / "usr/local/lib" / library.name / "dist-packages", "--requirement", LOCK),
        ],
        log=log,
        timeout=600,
    )


def _compile(root: Path, folder: Path, log: Path) -> None:
    # With the Python that will read it, by its own loader and libraries, so that this machine's Python may be another.
    # Checked by content, not by time: the archive sets every time to zero.
    commands.run(
        [
            *(*loader(root), root / "usr/bin" / _library(root).name),
            *("-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"),
            *("-s", root, "-p", "/", folder),
            *([] if folder == root / "app" else [root / "usr/local/lib"]),
        ],
        log=log,
        timeout=300,
        env={"PYTHONHOME": str(root / "usr"), "PYTHONDONTWRITEBYTECODE": ""},
    )


def _link(path: Path, target: str) -> None:
    if not os.path.lexists(path):
        path.symlink_to(target)
