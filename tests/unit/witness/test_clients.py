"""What readers and the several kinds of writers record, against real processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from harness.checkers import lost_writes
from harness.history import History
from harness.history.records import Read
from harness.workload import Readers, Recording, Writers
from tests.unit.processes import LOOPBACK, RedisProcess, Topology, running_topology, wait_until
from tests.unit.witness.local import LocalWitness, running_witness

STEADY = [Writers(connections=2, rate=200)]


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One for the module: nobody is promoted in here."""
    with running_topology(tmp_path_factory.mktemp("redis"), down_after_ms=10_000) as running:
        yield running


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWitness]:
    """Run one for the module."""
    with running_witness(tmp_path_factory.mktemp("witness")) as running:
        yield running


@pytest.fixture
def replica(topology: Topology) -> RedisProcess:
    """One that is not the primary."""
    return next(each for each in topology.redises.values() if each is not topology.named_primary())


def await_acks(recording: Recording, number: int) -> None:
    """Wait until so many writes are acknowledged."""
    wait_until(lambda: recording.status.acknowledged >= number, 20, f"{number} acknowledged writes")


def reads_on(history: History, name: str) -> list[Read]:
    """The reads that an instance answered."""
    return [each for each in history.reads if each.outcome == "o" and history.instance_name(each.instance) == name]


def test_reader_of_the_primary_is_never_stale(topology: Topology, witness: LocalWitness) -> None:
    """What the primary acknowledged is there when it is read, for each writer in turn."""
    readers = [Readers("fresh", "sentinel", rate=100)]
    with witness.workload_on(topology).running("fresh", writers=STEADY, readers=readers) as recording:
        await_acks(recording, 300)

    history = recording.history
    reads = reads_on(history, topology.named_primary().name)

    assert len(reads) > 20
    assert len(reads) == len(history.reads)
    assert [read for read in reads if read.seen < read.expected] == []
    assert {read.writer for read in reads} == {0, 1}
    assert [(each.group, each.target, each.rate) for each in history.readers] == [("fresh", "sentinel", 100.0)]


def test_reader_of_a_replica_that_left_sees_how_far_it_got(tmp_path: Path, witness: LocalWitness) -> None:
    """A replica cut off for good answers ever staler reads, whose `seen` is exactly the last write that it got."""
    with running_topology(tmp_path, replicas=1, sentinels=1, quorum=1) as topology:
        replica = topology.redises["redis-1"]
        readers = [Readers("behind", replica.name, rate=100)]
        running = witness.workload_on(topology).running("behind", writers=STEADY, readers=readers, catch_up_s=0)
        with running as recording:
            await_acks(recording, 300)
            topology.sentinels["sentinel-0"].pause()  # it would bring the replica back
            replica.client().execute_command("REPLICAOF", "NO", "ONE")
            await_acks(recording, recording.status.acknowledged + 600)
            held = {writer: _highest(replica, recording.id, writer) for writer in (0, 1)}
            topology.sentinels["sentinel-0"].resume()  # the clean-up asks it for the primary

    stale = [read for read in reads_on(recording.history, replica.name) if read.seen < read.expected][:-20]

    assert len(stale) > 20
    assert all(read.seen == held[read.writer] for read in stale)
    assert max(read.expected - read.seen for read in stale) > 128, "stale by more than one hash"


def _highest(instance: RedisProcess, workload: str, writer: int) -> int:
    """The highest write of a writer that an instance holds, by reading all of it."""
    client, prefix = instance.client(), f"e2e:w:{workload}:{writer}:"
    return max(
        int(key.rpartition(":")[2]) * 128 + int(field)
        for key in client.scan_iter(prefix + "*", count=1000)
        for field in client.hkeys(key)
    )


def test_reader_of_an_instance_that_is_away_fails_with_a_reason(
    topology: Topology, witness: LocalWitness, replica: RedisProcess
) -> None:
    """A hung replica: its reads time out, and say what they expected; the record is whole."""
    readers = [Readers("hung", replica.name, rate=50)]
    with witness.workload_on(topology).running("hung", writers=STEADY, readers=readers, timeout_s=0.1) as recording:
        await_acks(recording, 100)
        replica.pause()
        time.sleep(0.5)
        replica.resume()

    failed = [read for read in recording.history.reads if read.outcome == "f"]

    assert failed
    assert {read.error for read in failed} == {"timeout"}
    assert all(read.seen == -1 and read.expected >= 0 for read in failed)


def test_nothing_is_read_before_anything_was_acknowledged(topology: Topology, witness: LocalWitness) -> None:
    """A writer pinned to a replica is acknowledged nothing: there is nothing to expect of a reader."""
    replica = next(each for each in topology.redises.values() if each is not topology.named_primary())
    writers = [Writers(name="refused", target=replica.name, connections=1, rate=100)]
    readers = [Readers("idle", "sentinel", rate=0)]
    with witness.workload_on(topology).running("idle", writers=writers, readers=readers) as recording:
        time.sleep(0.5)

    assert len(recording.history.reads) == 0


def test_pinned_writer_keeps_its_connection_to_a_replica(
    topology: Topology, witness: LocalWitness, replica: RedisProcess
) -> None:
    """READONLY is what it records, on one connection, at its own pace."""
    before = replica.client().info("stats")["total_connections_received"]
    writers = [*STEADY, Writers(name="pinned", target=replica.name, connections=1, rate=100)]
    with witness.workload_on(topology).running("pinned", writers=writers) as recording:
        await_acks(recording, 200)
    connections = replica.client().info("stats")["total_connections_received"] - before

    refused = [write for write in recording.history.writes if write.writer == 2]

    assert len(refused) > 50
    assert {(write.outcome, write.error) for write in refused} == {("f", "readonly")}
    assert {recording.history.instance_name(write.instance) for write in refused} == {replica.name}
    assert connections < 10, "the writer, the sampler, the sweep and this test"


def test_write_that_is_there_already_counts_as_done_again(topology: Topology, witness: LocalWitness) -> None:
    """Somebody put a writer's next writes in place before it: acknowledged, and named."""
    writers = [Writers(connections=1, rate=100)]
    with witness.workload_on(topology).running("again", writers=writers) as recording:
        await_acks(recording, 5)
        client = topology.named_primary().client()
        for sequence in range(100, 110):
            client.hset(f"e2e:w:{recording.id}:0:0", str(sequence), f"0.{sequence}")
        await_acks(recording, 120)

    history = recording.history
    again = [write.sequence for write in history.writes if write.error == "again"]

    assert again == list(range(100, 110))
    assert all(history.writes[index].outcome == "o" for index in range(len(history.writes)))
    assert lost_writes(history).valid is True, lost_writes(history).explain()


def test_address_of_no_seat_is_attributed_by_its_run_id(topology: Topology, witness: LocalWitness) -> None:
    """As behind a Kubernetes Service: another name for the primary, recognised; no address stands in the header."""
    primary = topology.named_primary()
    service = f"localhost:{primary.port}"
    writers = [Writers(name="named", target="redis", connections=1, rate=100)]
    writers += [Writers(name="unnamed", target=f"LOCALHOST:{primary.port}", connections=1, rate=100)]
    with witness.workload_on(topology).running("service", writers=writers, services={"redis": service}) as recording:
        await_acks(recording, 100)

    history = recording.history
    late = list(history.writes)[20:]
    samples = history.services[3:]

    assert {history.instance_name(write.instance) for write in late} == {primary.name}
    assert {write.writer for write in late} == {0, 1}
    assert {(each.service, history.instance_name(each.instance), each.role) for each in samples} == {
        ("redis", primary.name, "primary")
    }
    assert [each.target for each in history.writers] == ["redis", "address"]
    assert "localhost" not in str(history.workload)


def test_service_that_leads_nowhere_is_sampled_as_such(topology: Topology, witness: LocalWitness) -> None:
    """Refused connections are answers too, at the pace of the samples and one at a time."""
    with witness.workload_on(topology).running(
        "nowhere", writers=STEADY, services={"gone": "127.0.0.1:1"}
    ) as recording:
        time.sleep(0.6)

    samples = recording.history.services

    assert 3 <= len(samples) <= 60
    assert {(each.instance, each.role, each.error) for each in samples} == {(-1, None, "refused")}
    assert all(one.completed <= two.invoked for one, two in pairwise(samples))


def test_names_are_recorded_and_addresses_are_not(topology: Topology, witness: LocalWitness) -> None:
    """The name localhost resolves once and for all: one record; the topology's own addresses are none."""
    workload = witness.workload_on(topology)
    seats = {name: address.replace(LOOPBACK, "localhost") for name, address in workload.deployment.seats.items()}
    spec = {"deployment": {**workload.deployment.as_json(), "seats": seats}, "writers": []}
    identity = witness.client.start(spec).id
    time.sleep(0.6)
    witness.client.stop(identity, sweep=False)
    wait_until(lambda: witness.client.status(identity, wait_s=5).is_over, 20, "the end")

    answers = History.load(witness.journals / f"{identity}.jsonl").dns

    assert [answer.host for answer in answers] == ["localhost"]
    assert LOOPBACK in (answers[0].addresses or [])
    assert answers[0].error is None
