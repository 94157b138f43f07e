"""What the witness records while real Sentinels promote a replica, or have no reason to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.checkers import check, lost_writes, split_brain, stats, unavailability
from harness.clock import Bracket
from harness.history import History
from harness.timeline import anatomy
from harness.workload import Readers, Recording, Writers
from tests.unit.processes import MASTER_NAME, RedisProcess, Topology, running_topology, wait_until
from tests.unit.witness.local import LocalWitness, running_witness

DOWN_AFTER_S = 0.6


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Topology]:
    """Run a steady one."""
    with running_topology(tmp_path / "redis", down_after_ms=int(DOWN_AFTER_S * 1000)) as running:
        yield running


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[LocalWitness]:
    """Run one for each test."""
    with running_witness(tmp_path / "witness") as running:
        yield running


def felled(recording: Recording, name: str, act: object) -> Bracket:
    """Do something to a process and note when."""
    assert callable(act)
    sent = time.monotonic()
    act()
    bracket = Bracket(sent, time.monotonic())
    recording.mark(name, bracket)
    return bracket


def await_acks(recording: Recording, since: Bracket, number: int = 100, seconds: float = 30) -> None:
    """Wait until writes flow again."""
    wait_until(lambda: recording.acks_since(since) >= number, seconds, f"{number} acknowledged writes")


def written_and_gone(history: History, primary: RedisProcess) -> int:
    """Acknowledged writes that are not on `primary`, counted by this test's own reading of it."""
    client, gone = primary.client(), 0
    for write in history.writes:
        if write.outcome == "o":
            key = f"e2e:w:{history.workload['id']}:{write.writer}:{write.sequence // 128}"
            gone += client.hget(key, str(write.sequence % 128)) != f"{write.writer}.{write.sequence}"
    return gone


def test_promotion_after_sigkill_is_measured_phase_by_phase(topology: Topology, witness: LocalWitness) -> None:
    """A killed primary: the gap, its phases in order on one clock, and every acknowledged write on every instance.

    A reader that follows the Sentinels goes the writers' way.
    """
    old = topology.named_primary()
    with witness.workload_on(topology).running("sigkill", readers=[Readers("aware", "sentinel")]) as recording:
        wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")
        killed = felled(recording, f"killed({old.name})", old.kill)
        await_acks(recording, killed)
        old.start()
        time.sleep(1)
        topology.await_steady(30)
        time.sleep(0.3)

    found = anatomy(recording.history)
    window = unavailability(recording.history, since=recording.history.fault(), at_most=30)
    lost = lost_writes(recording.history)
    names = [each.name for each in found.phases if each.name not in {"fault sent", "fault returned", "last ok write"}]

    assert found.kind == "unplanned", found.as_table()
    assert found.old_primary == "redis-0"
    assert found.new_primary in {"redis-1", "redis-2"}
    causes = ["first +sdown", "+odown", "+try-failover", "+elected-leader", "+promoted-slave", "last +switch-master"]
    assert [name for name in names if name in causes] == causes, found.as_table()
    assert {"last +sdown", "first +switch-master", "first ok write", "replicas linked again"} <= set(names)
    assert window.valid is True, window.explain()
    assert DOWN_AFTER_S < window.duration < 10, window.explain()
    assert lost.valid is True, lost.explain()
    assert lost.lost == {"redis-0": 0, "redis-1": 0, "redis-2": 0}
    reads = recording.history.reads
    answered = [recording.history.instance_name(read.instance) for read in reads if read.outcome == "o"]
    assert list(dict.fromkeys(answered)) == ["redis-0", found.new_primary]
    assert {read.error for read in reads if read.outcome == "f"} & {"refused", "reset"}
    assert len({each.digest for each in recording.history.digests}) == 1
    assert len(recording.history.digests) == 3


def test_restart_within_down_after_promotes_nobody(tmp_path: Path, witness: LocalWitness) -> None:
    """A primary that is back before anybody misses it: kind none, the reboot is named, nothing is lost."""
    # On SIGTERM a primary waits for its replicas' acknowledgements, which they send once a second: about a second.
    with running_topology(tmp_path / "redis", down_after_ms=10_000) as topology:
        old = topology.named_primary()
        with witness.workload_on(topology).running("reboot") as recording:
            wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")

            def restart() -> None:
                old.terminate()
                old.start()

            restarted = felled(recording, f"restarted({old.name})", restart)
            await_acks(recording, restarted)
            time.sleep(1)
            topology.await_steady()

    found = anatomy(recording.history)
    verdict = check(recording.history, by=[stats, lost_writes, split_brain])

    assert found.kind == "none", found.as_table()
    assert found.rebooted, found.as_table()
    assert any("+reboot" in remark for remark in found.remarks), found.as_table()
    assert found.new_primary is None
    assert 0.005 < found.window.duration < 10, found.as_table()
    assert verdict.valid is True, verdict.explain()


def replicas_are_level(primary: RedisProcess) -> bool:
    found = primary.client().info("replication")
    links = [found[f"slave{index}"] for index in range(found["connected_slaves"])]
    return len(links) == 2 and all(
        link["state"] == "online" and link["offset"] == found["master_repl_offset"] for link in links
    )


def test_planned_promotion_with_paused_writes_loses_none(tmp_path: Path, witness: LocalWitness) -> None:
    """CLIENT PAUSE WRITE before SENTINEL FAILOVER: writes wait, none that was acknowledged is lost."""
    # The pause holds the Sentinels' own PUBLISH too, and behind it their PING: down-after must be longer than it.
    with running_topology(tmp_path / "redis", down_after_ms=10_000) as topology:
        old = topology.named_primary()
        with witness.workload_on(topology).running("planned") as recording:
            wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")

            def hand_over() -> None:
                old.client().execute_command("CLIENT", "PAUSE", 4000, "WRITE")
                # As the hook of the manifests does: a pause alone leaves behind what a replica was not yet sent.
                wait_until(lambda: replicas_are_level(old), 3, "both replicas to have everything")
                topology.sentinels["sentinel-1"].client().execute_command("SENTINEL", "FAILOVER", MASTER_NAME)

            begun = felled(recording, f"handed_over({old.name})", hand_over)
            await_acks(recording, begun)
            time.sleep(0.5)
            topology.await_steady(30)

    found = anatomy(recording.history)
    lost = lost_writes(recording.history)

    assert found.kind == "planned", found.as_table()
    assert found.phase("first +sdown") is None, found.as_table()
    assert found.new_primary != "redis-0"
    assert lost.valid is True, lost.explain()
    assert recording.history.writes.counts()["i"] > 0, "writes that the pause held must count as info"
    assert found.window.duration > 0.1, found.as_table()


def test_planned_promotion_without_a_pause_loses_what_the_checker_counts(
    topology: Topology, witness: LocalWitness
) -> None:
    """SENTINEL FAILOVER alone: the open connection to the old primary acknowledges writes that vanish, all counted."""
    with witness.workload_on(topology).running("careless", cleanup=False) as recording:
        wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")

        def hand_over() -> None:
            topology.sentinels["sentinel-1"].client().execute_command("SENTINEL", "FAILOVER", MASTER_NAME)

        begun = felled(recording, "handed_over_carelessly", hand_over)
        wait_until(lambda: topology.named_primary("sentinel-2").name != "redis-0", 20, "the promotion")
        await_acks(recording, begun)
        wait_until(lambda: topology.redises["redis-0"].client().role()[0] == "slave", 30, "the demotion")
        time.sleep(0.5)
        topology.await_steady(30)

    lost = lost_writes(recording.history)
    expected = written_and_gone(recording.history, topology.named_primary())

    assert expected > 0, "the product loses writes here; if it stopped doing so this test proves nothing"
    assert lost.valid is False, lost.explain()
    assert lost.lost[topology.named_primary().name] == expected, lost.explain()
    assert "acknowledged" in lost.explain()
    assert "redis-0" in lost.explain(), lost.explain()


def test_pinned_writer_loses_what_a_stale_primary_acknowledged(topology: Topology, witness: LocalWitness) -> None:
    """A primary paused and resumed: a writer pinned to it loses all it was told, a Sentinel-aware one nothing."""
    old = topology.named_primary()
    groups = [
        Writers(name="aware", connections=4, rate=400),
        Writers(name="pinned", target=old.name, connections=4, rate=400),
    ]
    with witness.workload_on(topology).running("stale", writers=groups, cleanup=False) as recording:
        wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")
        paused = felled(recording, f"paused({old.name})", old.pause)
        await_acks(recording, paused)
        time.sleep(0.3)
        old.resume()
        wait_until(lambda: old.client().role()[0] == "slave", 30, "the demotion")
        topology.await_steady(30)

    history = recording.history
    lost = lost_writes(history, group="pinned")
    split = split_brain(history)
    expected = written_and_gone(history, topology.named_primary())

    assert lost.valid is False, lost.explain()
    losers = {history.writers[int(line.split("writer ")[1].split(" ")[0])].group for line in lost.evidence}
    assert lost.lost[topology.named_primary().name] == expected > 0, lost.explain()
    assert losers == {"pinned"}, lost.explain()
    assert split.valid is False, split.explain()
    assert split.overlaps[0].stale == "redis-0", split.explain()
    assert split.overlaps[0].acknowledged["redis-0"] > 0, split.explain()


def test_hung_sentinel_delays_no_writer(topology: Topology, witness: LocalWitness) -> None:
    """The first Sentinel hangs when the primary dies: writers follow the other two as soon as these switch."""
    old = topology.named_primary()
    with witness.workload_on(topology).running("hung", catch_up_s=1.0) as recording:
        wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")
        topology.sentinels["sentinel-0"].pause()
        killed = felled(recording, f"killed({old.name})", old.kill)
        await_acks(recording, killed)
        topology.sentinels["sentinel-0"].resume()

    found = anatomy(recording.history)
    promoted, writing = found.phase("+promoted-slave"), found.phase("first ok write")

    assert found.kind == "unplanned", found.as_table()
    assert promoted is not None
    assert writing is not None
    assert writing.at - promoted.at < 0.5, found.as_table()
