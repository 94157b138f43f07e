"""Check 8 of 12: the Sentinels watch, agree and can act."""

from __future__ import annotations

import pytest

from harness.observations.sentinels import unwritable_configurations
from harness.properties import sentence
from harness.properties.monitoring import against_monitoring
from harness.report.evidence import Evidence
from harness.sut import Sut

pytestmark = pytest.mark.check


def test_every_sentinel_watches_the_primary_and_could_act(sut: Sut, evidence: Evidence) -> None:
    """Every Sentinel names the same primary, knows all others, has a quorum, could act in 30 s and keep its state."""
    topology = sut.topology()

    findings = list(against_monitoring(topology))
    findings += unwritable_configurations(sut, topology)

    evidence("; ".join(f"{view.seat}: {view.quorum_check}" for view in topology.sentinels))
    assert not findings, sentence(findings)
