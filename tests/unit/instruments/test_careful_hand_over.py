from __future__ import annotations

from pathlib import Path

from harness.checkers import lost_writes, split_brain
from harness.timeline import anatomy
from tests.unit.instruments.scene import await_acks, felled, own_count, running_scene
from tests.unit.processes import MASTER_NAME, RedisProcess, wait_until

#: The pause holds the Sentinels' PUBLISH too, and behind it their PING: down-after must be longer than it.
PAUSE_MS, DOWN_AFTER_MS = 6000, 20_000


def replicas_are_level(primary: RedisProcess) -> bool:
    """Whether both replicas reported the primary's offset, which they do once a second."""
    found = primary.client().info("replication")
    links = [found[f"slave{index}"] for index in range(found["connected_slaves"])]
    return len(links) == 2 and all(link["offset"] == found["master_repl_offset"] for link in links)


def test_hand_over_with_writes_paused_loses_none(tmp_path: Path) -> None:
    """CLIENT PAUSE WRITE, replicas level, SENTINEL FAILOVER: planned, held writes, none lost."""
    with running_scene(tmp_path, down_after_ms=DOWN_AFTER_MS) as scene:
        old = scene.topology.named_primary()
        sentinel = scene.topology.sentinels["sentinel-1"].client()

        def hand_over() -> None:
            old.client().execute_command("CLIENT", "PAUSE", PAUSE_MS, "WRITE")
            wait_until(lambda: replicas_are_level(old), 3, "both replicas to have everything")
            sentinel.execute_command("SENTINEL", "FAILOVER", MASTER_NAME)

        with scene.recording("careful") as recording:
            begun = felled(recording, f"handed_over({old.name})", hand_over)
            await_acks(recording, begun)
            scene.await_demotion(old.name)
        counted = own_count(recording.path, scene.topology.named_primary())

    found, lost = anatomy(recording.history), lost_writes(recording.history)

    assert found.kind == "planned", found.as_table()
    assert found.phase("first +sdown") is None, found.as_table()
    assert found.window.duration > 0.1, found.as_table()
    assert counted.missing == {}, lost.explain()
    assert lost.valid is True, lost.explain()
    assert split_brain(recording.history).valid is not False
