from __future__ import annotations

from pathlib import Path

from harness.budget import CRASH, judge
from harness.checkers import lost_writes, unavailability
from harness.timeline import anatomy
from tests.unit.instruments.live import live_budget
from tests.unit.instruments.scene import Omniscient, await_acks, felled, own_count, running_scene

#: Writers ask the Sentinels anew when one says that it switched; on a busy machine that takes a moment.
FOLLOWING_S = 0.5
DOWN_AFTER_S = 0.6

ORDER = [
    "fault sent",
    "first +sdown",
    "+odown",
    "+try-failover",
    "+elected-leader",
    "+failover-state-wait-promotion",
    "+promoted-slave",
    "first +switch-master",
    "last +switch-master",
]


def test_killed_primary_is_told_phase_by_phase_and_its_gap_to_the_resolution(tmp_path: Path) -> None:
    """SIGKILL: unplanned, causes before effects, a gap that another client measured too, and nothing lost."""
    with running_scene(tmp_path, down_after_ms=int(DOWN_AFTER_S * 1000)) as scene:
        old = scene.topology.named_primary()
        allowed = live_budget(scene.topology)
        other = Omniscient(scene.topology)
        other.start()
        with scene.recording("killed") as recording:
            killed = felled(recording, f"killed({old.name})", old.kill)
            await_acks(recording, killed)
            gap = other.longest_gap()
            old.start()
            scene.await_demotion(old.name)
        history = recording.history
        counted = own_count(recording.path, scene.topology.named_primary())

    found = anatomy(history)
    window = unavailability(history, since=history.fault())
    lost = lost_writes(history)
    names = [each.name for each in found.phases if each.name in ORDER]
    promoted, switched = found.phase("+promoted-slave"), found.phase("first +switch-master")
    linked = found.phase("replicas linked again")

    assert found.kind == "unplanned", found.as_table()
    assert names == ORDER, found.as_table()
    # Two may begin within a millisecond; the third one's vote decides, and the other is overtaken.
    assert sum(each.has_promoted for each in found.tries) == 1, found.as_table()
    assert [(each.old, each.switched) for each in found.promoted] == [(old.name, 3)], found.as_table()
    assert promoted is not None
    assert switched is not None
    # Before the last Sentinel says that it switched, or after it.
    assert linked is not None, found.as_table()
    assert promoted.at < linked.at, found.as_table()
    assert gap - window.resolution - other.PAUSE_S <= window.duration, window.explain()
    # The new primary takes writes up to a second before the leader sees it and the Sentinels say so.
    assert window.duration <= gap + 1.0 + (switched.at - promoted.at) + FOLLOWING_S, window.explain()
    verdict = judge(found, allowed, course=CRASH)
    assert allowed.configuration.down_after == DOWN_AFTER_S
    assert verdict.valid is True, f"{verdict.explain()}\n{found.as_table()}"
    assert lost.valid is True, lost.explain()
    assert counted.missing == {}, lost.explain()
    assert counted.acknowledged["writer"] == history.writes.counts()["o"]
