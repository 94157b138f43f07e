"""The few files of /etc that every image of ours needs."""

from __future__ import annotations

import os
from pathlib import Path

from airgap import commands


def write_accounts(root: Path, *users: tuple[str, int, int, str]) -> None:
    """Users (name, uid, gid, home) beside root and nobody, each with a group of its name."""
    known = [("root", 0, 0, "/root"), ("nobody", 65534, 65534, "/nonexistent"), *users]
    etc = root / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    (etc / "passwd").write_text("".join(f"{n}:x:{u}:{g}:{n}:{home}:/bin/sh\n" for n, u, g, home in known))
    (etc / "group").write_text("".join(f"{n}:x:{g}:\n" for n, _, g, _ in known))
    # Without this file glibc asks DNS before /etc/hosts.
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")


def link_busybox(root: Path) -> None:
    """Every small tool that the image has no other program for."""
    names = commands.output([root / "bin" / "busybox", "--list"], timeout=10).split()
    for name in names:
        target = root / "usr" / "bin" / name
        if not any(os.path.lexists(root / "usr" / folder / name) for folder in ("bin", "sbin")):
            target.symlink_to("busybox")
