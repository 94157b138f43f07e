"""Check 3 of 12: the six pods run, apart from each other."""

from __future__ import annotations

import pytest

from harness.observations.crashes import last_words
from harness.properties import sentence
from harness.properties.placement import against_placement_rule, against_pods
from harness.report.evidence import Evidence
from harness.sut import Sut, views
from harness.sut.names import STATEFUL_SETS

pytestmark = pytest.mark.check


def test_every_pod_runs_and_no_node_holds_two_of_a_kind(sut: Sut, evidence: Evidence) -> None:
    """Every Redis and Sentinel pod is Running and Ready, and a rule keeps those of a kind on distinct nodes."""
    objects = sut.pod_objects()
    pods = [views.pod(found) for found in objects.values()]

    findings = list(against_pods(pods, objects, last_words(sut, objects)))
    for name in STATEFUL_SETS:
        findings += against_placement_rule(sut.stateful_set(name))

    evidence(", ".join(f"{pod.seat} on {pod.node}" for pod in pods))
    assert not findings, sentence(findings)
