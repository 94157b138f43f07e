from __future__ import annotations

from pathlib import Path

from harness.checkers import lost_writes
from harness.timeline import anatomy
from tests.unit.instruments.scene import felled, own_count, running_scene
from tests.unit.processes import MASTER_NAME, wait_until

#: Nobody goes down here, and on a loaded machine nobody shall be thought to.
DOWN_AFTER_MS = 20_000


def test_hand_over_without_a_pause_loses_what_is_counted(tmp_path: Path) -> None:
    """SENTINEL FAILOVER under load: the open connections to the old primary acknowledge writes that vanish."""
    with running_scene(tmp_path, down_after_ms=DOWN_AFTER_MS) as scene:
        sentinel = scene.topology.sentinels["sentinel-1"].client()
        with scene.recording("careless") as recording:
            felled(recording, "handed_over", lambda: sentinel.execute_command("SENTINEL", "FAILOVER", MASTER_NAME))
            wait_until(lambda: scene.topology.named_primary().name != "redis-0", 20, "the promotion")
            scene.await_demotion("redis-0")
        new = scene.topology.named_primary()
        counted = own_count(recording.path, new)

    found, lost = anatomy(recording.history), lost_writes(recording.history)

    assert found.kind == "planned", found.as_table()
    assert [(each.leader, each.outcome) for each in found.tries] == [("sentinel-1", "promoted")], found.as_table()
    assert counted.missing["writer"] > 0, "Redis loses writes here; if it did not, this would prove nothing"
    assert lost.valid is False, lost.explain()
    assert lost.lost[new.name] == counted.missing["writer"], lost.explain()
