"""Check 2 of 12: StatefulSet redis-sentinel 3/3."""

from __future__ import annotations

import pytest

from harness.properties import sentence
from harness.properties.statefulsets import against_stateful_set
from harness.report.evidence import Evidence
from harness.sut import Sut
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.check


def test_three_sentinels_are_ready(sut: Sut, evidence: Evidence) -> None:
    """StatefulSet redis-sentinel runs three Ready Sentinels of one revision, sized as promised."""
    found = sut.stateful_set(SENTINEL.stateful_set)

    findings = list(against_stateful_set(found, SENTINEL))

    evidence(f"{found['status'].get('readyReplicas', 0)} of {found['spec']['replicas']} Ready")
    assert not findings, sentence(findings)
