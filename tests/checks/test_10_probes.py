"""Check 10 of 12: probes that are there, pass, and mean something."""

from __future__ import annotations

import pytest

from harness.observations.probing import run_all
from harness.properties import sentence
from harness.properties.probes import against_configured
from harness.report.evidence import Evidence
from harness.sut import Sut

pytestmark = pytest.mark.check


def test_every_probe_is_configured_and_asks_the_server(sut: Sut, evidence: Evidence) -> None:
    """Every container has its probes, each passes when run by hand, and those of Redis and Sentinel ask the server."""
    pods = sut.pod_objects()
    findings = [finding for pod in pods.values() for finding in against_configured(pod)]

    runs = run_all(sut, pods)
    findings += [finding for each in runs for finding in each.findings()]

    evidence(f"{len(runs)} probes run, {sum(each.passed for each in runs)} passed")
    assert runs, "no container has any probe: there was nothing to run"
    assert not findings, sentence(findings)
