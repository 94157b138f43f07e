from __future__ import annotations

import time
from pathlib import Path

from harness.timeline import anatomy
from tests.unit.instruments.scene import await_acks, felled, running_scene

#: A pause longer than the trigger, and shorter than the two seconds after which the witness gives a connection up.
TRIGGER_MS, PAUSE_S, TILT_S = 700, 0.9, 3.0
ACTIONS = {"+sdown", "+odown", "+try-failover", "+elected-leader", "+promoted-slave"}


def test_paused_sentinels_are_in_tilt_and_take_no_action(tmp_path: Path) -> None:
    """All Sentinels stand still, the primary dies: TILT on each for its period, and the promotion only after it."""
    with running_scene(tmp_path) as scene:
        sentinels = scene.topology.sentinels
        for sentinel in sentinels.values():
            for setting, value in (("tilt-trigger", TRIGGER_MS), ("tilt-period", int(TILT_S * 1000))):
                sentinel.client().execute_command("SENTINEL", "DEBUG", setting, value)
        old = scene.topology.named_primary()
        with scene.recording("tilt") as recording:
            for sentinel in sentinels.values():
                sentinel.pause()
            killed = felled(recording, f"killed({old.name})", old.kill)
            time.sleep(PAUSE_S)
            for sentinel in sentinels.values():
                sentinel.resume()
            await_acks(recording, killed)
    history = recording.history

    found = anatomy(history)

    assert {each.sentinel for each in found.tilts} == set(sentinels), found.as_table()
    assert found.kind == "unplanned", found.as_table()
    assert found.window.duration > TILT_S, found.as_table()
    for tilt in found.tilts:
        assert tilt.began is not None
        assert tilt.ended is not None, found.as_table()
        assert tilt.duration is not None
        assert tilt.duration >= TILT_S - 0.05, found.as_table()
        assert tilt.describe(found.zero) in found.remarks
        acted = [
            event
            for event in history.events
            if history.instance_name(event.sentinel) == tilt.sentinel
            and event.event in ACTIONS
            and tilt.began < event.at_s < tilt.ended
        ]
        assert not acted, found.as_table()
