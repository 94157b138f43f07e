"""A long run under a seeded schedule of composed faults: what single drills do not meet."""

from __future__ import annotations

import pytest

from harness.nemesis import Soak

pytestmark = pytest.mark.drill


def test_deployment_bears_every_fault_of_the_schedule(soak: Soak) -> None:
    """Whatever the schedule breaks, the deployment is steady again in time and keeps every promise meanwhile."""
    outcome = soak.outcome()

    assert outcome.held is True, soak.explain(outcome)
