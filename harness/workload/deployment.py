"""Which instances a workload talks to: addresses as clients inside the cluster use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Deployment:
    """Redis seats and Sentinels by name as ``host:port``, and how to log in.

    Hosts should be what the Sentinels announce (fully qualified names on Kubernetes): an op is attributed to a seat by
    its address.
    """

    seats: Mapping[str, str]
    sentinels: Mapping[str, str]
    master_name: str = "mymaster"
    password: str | None = None
    sentinel_password: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As the witness wants it."""
        return {
            "seats": dict(self.seats),
            "sentinels": dict(self.sentinels),
            "master_name": self.master_name,
            "password": self.password,
            "sentinel_password": self.sentinel_password,
        }


@dataclass(frozen=True, slots=True)
class Writers:
    """A group of writers: `connections` share `rate` writes a second (0: unpaced).

    `target` is ``sentinel``, a seat's name, the name of a Service that the workload watches, or ``host:port``. With
    `wait_replicas` a write counts as acknowledged only if that many replicas confirmed it within `wait_timeout_s`
    seconds.
    """

    name: str = "writer"
    target: str = "sentinel"
    connections: int = 8
    rate: float = 1000.0
    wait_replicas: int = 0
    wait_timeout_s: float = 0.2

    def as_json(self) -> dict[str, Any]:
        """As the witness wants it."""
        return {
            "name": self.name,
            "target": self.target,
            "connections": self.connections,
            "rate": self.rate,
            "wait_replicas": self.wait_replicas,
            "wait_timeout_s": self.wait_timeout_s,
        }


@dataclass(frozen=True, slots=True)
class Readers:
    """A group of readers: `connections` share `rate` reads a second (0: unpaced); `target` as for :class:`Writers`.

    Each read asks an instance how far it has got with what one writer was acknowledged.
    """

    name: str
    target: str
    connections: int = 1
    rate: float = 50.0

    def as_json(self) -> dict[str, Any]:
        """As the witness wants it."""
        return {"name": self.name, "target": self.target, "connections": self.connections, "rate": self.rate}
