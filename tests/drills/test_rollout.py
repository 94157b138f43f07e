"""A rolling update of the Sentinels, which clients do not notice; that of Redis is in test_survival.py."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import RolledOut
from harness.report.evidence import Evidence
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.drill


def test_rollout_of_the_sentinels(drill: Drill, evidence: Evidence) -> None:
    """Sentinels updated pod by pod: clients write on, nobody is replaced, and all Sentinels know each other again."""
    rollout = RolledOut(SENTINEL.stateful_set)

    with drill.writing():
        with drill.felled(rollout):
            pass
        drill.await_steady()

    evidence("; ".join(str(step) for step in rollout.steps))
    assert drill.replaced_each_pod_in_turn(rollout), drill.explain()
    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.sentinels_know_each_other_and_nobody_else(), drill.explain()
