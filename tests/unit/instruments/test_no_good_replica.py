from __future__ import annotations

from pathlib import Path

from harness.timeline import anatomy
from tests.unit.instruments.scene import await_acks, felled, running_scene
from tests.unit.processes import MASTER_NAME, Topology, wait_until

TIMEOUT_S = 1.5
DESYNC_S = 1.0


def set_priority(topology: Topology, priority: int) -> None:
    """Give both replicas a priority, and wait until every Sentinel has read it from INFO."""
    for seat in ("redis-1", "redis-2"):
        topology.redises[seat].client().config_set("replica-priority", priority)
    wait_until(lambda: seen_priorities(topology) == {priority}, 20, f"all Sentinels to see priority {priority}")


def seen_priorities(topology: Topology) -> set[int]:
    """What the Sentinels hold to be the replicas' priorities."""
    return {
        int(replica["slave-priority"])
        for sentinel in topology.sentinels.values()
        for replica in sentinel.client().execute_command("SENTINEL", "REPLICAS", MASTER_NAME)
    }


def test_attempt_without_a_replica_to_promote_is_named_and_the_next_one_told_apart(tmp_path: Path) -> None:
    """Priority 0 on both replicas: aborted, no good replica; with the priority back, a second attempt promotes."""
    with running_scene(tmp_path, failover_timeout_ms=int(TIMEOUT_S * 1000)) as scene:
        set_priority(scene.topology, 0)
        old = scene.topology.named_primary()
        with scene.recording("no-good-replica") as recording:
            killed = felled(recording, f"killed({old.name})", old.kill)
            wait_until(lambda: "-failover-abort-no-good-slave" in logs(scene.topology), 20, "the attempt to be aborted")
            set_priority(scene.topology, 100)
            await_acks(recording, killed)

    found = anatomy(recording.history)
    aborted = [each for each in found.tries if each.outcome == "aborted: no good replica"]

    assert aborted, found.as_table()
    assert all(each.outcome.startswith("aborted") for each in found.tries[:-1]), found.as_table()
    assert found.tries[-1].outcome == "promoted", found.as_table()
    assert any("no good replica" in remark for remark in found.remarks), found.as_table()
    assert found.second_attempt_after is not None
    assert found.tries[-1].after_first >= 2 * TIMEOUT_S - DESYNC_S, found.as_table()


def logs(topology: Topology) -> str:
    """All that the Sentinels wrote."""
    return "".join(sentinel.log.read_text() for sentinel in topology.sentinels.values())
