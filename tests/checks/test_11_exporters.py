"""Check 11 of 12: exporters that tell what their instance says."""

from __future__ import annotations

import pytest

from harness.observations.metrics import against_all
from harness.properties import sentence
from harness.report.evidence import Evidence
from harness.sut import Sut

pytestmark = pytest.mark.check


def test_every_exporter_tells_what_its_instance_says(sut: Sut, evidence: Evidence) -> None:
    """The exporter beside each Redis and each Sentinel reaches it and tells the numbers that it tells itself."""
    findings = against_all(sut)

    evidence(f"{len(sut.pod_objects())} exporters compared with INFO and SENTINEL of their instance")
    assert not findings, sentence(findings)
