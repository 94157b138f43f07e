"""Preconditions that belong to another check: where they do not hold, a check says "not judged" instead of guessing."""

from __future__ import annotations

from harness.errors import NotJudged
from harness.properties.services import due_behind, endpoints
from harness.sut import Sut
from harness.sut.names import REDIS_SERVICE


def redis_service_leads_to_the_primary(sut: Sut) -> None:
    """Raise NotJudged when the Service `redis` has no pod behind it: check 4 owns that finding.

    With a wrong pod behind it the writes themselves tell, so they are made.
    """
    found = endpoints(sut.cluster.list("EndpointSlice"), REDIS_SERVICE)
    if not found:
        due = ", ".join(sorted(due_behind(REDIS_SERVICE, sut.topology()))) or "nobody (there is no primary)"
        raise NotJudged(f"Service {REDIS_SERVICE} leads nowhere (it must lead to {due}): see the check of the Services")
