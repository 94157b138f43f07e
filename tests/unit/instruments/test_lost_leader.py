from __future__ import annotations

from pathlib import Path

from harness.budget import SECOND_ATTEMPT, judge
from harness.timeline import anatomy
from tests.unit.instruments.live import live_budget
from tests.unit.instruments.scene import await_acks, felled, running_scene
from tests.unit.processes import RedisProcess, wait_until

TIMEOUT_S = 2.0
#: sentinel.c adds up to a second at random to the moment from which the next attempt counts, then a tick.
DESYNC_S = 1.0


def is_gone(sentinel: RedisProcess) -> bool:
    """Whether nothing listens there any more."""
    return sentinel.poll() is not None


def test_leader_that_dies_after_its_election_is_named_and_so_is_the_second_attempt(tmp_path: Path) -> None:
    """The leader exits in mid-attempt: leader lost, and another one twice the failover-timeout later."""
    with running_scene(tmp_path, failover_timeout_ms=int(TIMEOUT_S * 1000)) as scene:
        sentinels = scene.topology.sentinels
        allowed = live_budget(scene.topology)
        old = scene.topology.named_primary()
        for sentinel in sentinels.values():
            sentinel.client().execute_command("SENTINEL", "SIMULATE-FAILURE", "crash-after-election")
        with scene.recording("lost-leader") as recording:
            killed = felled(recording, f"killed({old.name})", old.kill)
            wait_until(lambda: any(map(is_gone, sentinels.values())), 20, "the leader to exit")
            gone = [name for name, sentinel in sentinels.items() if is_gone(sentinel)]
            for name in sentinels.keys() - set(gone):  # HELP clears the flags, for they are reset before it is read
                sentinels[name].client().execute_command("SENTINEL", "SIMULATE-FAILURE", "HELP")
            await_acks(recording, killed)

    found = anatomy(recording.history)
    verdict, second = judge(found, allowed), allowed.course(SECOND_ATTEMPT)
    lost = [each for each in found.tries if each.outcome == "leader lost"]
    last = found.tries[-1]

    assert len(gone) == 1, gone
    assert [each.leader for each in lost] == gone, found.as_table()
    assert last.outcome == "promoted", found.as_table()
    assert last.leader not in gone, found.as_table()
    assert last.epoch is not None
    assert lost[0].epoch is not None
    assert last.epoch > lost[0].epoch, found.as_table()
    assert last.began - lost[0].began >= 2 * TIMEOUT_S - 0.1, found.as_table()
    assert f"{last.leader} tried again" in found.as_table()
    assert verdict.valid is False, verdict.explain()
    assert verdict.summary.startswith("over budget in phase"), verdict.explain()
    assert verdict.summary.endswith(f"{found.attempts} attempts were made"), verdict.explain()
    assert second.best_s <= found.window.duration, found.as_table()
    if found.attempts == 2:  # the two that are left may split their votes, and then need a third
        assert found.window.duration <= second.worst_s, found.as_table()
        assert found.second_attempt_after is not None
        assert found.second_attempt_after <= 2 * TIMEOUT_S + 2 * DESYNC_S, found.as_table()
