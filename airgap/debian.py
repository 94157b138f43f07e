"""Files of Debian packages, unpacked without installing anything.

``apt-get`` resolves the packages against an empty system, so that the result
does not depend on what this machine has installed, and downloads them with
the sources and keys that the machine is set up with. No maintainer script
runs: what one would have made (alternatives, users) the recipes make.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from airgap import commands, hostpackages
from airgap.errors import AirgapError
from airgap.programs import is_dynamic, missing_libraries

MAINTENANCE = frozenset(
    {
        "adduser", "base-passwd", "debconf", "debianutils", "dpkg", "init-system-helpers", "install-info",
        "libfile-find-rule-perl", "libgdbm-compat4", "libgdbm6", "libnumber-compare-perl", "libperl5.36",
        "libtext-glob-perl", "lsb-base", "passwd", "perl", "perl-base", "perl-modules-5.36", "sensible-utils",
        "sysvinit-utils", "tar", "ucf", "usrmerge",
    }
)  # fmt: skip
"""Packages that only serve installing other packages: never unpacked unless asked for by name."""

USELESS = (
    "usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug",
    "usr/share/bash-completion", "usr/share/zsh", "usr/share/gcc", "usr/share/gdb", "usr/share/doc-base",
    "usr/share/initramfs-tools", "etc/init.d", "etc/cron.d", "etc/cron.daily", "etc/logrotate.d", "etc/default",
    "usr/lib/systemd", "usr/lib/*-linux-gnu/gconv", "usr/lib/tmpfiles.d", "var/cache", "var/lib/systemd",
)  # fmt: skip

ARCHIVES = "archives"

MERGED = ("bin", "sbin", "lib", "lib64")
"""Folders of / that are links into /usr since Debian 12."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package at the version that apt chose."""

    name: str
    version: str


def unpack(
    packages: Sequence[str], root: Path, *, scratch: Path, log: Path, without: Iterable[str] = ()
) -> Mapping[str, str]:
    """Unpack packages with all they depend on into ``root``; returns versions by name.

    ``without`` names dependencies to leave out beside those of MAINTENANCE.
    Raises AirgapError where apt cannot resolve, download or unpack.
    """
    left_out = (MAINTENANCE | set(without)) - set(packages)
    try:
        chosen = _fetch(packages, left_out, scratch, log)
    except commands.CommandFailed:
        # The usual cause: the machine's package lists name versions that the archive has replaced since.
        hostpackages.renew_lists()
        chosen = _fetch(packages, left_out, scratch, log)
    archives = sorted((scratch / ARCHIVES).glob("*.deb"))
    _lay_out(root)
    for archive in archives:
        _extract(archive, root, scratch, log)
    for useless in USELESS:
        for folder in root.glob(useless):
            shutil.rmtree(folder)
    _refuse_incomplete(root)
    return {package.name: package.version for package in chosen}


def _refuse_incomplete(root: Path) -> None:
    """A package left out must not be missed by a program that stays: it would fail in mid-fault."""
    programs = [path for folder in ("usr/bin", "usr/sbin") for path in sorted((root / folder).iterdir())]
    for program in programs:
        missing = missing_libraries(root, program) if is_dynamic(program) else []
        for library in missing:
            raise AirgapError(f"{program.name} needs {library}, whose package is left out of this image")


def resolve(packages: Sequence[str], scratch: Path) -> list[Package]:
    """The packages and their dependencies as apt would install them on an empty system."""
    nothing = scratch / "dpkg-status"
    nothing.touch()
    planned = commands.output(
        [
            *("apt-get", "--simulate", "--no-install-recommends", "-o", f"Dir::State::status={nothing}"),
            *("-o", "APT::Get::Show-User-Simulation-Note=false", "install", *packages),
        ],
        timeout=120,
        env={"LC_ALL": "C"},
    )
    found = [Package(*match) for match in re.findall(r"^Inst (\S+) \((\S+) ", planned, re.MULTILINE)]
    if not found:
        raise AirgapError(f"apt-get plans nothing for {' '.join(packages)}: run apt-get update, then try again")
    return found


def _fetch(packages: Sequence[str], left_out: AbstractSet[str], scratch: Path, log: Path) -> list[Package]:
    """Download what is to be unpacked; returns it."""
    chosen = [package for package in resolve(packages, scratch) if package.name not in left_out]
    folder = scratch / ARCHIVES
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    wanted = [f"{package.name}={package.version}" for package in chosen]
    commands.run(
        ["apt-get", "download", "-o", "APT::Sandbox::User=root", *wanted],
        log=log,
        timeout=600,
        cwd=folder,
        env={"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )
    return chosen


def _lay_out(root: Path) -> None:
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    for name in ("dev", "proc", "sys", "run", "etc", "var", "root", "tmp"):
        (root / name).mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)


def _extract(archive: Path, root: Path, scratch: Path, log: Path) -> None:
    # Not `dpkg-deb --extract`: it would put folders in the place of the links of _lay_out.
    content = scratch / "content.tar"
    with log.open("ab") as sink:
        sink.write(f"unpack {archive.name}\n".encode())
    commands.run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" >"$2"', "sh", archive, content], log=log, timeout=120)
    commands.run(
        ["tar", "--extract", "--file", content, "--directory", root, "--keep-directory-symlink", "--no-same-owner"],
        log=log,
        timeout=120,
    )
    content.unlink()
