"""A rolling update replaces one pod after the other, and clients hardly notice."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import RolledOut
from harness.report.evidence import Evidence
from harness.sut.names import REDIS, SENTINEL

pytestmark = pytest.mark.drill


def test_rollout_of_redis(drill: Drill, evidence: Evidence) -> None:
    """Redis updated under load, pod by pod: writes never stand still for over 30 s, and none that counted is lost."""
    rollout = RolledOut(REDIS.stateful_set)

    with drill.writing():
        with drill.felled(rollout):
            pass
        drill.await_writes()
        drill.await_steady()

    gaps, losses = drill.gap_of_each_step(), drill.losses_of_each_step()
    evidence("; ".join(f"{step}, write gap {gaps.get(step.seat)} s, {losses.get(step.seat)}" for step in rollout.steps))
    assert drill.replaced_each_pod_in_turn(rollout), drill.explain()
    assert drill.each_step_has_its_gap(rollout, gaps), drill.explain()
    assert drill.no_step_lost_a_write(rollout, losses), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


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
