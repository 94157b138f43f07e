"""The names by which Debian's iptables is called."""

from __future__ import annotations

from pathlib import Path


def link_iptables(root: Path, kind: str = "nft") -> None:
    """What the package's alternatives would have made; nft is Debian's default."""
    for family in ("iptables", "ip6tables"):
        for suffix in ("", "-save", "-restore"):
            name = root / "usr/sbin" / f"{family}{suffix}"
            name.unlink(missing_ok=True)
            name.symlink_to(f"xtables-{kind}-multi")
