"""A primary that is deleted hands over without losing a write, and never holds writes it cannot hand over."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from tests.unit.manifests.seats import Deployment, Seat, deployment
from tests.unit.processes import LOOPBACK, MASTER_NAME, wait_until


@pytest.fixture
def steady(tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path) as made:
        made.start()
        primary = made.await_steady()
        with primary.client() as client:
            wait_until(lambda: client.set("open", 1), 5, "the primary to open for writes")
        yield made


class Writer:
    """Writes numbered keys through Sentinel as fast as it can, and knows which were acknowledged."""

    def __init__(self, deployed: Deployment) -> None:
        options = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "retry": None}
        self._sentinel = Sentinel([(LOOPBACK, seat.port) for seat in deployed.sentinels], sentinel_kwargs=options)
        self._client = self._sentinel.master_for(MASTER_NAME, socket_timeout=3, socket_connect_timeout=0.5, retry=None)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.acknowledged: list[int] = []
        self.longest_gap = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self._client.close()
        for each in self._sentinel.sentinels:
            each.close()

    def _write(self) -> None:
        number, last = 0, time.monotonic()
        while not self._stop.is_set():
            number += 1
            try:
                self._client.set(f"key:{number}", number)
            except (redis.RedisError, MasterNotFoundError):
                time.sleep(0.01)
                continue
            self.acknowledged.append(number)
            now = time.monotonic()
            self.longest_gap, last = max(self.longest_gap, now - last), now

    def lost(self, primary: Seat) -> list[int]:
        with primary.client() as client:
            values = client.mget([f"key:{number}" for number in self.acknowledged])
        return [number for number, found in zip(self.acknowledged, values, strict=True) if found != str(number)]


def test_deleted_primary_loses_no_acknowledged_write(steady: Deployment) -> None:
    old = steady.await_steady()
    with Writer(steady) as writer:
        time.sleep(0.5)
        hook = old.delete()
        assert "handed over to" in old.said()
        assert hook.returncode == 0
        old.start()
        new = steady.await_steady()
        time.sleep(0.3)
    assert new is not old
    assert len(writer.acknowledged) > 500
    assert writer.lost(new) == []
    assert writer.longest_gap < 5


def test_replica_has_nothing_to_hand_over(steady: Deployment) -> None:
    replica = steady.redises[1]
    began = time.monotonic()
    replica.execute("hand-over.sh")
    assert time.monotonic() - began < 2
    assert "not a primary, nothing to hand over" in replica.said()


def test_replica_that_writes_its_first_aof_still_stops_at_once(steady: Deployment) -> None:
    """After a full resync Redis refuses SIGTERM as long as it writes its AOF, and never comes back to it."""
    replica = steady.redises[1]
    with steady.redises[0].client() as client:
        client.mset({f"key:{number}": number for number in range(200)})
    with replica.client() as client:
        wait_until(lambda: client.dbsize() >= 200, 5, "the keys on the replica")
        client.config_set("rdb-key-save-delay", 10_000)  # microseconds for each key
        client.config_set("appendonly", "no")
        client.config_set("appendonly", "yes")
        assert client.info("persistence")["aof_rewrite_in_progress"] == 1
        client.config_set("rdb-key-save-delay", 0)  # of the last snapshot, which Redis writes itself as it stops

    hook = replica.delete()

    assert hook.returncode == 0
    assert "Background AOF rewrite finished successfully" in replica.said()
    assert "can't exit" not in replica.said()


def test_replica_whose_aof_takes_too_long_is_not_waited_for(steady: Deployment) -> None:
    """The deletion goes on anyway."""
    replica = steady.redises[1]
    with replica.client() as client:
        wait_until(client.dbsize, 5, "a key on the replica")
        client.config_set("rdb-key-save-delay", 10_000_000)
        client.config_set("appendonly", "no")
        client.config_set("appendonly", "yes")

    hook = replica.execute("hand-over.sh", AOF_PATIENCE="1")

    assert hook.returncode == 0
    assert "the AOF is not written after 1 s" in replica.said()


def test_primary_without_any_replica_stops_as_primary(steady: Deployment) -> None:
    for replica in steady.redises[1:]:
        replica.kill()
    hook = steady.redises[0].execute("hand-over.sh", SETTLE_SECONDS="0", REPLICA_PATIENCE="1")
    assert hook.returncode == 0
    assert "no replica came back in 1 s, stopping as primary" in steady.redises[0].said()


def test_primary_deleted_with_its_replicas_waits_for_one_to_come_back(steady: Deployment) -> None:
    primary, *replicas = steady.redises
    with primary.client() as client:
        client.config_set("min-replicas-to-write", 0)
        for replica in replicas:
            replica.kill()
        client.set("only-the-primary", "has it")
    returning = threading.Timer(2.5, lambda: [replica.start() for replica in replicas])
    returning.start()
    primary.delete()
    returning.join()
    assert "handed over to" in primary.said()
    primary.start()
    with steady.await_steady().client() as client:
        assert client.get("only-the-primary") == "has it"


def test_refused_promotion_lets_the_writes_go_on(steady: Deployment) -> None:
    primary, *replicas = steady.redises
    for replica in replicas:
        with replica.client() as client:
            client.config_set("replica-priority", 0)
    for sentinel in steady.sentinels:  # they must have noticed
        with sentinel.client() as client:
            wait_until(
                lambda client=client: {each["slave-priority"] for each in client.sentinel_slaves(MASTER_NAME)} == {0},
                5, "priority 0 to be known",
            )  # fmt: skip
    hook = primary.execute("hand-over.sh", SETTLE_SECONDS="0", HANDOVER_PATIENCE="2")
    assert hook.returncode == 0
    assert "NOGOODSLAVE" in primary.said()
    assert "not handed over within 2 s, stopping as primary" in primary.said()
    with primary.client() as client:
        assert client.set("key", "value")


def test_without_sentinels_the_writes_are_never_held(steady: Deployment) -> None:
    for sentinel in steady.sentinels:
        sentinel.kill()
    primary = steady.redises[0]
    primary.execute("hand-over.sh", SETTLE_SECONDS="0", HANDOVER_PATIENCE="1")
    assert "no Sentinel answers" in primary.said()
    with primary.client() as client:
        assert client.set("key", "value")


def test_sentinel_that_promotes_nobody_stops_at_once(steady: Deployment) -> None:
    began = time.monotonic()
    steady.sentinels[0].delete()
    assert time.monotonic() - began < 2
