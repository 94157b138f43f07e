"""A digest of everything: equal on primary and replica whatever the encoding, different after any change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from redis.exceptions import ResponseError

from harness.history import History
from tests.unit.processes import LOOPBACK, Topology, running_topology, wait_until
from tests.unit.witness.local import LocalWitness, running_witness
from witness.digest import MAX_KEYS, KeyspaceDigest
from witness.journal import Journal
from witness.sweep import Sweep

#: Kept as hash table, skiplist... on the replica, as listpack and intset on the primary, from the first element on.
OTHER_ENCODINGS = [
    "hash-max-listpack-entries 0",
    "set-max-intset-entries 0",
    "zset-max-listpack-entries 0",
    "list-max-listpack-size 1",
]


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    """One for the module: nobody is promoted in here."""
    with running_topology(tmp_path_factory.mktemp("redis"), replicas=1, sentinels=1, quorum=1) as running:
        for line in OTHER_ENCODINGS:
            running.redises["redis-1"].client().config_set(*line.split())
        yield running


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWitness]:
    """Run one for the module."""
    with running_witness(tmp_path_factory.mktemp("witness")) as running:
        yield running


@pytest.fixture
def primary(topology: Topology) -> Iterator[Any]:
    """Its client, with a key of every type in place."""
    client = topology.redises["redis-0"].client()
    client.flushall()
    client.set("text", b"\xff\x00 is no UTF-8")
    client.set(b"\xfe name", "1")
    client.rpush("list", "b", "a", "b")
    client.sadd("numbers", 3, 1, 2)
    client.sadd("words", "x", "y", "zz")
    client.hset("hash", mapping={"b": "1", "a": "2"})
    client.zadd("scores", {"one": 0.1, "two": 1e30, "three": 3})
    client.xadd("stream", {"b": "1", "a": "2"}, id="5-1")
    client.xadd("stream", {"c": "3"}, id="6-1")
    client.set("fleeting", "x", ex=1000)
    yield client
    client.flushall()


def recorded(topology: Topology, witness: LocalWitness, **options: Any) -> History:
    """A short recording's history."""
    with witness.workload_on(topology).running("digest", **options) as recording:
        wait_until(lambda: recording.status.acknowledged > 300, 20, "writes")
    return recording.history


def test_primary_and_replica_have_one_digest(primary: redis.Redis, topology: Topology, witness: LocalWitness) -> None:
    """All types, in different encodings, with names and values that are no text; the workload's own keys included."""
    expected = {"scores": "listpack", "numbers": "intset", "hash": "listpack"}
    replica = topology.redises["redis-1"].client()
    history = recorded(topology, witness)

    one, two = history.digests

    assert {key: primary.object("ENCODING", key) for key in expected} == expected
    assert all(replica.object("ENCODING", key) != encoding for key, encoding in expected.items())
    assert {history.instance_name(each.instance) for each in (one, two)} == {"redis-0", "redis-1"}
    assert one.digest == two.digest != ""
    assert one.keys == two.keys == 8 + len({(write.writer, write.sequence // 128) for write in history.writes})
    assert all(each.took >= 0 and each.at > 0 for each in (one, two))


def test_instance_out_of_step_has_no_digest(tmp_path: Path, witness: LocalWitness) -> None:
    """What a replica holds that has not caught up is no statement about replication."""
    with (
        running_topology(tmp_path, replicas=1, sentinels=1, quorum=1) as topology,
        witness.workload_on(topology).running("behind", catch_up_s=0, cleanup=False) as recording,
    ):
        wait_until(lambda: recording.status.acknowledged > 100, 20, "writes")
        topology.sentinels["sentinel-0"].pause()  # it would bring the replica back
        topology.redises["redis-1"].client().execute_command("REPLICAOF", LOOPBACK, 1)

    history = recording.history

    assert [history.instance_name(each.instance) for each in history.digests] == ["redis-0"]
    assert {history.instance_name(each.instance) for each in history.kept} == {"redis-0", "redis-1"}


def digest_of(**content: tuple[str, Any]) -> str:
    """The digest of keys with their type and what their command returns."""
    made = KeyspaceDigest()
    for key, (kind, reply) in content.items():
        made.add(key.encode(), kind.encode(), reply)
    return made.value


@pytest.mark.parametrize(
    ("kind", "one", "same", "others"),
    [
        ("string", b"ab", b"ab", [b"a", b""]),
        ("set", [b"a", b"b"], [b"b", b"a"], [[b"a"], [b"ab"], [b"a", b"c"]]),
        ("hash", [b"a", b"1", b"b", b"2"], [b"b", b"2", b"a", b"1"], [[b"a", b"2", b"b", b"1"], [b"a", b"1"]]),
        ("zset", [b"a", b"1", b"b", b"2"], [b"b", b"2.0", b"a", b"1"], [[b"a", b"1", b"b", b"2.5"], [b"a", b"1"]]),
        ("list", [b"a", b"b"], [b"a", b"b"], [[b"b", b"a"], [b"ab"], [b"a", b"b", b"b"]]),
        ("stream", [[b"1-1", [b"a", b"b"]]], [[b"1-1", [b"a", b"b"]]], [[[b"1-2", [b"a", b"b"]]], [[b"1-1", [b"b"]]]]),
    ],
)  # fmt: skip
def test_order_counts_only_where_the_type_has_one(kind: str, one: Any, same: Any, others: list[Any]) -> None:
    """Equal content in any order of reading is equal; any change of a value, a name or a type is not."""
    first = digest_of(key=(kind, one))

    assert first == digest_of(key=(kind, same))
    assert first != digest_of(name=(kind, one))
    for other in others:
        assert first != digest_of(key=(kind, other))


def test_keys_count_in_any_order_and_once() -> None:
    """SCAN may return a key twice, and every instance in an order of its own."""
    one = digest_of(a=("string", b"1"), b=("string", b"2"))

    assert one == digest_of(b=("string", b"2"), a=("string", b"1"))
    assert one != digest_of(a=("string", b"2"), b=("string", b"1"))
    assert one != digest_of(a=("string", b"1"))
    repeated = KeyspaceDigest()
    for _ in range(2):
        repeated.add(b"a", b"string", b"1")
    assert (repeated.keys, repeated.value) == (1, digest_of(a=("string", b"1")))


def test_any_change_is_seen(primary: redis.Redis, topology: Topology, witness: LocalWitness) -> None:
    """A key changed on the replica alone: two digests; a different type under its name too."""
    replica = topology.redises["redis-1"].client()
    replica.config_set("replica-read-only", "no")
    try:
        for change in (lambda: replica.zincrby("scores", 1, "three"), lambda: replica.xadd("stream", {"d": "4"})):
            change()
            one, two = recorded(topology, witness).digests

            assert one.digest != two.digest
            assert one.keys == two.keys
    finally:
        replica.config_set("replica-read-only", "yes")
        primary.flushall()


class Keyspace:
    """A link to an instance with one key."""

    def __init__(self, kind: bytes = b"string", size: int = 1) -> None:
        self.kind = kind
        self.size = size
        self.asked: list[Any] = []

    async def call(self, command: str, *_: Any) -> Any:
        self.asked.append(command)
        return self.size if command == "DBSIZE" else (b"0", [b"key"])

    async def calls(self, commands: list[Any]) -> list[Any]:
        replies = {b"TYPE": self.kind, b"PTTL": -1, b"GET": b"value"}
        return [replies[command[0]] for command in commands]


def digest_record(tmp_path: Path, link: Keyspace) -> tuple[int, str]:
    """Keys and digest as the sweep records them."""
    journal = Journal(tmp_path / "x.jsonl", max_bytes=1 << 20, workload={"id": "x", "writers": []})

    async def record() -> None:
        sweep = Sweep("x", cast("Any", None), cast("Any", None), journal, catch_up_s=0)
        await sweep._digest(cast("Any", link), 0, KeyspaceDigest())
        await journal.end("stopped")

    asyncio.run(record())
    (found,) = History.load(journal.path).digests
    return found.keys, found.digest


def test_instance_that_stops_answering_in_mid_sweep_holds_nothing_strange(tmp_path: Path) -> None:
    """LOADING instead of a hash is no content that nobody wrote: the sweep ends with it."""

    class Loading(Keyspace):
        async def calls(self, commands: list[Any]) -> list[Any]:
            return [ResponseError("LOADING Redis is loading the dataset in memory") for _ in commands]

    async def read() -> None:
        journal = Journal(tmp_path / "x.jsonl", max_bytes=1 << 20, workload={"id": "x", "writers": []})
        sweep = Sweep("x", cast("Any", None), cast("Any", None), journal, catch_up_s=0)
        await sweep._read_all(cast("Any", Loading()), 0, None)

    with pytest.raises(ResponseError, match="LOADING"):
        asyncio.run(read())


def test_too_many_keys_have_no_digest(tmp_path: Path) -> None:
    """The limit is one of time and memory: above it the number of keys is all that is said, and nothing is read."""
    link = Keyspace(size=MAX_KEYS + 1)

    assert digest_record(tmp_path, link) == (MAX_KEYS + 1, "")
    assert link.asked == ["DBSIZE"]


def test_key_of_an_unknown_type_leaves_no_digest(tmp_path: Path) -> None:
    """A module's value cannot be compared: equal digests would claim that it was."""
    assert digest_record(tmp_path, Keyspace(kind=b"MBbloom--")) == (1, "")


def test_digest_of_what_was_read(tmp_path: Path) -> None:
    """The same through the sweep as by hand."""
    assert digest_record(tmp_path, Keyspace()) == (1, digest_of(key=("string", b"value")))
