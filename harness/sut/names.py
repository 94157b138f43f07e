"""The names that the report made an interface: everything here may be relied upon by users' own scripts.

Source: Task 34.7 report, "Components Deployed"; docs/architecture.md lists them.
"""

from __future__ import annotations

from dataclasses import dataclass

PRIMARY_NAME = "mymaster"

REDIS_SET = "redis"
SENTINEL_SET = "redis-sentinel"
STATEFUL_SETS = (REDIS_SET, SENTINEL_SET)
ROLE_LABELER = "redis-role-labeler"

REDIS_CONTAINER = "redis"
SENTINEL_CONTAINER = "sentinel"
EXPORTER_CONTAINER = "exporter"

REDIS_PORT = 6379
SENTINEL_PORT = 26379
REDIS_EXPORTER_PORT = 9121
SENTINEL_EXPORTER_PORT = 9355

REDIS_SERVICE = "redis"
REDIS_HEADLESS = "redis-headless"
SENTINEL_SERVICE = "redis-sentinel"
SENTINEL_HEADLESS = "redis-sentinel-headless"

CONFIG_MAP = "redis-config"

#: What the suite itself writes into Redis starts so; nothing else in the data set is ever touched.
KEY_PREFIX = "e2e:"

#: The promise of the report, "Automatic failover: < 30 seconds" (Requirement 23, criterion 30).
PROMISED_FAILOVER_S = 30.0

#: The report's number of instances of each kind.
INSTANCES = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """What Redis and Sentinel pods have in common, by name."""

    stateful_set: str
    container: str
    port: int
    exporter_port: int
    headless: str
    storage: str
    """Size that each claim asks for, as written in the manifests."""

    def seats(self, count: int = INSTANCES) -> tuple[str, ...]:
        """Pod names in ordinal order."""
        return tuple(f"{self.stateful_set}-{ordinal}" for ordinal in range(count))

    def claim(self, seat: str) -> str:
        """Name of the claim that belongs to `seat` for good."""
        return f"data-{seat}"


REDIS = Kind(REDIS_SET, REDIS_CONTAINER, REDIS_PORT, REDIS_EXPORTER_PORT, REDIS_HEADLESS, "10Gi")
SENTINEL = Kind(SENTINEL_SET, SENTINEL_CONTAINER, SENTINEL_PORT, SENTINEL_EXPORTER_PORT, SENTINEL_HEADLESS, "1Gi")
KINDS = (REDIS, SENTINEL)


def kind_of(seat: str) -> Kind:
    """Return the kind that a pod name belongs to.

    Sentinels first: their names start with the Redis pods' prefix too.
    """
    return SENTINEL if seat.startswith(f"{SENTINEL_SET}-") else REDIS


def seat_of(host: str) -> str:
    """Return the seat that an announced host name belongs to: its first label. An IP address is returned whole."""
    return host if host.replace(".", "").isdigit() else host.split(".", 1)[0]
