"""Programs of this machine that building and running need; missing ones are installed where that is possible."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from airgap import commands
from airgap.errors import AirgapError
from airgap.runner import Progress

BUILDERS = {"tar": "tar", "dpkg-deb": "dpkg"}
ENGINE = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
}
UNIT_TESTS = {
    "redis-server": "redis-server",
    "redis-sentinel": "redis-sentinel",
    "redis-cli": "redis-tools",
    "busybox": "busybox",
    "dash": "dash",
}
#: For the tests in network namespaces, which only root can make.
UNIT_TESTS_OF_ROOT = {"ip": "iproute2", "ss": "iproute2", "tc": "iproute2", "iptables": "iptables"}
_renewal = threading.Lock()
_renewed: list[bool] = []

LISTS = Path("/var/lib/apt/lists")


def require_builders(progress: Progress) -> None:
    """What the build steps call. Raises AirgapError in one line where something cannot be had."""
    if shutil.which("apt-get") is None:
        raise AirgapError("building images needs Debian's apt-get, which is not here: use --images upstream")
    if not any(LISTS.glob("*_Packages*")) and os.geteuid() == 0:
        progress("apt-get update: this machine has no package lists yet")
        _apt("update")
    install(BUILDERS, progress)
    if importlib.util.find_spec("pip") is None:
        install({"pip3": "python3-pip"}, progress)


def install(programs: dict[str, str], progress: Progress) -> None:
    """Install the packages of those programs that are missing (``programs``: package by program)."""
    missing = sorted({package for program, package in programs.items() if shutil.which(program, path=_path()) is None})
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise AirgapError(f"missing here: {' '.join(missing)}; there is no apt-get to install them")
    if os.geteuid() != 0:
        raise AirgapError(f"missing here: run 'apt-get install {' '.join(missing)}' as root, then try again")
    progress(f"apt-get install {' '.join(missing)}")
    if not any(LISTS.glob("*_Packages*")):
        _apt("update")
    try:
        _apt("install", missing)
    except AirgapError:
        _apt("update")  # lists older than the archive name files that are gone
        _apt("install", missing)


def renew_lists() -> None:
    """Fetch apt's package lists anew, once in this process; only root can, for anybody else nothing happens."""
    with _renewal:
        if os.geteuid() == 0 and not _renewed:
            _apt("update")
            _renewed.append(True)


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _apt(verb: str, packages: Iterable[str] = ()) -> None:
    handle, name = tempfile.mkstemp(prefix="airgap-apt-", suffix=".log")
    os.close(handle)
    log = Path(name)
    options = ["--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    try:
        commands.run(
            # Nothing that is installed here may be started behind the user's back.
            ["env", "RUNLEVEL=1", "apt-get", verb, *(options if verb == "install" else []), *packages],
            log=log,
            timeout=600,
            env={"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
        )
    except AirgapError as error:
        raise AirgapError(f"apt-get {verb} failed: {error}; log: {log}") from error
    log.unlink()
