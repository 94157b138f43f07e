"""Check 5 of 12: six claims, Bound, of the right class, and used."""

from __future__ import annotations

import pytest

from harness.observations.storage import state_paths
from harness.properties import sentence
from harness.properties.claims import against_claims, against_use, default_class, due_class
from harness.report.evidence import Evidence
from harness.sut import Sut
from harness.sut.names import STATEFUL_SETS

pytestmark = pytest.mark.check


def test_each_seat_has_a_bound_claim_of_the_right_class(sut: Sut, evidence: Evidence) -> None:
    """Each of the six seats has a claim that is Bound to a volume of its own, of the right class and size."""
    default = default_class(sut.cluster.list("StorageClass"))
    due = {name: due_class(sut.stateful_set(name), default) for name in STATEFUL_SETS}
    claims = {found["metadata"]["name"]: found for found in sut.cluster.list("PersistentVolumeClaim")}
    volumes = {found["metadata"]["name"]: found for found in sut.cluster.list("PersistentVolume")}

    findings = list(against_claims(claims, volumes, due))

    evidence(f"{len(claims)} claims of class {', '.join(sorted({str(name) for name in due.values()}))}")
    assert not findings, sentence(findings)


def test_each_instance_keeps_its_state_on_its_claim(sut: Sut, evidence: Evidence) -> None:
    """Each instance keeps what must survive it (data set, Sentinel's configuration) on the claim of its own seat."""
    pods = sut.pod_objects()
    paths = state_paths(sut)

    findings = list(against_use(pods, paths))

    evidence(", ".join(f"{seat}: {path}" for seat, path in paths.items()))
    assert not findings, sentence(findings)
