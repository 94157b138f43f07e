"""Check 4 of 12: the four Services lead where their names say."""

from __future__ import annotations

import pytest

from harness.properties import sentence
from harness.properties.services import PROMISES, against_services, endpoints
from harness.report.evidence import Evidence
from harness.sut import Sut

pytestmark = pytest.mark.check


def test_each_service_leads_to_the_right_pods(sut: Sut, evidence: Evidence) -> None:
    """Each Service has behind it exactly the pods it is for: `redis` the primary, the others all pods of their kind."""
    topology = sut.topology()
    services = {found["metadata"]["name"]: found for found in sut.cluster.list("Service")}
    slices = sut.cluster.list("EndpointSlice")

    findings = list(against_services(services, slices, topology))

    evidence("; ".join(f"{each.name}: {', '.join(sorted(endpoints(slices, each.name)))}" for each in PROMISES))
    assert not findings, sentence(findings)
