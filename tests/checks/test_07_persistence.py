"""Check 7 of 12: RDB and AOF, on every instance."""

from __future__ import annotations

import pytest

from harness.observations import storage
from harness.observations.writes import arrived, value_written
from harness.properties import sentence
from harness.properties.persistence import against_growth, against_persistence
from harness.report.evidence import Evidence
from harness.sut import Sut

pytestmark = pytest.mark.check


def test_every_instance_persists_what_is_written(sut: Sut, evidence: Evidence) -> None:
    """Every instance has RDB and AOF on as promised, its last attempts succeeded, and a write makes its AOF longer."""
    before = storage.persistence_with_snapshot(sut)
    findings = [finding for state in before.values() for finding in against_persistence(state)]
    evidence(", ".join(f"{seat}: {len(state.files)} files, AOF {state.log_bytes} B" for seat, state in before.items()))
    assert not findings, sentence(findings)

    with value_written(sut, storage.writable_seat(sut)) as written:
        arrived(sut, written)
        after = storage.persistence(sut)

    findings = [finding for seat, state in before.items() for finding in against_growth(state, after[seat])]
    assert not findings, sentence(findings)
