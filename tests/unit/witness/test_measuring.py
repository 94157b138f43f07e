"""How true the witness's figures are: rate, resolution, and a gap of known length."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.checkers import lost_writes, stats, unavailability
from harness.clock import Bracket
from harness.history import History
from harness.workload import Writers
from tests.unit.processes import Topology, running_topology, wait_until
from tests.unit.witness.local import LocalWitness, running_witness
from tests.unit.witness.rate import everything

#: What can be reached is claimed: a machine that is busy with something else may need another try...
ATTEMPTS = 4
#: ...and one on which programs run this late has no time for us: the figures stand in the benchmarks, not here.
STARVED_S = 0.025


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One for the module: nobody is promoted in here."""
    with running_topology(tmp_path_factory.mktemp("redis"), down_after_ms=5000) as running:
        yield running


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWitness]:
    """Run one for the module."""
    with running_witness(tmp_path_factory.mktemp("witness")) as running:
        yield running


@pytest.mark.parametrize("beside", [lambda _: {}, everything], ids=["alone", "with-everything"])
def test_paced_writers_hold_their_rate_and_resolution(topology: Topology, witness: LocalWitness, beside: Any) -> None:
    """A thousand writes a second, at most 10 ms apart; on a starved machine no further apart than lags explain.

    Readers of every instance, pinned writers (most of them refused) and a Service beside them take nothing away.
    """
    for _ in range(ATTEMPTS):
        with witness.workload_on(topology).running("paced", **beside(topology)) as recording:
            time.sleep(2)
        verdict = stats(recording.history)
        if verdict.acks_per_second >= 900 and verdict.p99_distance <= 0.010:
            break

    own, redis = verdict.worst_lag, verdict.p99_latency  # how late the witness was, and how late Redis answered it
    starved = own + redis > STARVED_S
    assert verdict.valid is True, verdict.explain()
    assert starved or verdict.acks_per_second >= 500, verdict.explain()
    assert verdict.p99_distance <= 0.010 + (own + redis if starved else 0), verdict.explain()


def stopped_for_a_known_time(topology: Topology, witness: LocalWitness) -> tuple[History, float, float]:
    """Stop the primary while somebody writes; what was recorded, and the least and most that the gap can have been."""
    primary = topology.named_primary()
    with witness.workload_on(topology).running("gap") as recording:
        wait_until(lambda: recording.status.acknowledged > 500, 20, "writes")
        before = time.monotonic()
        primary.pause()
        paused = time.monotonic()
        recording.mark("paused", Bracket(before, paused))
        time.sleep(0.3)
        resuming = time.monotonic()
        primary.resume()
        resumed = time.monotonic()
        wait_until(lambda: recording.acks_since(resumed) > 300, 20, "writes after the pause")
    lost = lost_writes(recording.history)
    assert lost.valid is True, lost.explain()
    return recording.history, resuming - paused, resumed - before


def test_gap_of_known_length_is_measured_to_10_ms(topology: Topology, witness: LocalWitness) -> None:
    """A primary stopped for a known time: the window is as long, to 10 ms and what the runner itself does not know."""
    for _ in range(ATTEMPTS):
        history, shortest, longest = stopped_for_a_known_time(topology, witness)
        found = unavailability(history, since=history.fault())
        # SIGSTOP is not obeyed before kill returns, and an answer given before it may be read late.
        assert found.duration + max(0.010, found.resolution) >= shortest, found.explain()
        if found.valid and found.resolution <= 0.010 and found.duration <= longest + 0.010:
            return

    # Redis itself may wake late on a starved machine; what the witness adds of its own it must admit.
    assert found.duration - found.resolution <= longest + 20 * STARVED_S, found.explain()
    assert found.resolution <= 0.010 or stats(history).worst_lag > 0.010, found.explain()


def test_stalled_witness_is_not_taken_for_an_outage(topology: Topology, witness: LocalWitness) -> None:
    """The witness itself stops for half a second: a gap is there, but the verdict on Redis is unknown."""
    with witness.workload_on(topology).running("stalled") as recording:
        wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")
        stopped = time.monotonic()
        witness.pause()
        time.sleep(0.5)
        witness.resume()
        wait_until(lambda: recording.acks_since(stopped) > 300, 20, "writes after the stall")

    found = unavailability(recording.history)

    assert found.valid is None, found.explain()
    assert "witness itself" in found.summary
    assert found.duration >= 0.4, found.explain()


def test_writes_with_too_few_replicas_are_not_acknowledged(topology: Topology, witness: LocalWitness) -> None:
    """WAIT for three replicas where there are two: applied, but not at the durability asked for, so info."""
    patient = Writers(connections=2, rate=40, wait_replicas=3, wait_timeout_s=0.02)
    with witness.workload_on(topology).running("wait", writers=[patient]) as recording:
        time.sleep(0.5)

    verdict = stats(recording.history)

    assert verdict.outcomes.get("o", 0) == 0, verdict.explain()
    assert set(recording.history.writes.errors()) == {"too-few-replicas"}
    assert verdict.valid is None, verdict.explain()


def test_replica_out_of_step_leaves_the_verdict_unknown(topology: Topology, witness: LocalWitness) -> None:
    """A replica that cannot be read in the final sweep: nobody can say that nothing is lost on it."""
    replica = next(each for each in topology.redises.values() if each is not topology.named_primary())
    with witness.workload_on(topology).running("lagging", catch_up_s=0.2, cleanup=False) as recording:
        wait_until(lambda: recording.status.acknowledged > 100, 20, "writes")
        replica.client().execute_command("REPLICAOF", "127.0.0.1", 1)
        time.sleep(0.2)
    replica.client().execute_command("REPLICAOF", "127.0.0.1", topology.named_primary().port)

    verdict = lost_writes(recording.history)

    assert verdict.valid is None, verdict.explain()
    assert replica.name in verdict.explain()
    topology.await_steady()


def test_replica_that_is_back_in_time_is_read(topology: Topology, witness: LocalWitness) -> None:
    """An instance that cannot be reached when the sweep begins is tried again: a returning pod has no name at first."""
    replica = next(each for each in topology.redises.values() if each is not topology.named_primary())
    with witness.workload_on(topology).running("returning", catch_up_s=20.0) as recording:
        wait_until(lambda: recording.status.acknowledged > 100, 20, "writes")
        replica.kill()
        back = threading.Timer(1.0, replica.start)
        back.start()
    back.join()

    verdict = lost_writes(recording.history)

    assert verdict.valid is True, verdict.explain()
    topology.await_steady()


def test_data_set_is_compared_key_by_key_on_every_instance(topology: Topology, witness: LocalWitness) -> None:
    """Missing, changed and foreign keys, a lost time to live, another type: each is found on the seat concerned."""
    workload, primary = witness.workload_on(topology), topology.named_primary().client()
    workload.write_dataset(keys=500, seed=7)
    whole = workload.verify_dataset(keys=500, seed=7)
    primary.delete("e2e:d:7:10", "e2e:d:7:11")
    primary.set("e2e:d:7:20", "another")
    primary.persist("e2e:d:7:30")
    primary.set("e2e:d:7:41", "no longer a hash")
    primary.set("e2e:d:7:500", "one too many")
    primary.execute_command("WAIT", 2, 2000)
    broken = workload.verify_dataset(keys=500, seed=7)
    removed = workload.remove_dataset(seed=7)

    assert whole.is_whole, whole.explain()
    assert [seat.seat for seat in whole.seats] == ["redis-0", "redis-1", "redis-2"]
    assert not broken.is_whole
    for seat in broken.seats:
        assert (seat.missing, seat.different, seat.extra) == (2, 3, 1), broken.explain()
    assert "lost its time to live" in broken.explain()
    assert removed == 499
    assert primary.keys("e2e:d:*") == []


def test_redis_entirely_away_and_back(tmp_path: Path, witness: LocalWitness) -> None:
    """All instances and Sentinels die: the witness records refusals, answers, and writes again when they return."""
    with running_topology(tmp_path / "redis", down_after_ms=5000) as topology:
        with witness.workload_on(topology).running("away") as recording:
            wait_until(lambda: recording.status.acknowledged > 100, 20, "writes")
            everything = [*topology.redises.values(), *topology.sentinels.values()]
            for process in everything:
                process.kill()
            gone = time.monotonic()
            time.sleep(0.5)
            quiet = recording.is_writing(0.3)
            for process in everything:
                process.start()
            wait_until(lambda: recording.acks_since(gone) > 100, 20, "writes after the outage")
            topology.await_steady()

        refusals = recording.history.writes.errors()["refused"]

    assert not quiet
    assert refusals > 0
    assert {each.state for each in recording.history.listening} == {"up", "down"}
