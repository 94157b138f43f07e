"""Replies of Redis as values."""

from __future__ import annotations

from typing import Any

_ROLES = {"master": "primary", "slave": "replica"}


def role_of(reply: list[Any]) -> tuple[str, int | None, Any, Any]:
    """ROLE's reply as (role, offset, link, detail).

    A primary's link is the number of its online replicas, the detail their offsets by address; a replica's link is the
    state of its connection (``connected`` when replicating), the detail its primary's address.
    """
    role = _ROLES.get(reply[0], str(reply[0]))
    if role == "primary":
        replicas = {f"{host}:{port}": int(offset) for host, port, offset in reply[2]}
        return role, int(reply[1]), len(replicas), replicas
    if role == "replica":
        return role, int(reply[4]), str(reply[3]), f"{reply[1]}:{reply[2]}"
    return role, None, None, None


def server_fields(info: str) -> dict[str, str]:
    """The ``name:value`` lines of INFO."""
    return dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
