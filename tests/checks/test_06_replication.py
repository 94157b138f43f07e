"""Check 6 of 12: one primary, two replicas that keep up."""

from __future__ import annotations

import pytest

from harness.observations.writes import arrived, replica_offsets, value_written
from harness.properties import sentence
from harness.properties.replication import against_progress, against_replication
from harness.report.evidence import Evidence
from harness.sut import Sut

pytestmark = pytest.mark.check


def test_every_replica_follows_the_primary_and_keeps_up(sut: Sut, evidence: Evidence) -> None:
    """One instance is primary, every other one follows it directly with its link up, and a write moves all of them."""
    topology = sut.topology()
    findings = list(against_replication(topology))
    evidence(str(topology))
    assert not findings, sentence(findings)

    before = replica_offsets(sut)
    with value_written(sut, topology.primaries[0]) as written:
        arrived(sut, written)
        findings = list(against_progress(written.offset, before, replica_offsets(sut)))

    assert not findings, sentence(findings)
