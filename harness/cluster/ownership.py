"""The labels by which the suite knows what is its own; everything without them belongs to somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OWNER_LABEL = "e2e.redis/owner"
OWNER = "redis-e2e"
OWNED = {OWNER_LABEL: OWNER}
FIELD_MANAGER = "redis-e2e"


def is_owned(item: Mapping[str, Any]) -> bool:
    """Whether the object carries the suite's ownership label."""
    labels = item.get("metadata", {}).get("labels") or {}
    return bool(labels.get(OWNER_LABEL) == OWNER)
