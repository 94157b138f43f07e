from __future__ import annotations

from harness.clients import usual_clients
from harness.workload import Deployment
from witness.bodies import workload

SEATS = {f"redis-{n}": f"redis-{n}.example:6379" for n in range(3)}
SENTINELS = {f"redis-sentinel-{n}": f"redis-sentinel-{n}.example:26379" for n in range(3)}


def test_the_witness_takes_the_usual_clients_as_they_are() -> None:
    """What every drill asks for is a request that the witness accepts, with a probe on every seat."""
    clients = usual_clients("shop")
    spec = workload(
        {
            "name": "drill",
            "deployment": Deployment(SEATS, SENTINELS).as_json(),
            "writers": [group.as_json() for group in clients.writers],
            "readers": [group.as_json() for group in clients.readers],
            "services": clients.services,
        }
    )

    assert {group.target for group in spec.writers} == {"sentinel", "redis", *SEATS}
    assert {group.target for group in spec.readers} == {"sentinel", *SEATS}
    assert [group.rate for group in spec.writers if group.target == "sentinel"] == [1000, 50]
