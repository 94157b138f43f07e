"""The clients of a drill: whoever an application could be, and a probe on every instance, side by side on one clock.

Only those who ask the Sentinels are what the deployment promises something to. The others show what happens to clients
that are set up otherwise, and make visible what each instance did: an instance that acknowledges a pinned writer's
write *is* writable, whatever it says of its role.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.sut.names import REDIS, REDIS_SERVICE
from harness.workload import Readers, Writers


@dataclass(frozen=True, slots=True)
class Clients:
    """Writers, readers and watched Services of one workload."""

    writers: tuple[Writers, ...]
    readers: tuple[Readers, ...]
    services: dict[str, str]


def usual_clients(namespace: str) -> Clients:
    """Return the clients of every drill.

    1,000 writes a second over 8 connections that ask the Sentinels, and 50 of one that waits for a replica's
    confirmation (WAIT 1); 50 through the Service; 20 pinned to each seat; 50 reads a second from the primary and 20
    from each seat.
    """
    seats = REDIS.seats()
    return Clients(
        writers=(
            Writers(name="aware"),
            Writers(name="confirmed", connections=1, rate=50, wait_replicas=1),
            Writers(name=f"Service {REDIS_SERVICE}", target=REDIS_SERVICE, connections=1, rate=50),
            *(Writers(name=f"pinned to {seat}", target=seat, connections=1, rate=20) for seat in seats),
        ),
        readers=(
            Readers(name="primary's readers", target="sentinel"),
            *(Readers(name=f"readers of {seat}", target=seat, rate=20) for seat in seats),
        ),
        services={REDIS_SERVICE: f"{REDIS_SERVICE}.{namespace}.svc.cluster.local:{REDIS.port}"},
    )
