from __future__ import annotations

import time
from pathlib import Path

from harness.checkers import lost_writes
from harness.timeline import anatomy
from tests.unit.instruments.scene import await_acks, felled, own_count, running_scene


def test_restart_within_down_after_is_a_reboot_and_promotes_nobody(tmp_path: Path) -> None:
    """SIGKILL and a start at once: no attempt, a reboot that all three Sentinels name, nothing lost."""
    with running_scene(tmp_path, down_after_ms=8000) as scene:
        old = scene.topology.named_primary()

        def restart() -> None:
            old.kill()
            old.start()

        with scene.recording("restarted") as recording:
            restarted = felled(recording, f"restarted({old.name})", restart)
            await_acks(recording, restarted)
            time.sleep(0.5)  # Sentinels read run ids from INFO, here every 200 ms
            scene.topology.await_steady()
        counted = own_count(recording.path, old)

    found, lost = anatomy(recording.history), lost_writes(recording.history)

    assert found.kind == "none", found.as_table()
    assert found.tries == (), found.as_table()
    assert [(each.seat, each.is_primary) for each in found.reboots] == [(old.name, True)], found.as_table()
    assert set(found.reboots[0].seen_by) == set(scene.topology.sentinels), found.as_table()
    assert f"{old.name} stayed primary and came back as a new process" in found.headline()
    assert counted.missing == {}, lost.explain()
    assert lost.valid is True, lost.explain()
