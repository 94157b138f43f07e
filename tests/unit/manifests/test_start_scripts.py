"""Which role a Redis server starts in: the rows of docs/decisions/0011 with real servers and Sentinels."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.unit.manifests.seats import Deployment, Seat, busybox_tools, deployment
from tests.unit.processes import wait_until


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path) as made:
        yield made


@pytest.fixture
def steady(deployed: Deployment) -> Deployment:
    deployed.start()
    deployed.await_steady(deployed.redises[0])
    write(deployed.redises[0], "key", "value")
    return deployed


@pytest.fixture
def patient(tmp_path: Path) -> Iterator[Deployment]:
    """Steady, and with the deployed down-after: nobody is replaced who is only late, on a loaded machine too."""
    with deployment(tmp_path, down_after_ms=5000) as made:
        made.start()
        made.await_steady(made.redises[0])
        write(made.redises[0], "key", "value")
        yield made


def write(primary: Seat, key: str, value: str) -> None:
    with primary.client() as client:
        wait_until(lambda: client.set(key, value), 5, "the primary to open for writes")
        assert client.wait(2, 2000) == 2


def value(seat: Seat, key: str) -> object:
    with seat.client() as client:
        return client.get(key)


def await_role(seat: Seat, role: str, seconds: float = 10) -> None:
    wait_until(lambda: seat.role() == role, seconds, f"{seat.name} as {role}; it said: {seat.said()[-500:]}")


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_first_start_of_all_makes_seat_0_primary(shell: str, tmp_path: Path) -> None:
    tools = busybox_tools(tmp_path / "bin") if shell == "busybox" else None
    with deployment(tmp_path, tools) as deployed:
        deployed.start()
        deployed.await_steady(deployed.redises[0])
        assert "starting as primary: first start" in deployed.redises[0].said()


def test_restart_in_place_of_the_primary_serves_again_at_once(patient: Deployment) -> None:
    primary = patient.redises[0]
    primary.kill()
    primary.start(new_pod=False)
    await_role(primary, "primary", 4.0)
    assert patient.await_steady() is primary
    assert value(primary, "key") == "value"
    assert "waiting" not in primary.said()


def test_primary_refuses_writes_until_a_majority_of_sentinels_reached_it(steady: Deployment) -> None:
    primary = steady.redises[0]
    for sentinel in steady.sentinels[1:]:
        sentinel.kill()
    primary.kill()
    primary.start(new_pod=False, SENTINEL_PATIENCE="1", FENCE_PATIENCE="3")
    await_role(primary, "primary")
    for replica in steady.redises[1:]:
        await_role(replica, f"replica of {primary.address}")
    with primary.client() as client:
        with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
            client.set("key", "fenced")
        wait_until(lambda: client.set("key", "value"), 5, "the patience to end")
        assert client.config_get("min-replicas-to-write") == {"min-replicas-to-write": "1"}
    wait_until(lambda: "no majority of Sentinels reached it, serving all the same" in primary.said(), 5, "its log line")


def test_new_pod_of_a_replica_follows_whom_the_sentinels_name(patient: Deployment) -> None:
    with patient.sentinels[0].client() as client:
        wait_until(lambda: client.execute_command("SENTINEL", "FAILOVER", "mymaster"), 5, "a Sentinel that agrees")
    wait_until(lambda: patient.redises[0].address not in patient.named(), 10, "a promotion")
    patient.redises[0].kill()
    patient.redises[0].start()
    primary = patient.await_steady()
    assert primary is not patient.redises[0]
    said = patient.redises[0].said()
    assert f"starting as replica of {primary.address}: the Sentinels name it" in said, said[-2000:]


def test_primary_refuses_writes_while_a_sentinel_promotes_another(patient: Deployment) -> None:
    """Elected before it reached the primary, a Sentinel goes on all the same: what is written meanwhile is lost."""
    primary, first, second = patient.redises
    leader, *others = patient.sentinels
    for sentinel in others:
        sentinel.kill()
    primary.kill()
    primary.start(new_pod=False, SENTINEL_PATIENCE="1", FENCE_PATIENCE="60")
    for replica in (first, second):
        await_role(replica, f"replica of {primary.address}")
    with leader.client() as client:
        wait_until(lambda: client.execute_command("SENTINEL", "FAILOVER", "mymaster"), 5, "a Sentinel that agrees")
    for replica in (first, second):
        replica.signal(signal.SIGSTOP)  # before the next tick tells one that it is primary: so the promotion lasts
    others[0].start()
    wait_until(
        lambda: others[0].watched()[0] == primary.address and "down" not in others[0].watched()[3], 20, "a majority"
    )

    time.sleep(2)  # it looks five times a second

    with primary.client() as client:
        assert client.config_get("min-replicas-to-write") == {"min-replicas-to-write": "9999"}
    assert "open for writes" not in primary.said().rpartition("starting as primary")[2]
    for replica in (first, second):
        replica.signal(signal.SIGCONT)


def test_replica_whose_primary_is_replaced_while_it_starts_follows_the_successor(deployed: Deployment) -> None:
    """The Sentinels do not know it yet, so nobody else would tell it."""
    primary, late, other = deployed.redises
    for seat in (primary, other, *deployed.sentinels):
        seat.start()
    deployed.hurry_sentinels()
    await_role(other, f"replica of {primary.address}")
    wait_until(lambda: {seat.watched()[1:3] for seat in deployed.sentinels} == {(1, 2)}, 15, "all to know the others")
    primary.kill()
    late.start()
    wait_until(lambda: f"starting as replica of {primary.address}" in late.said(), 10, "its start")

    await_role(late, f"replica of {other.address}", 20)

    wait_until(lambda: f"following {other.address}: the Sentinels moved to it" in late.said(), 5, "its log line")


def test_new_pod_of_the_primary_waits_for_the_promotion_of_another(steady: Deployment) -> None:
    primary = steady.redises[0]
    primary.kill()
    primary.start()
    successor = steady.await_steady()
    assert successor is not primary
    assert "the Sentinels moved to it" in primary.said()
    assert value(successor, "key") == "value"


def test_restart_in_place_beyond_down_after_does_not_race_the_promotion(steady: Deployment) -> None:
    primary = steady.redises[0]
    primary.kill()
    wait_until(lambda: any("+odown" in each.said() for each in steady.sentinels), 5, "+odown")
    primary.start(new_pod=False)
    assert steady.await_steady() is not primary
    assert "starting as primary: named" not in primary.said()


def test_new_pods_of_all_redis_seats_keep_primary_and_data(patient: Deployment) -> None:
    for seat in patient.redises:
        seat.kill()
    for seat in reversed(patient.redises):
        seat.start()
    patient.await_steady(patient.redises[0])
    assert [value(seat, "key") for seat in patient.redises] == ["value"] * 3
    assert "waiting" not in patient.redises[0].said()


def test_new_pods_of_all_six_keep_primary_and_data(patient: Deployment) -> None:
    for seat in patient.seats:
        seat.kill()
    patient.start()
    primary = patient.await_steady()
    assert [value(seat, "key") for seat in patient.redises] == ["value"] * 3
    assert primary is patient.redises[0]


def test_primary_with_lost_data_never_serves_as_primary(steady: Deployment) -> None:
    primary = steady.redises[0]
    primary.kill()
    shutil.rmtree(primary.data)
    primary.data.mkdir()
    primary.start()
    assert steady.await_steady() is not primary
    assert [value(seat, "key") for seat in steady.redises] == ["value"] * 3
    assert primary.said().count("starting as primary") == 1  # the first start of all


def test_primary_with_lost_data_refuses_to_start_when_nobody_can_be_promoted(steady: Deployment) -> None:
    for replica in steady.redises[1:]:
        with replica.client() as client:
            client.config_set("replica-priority", 0)
    primary = steady.redises[0]
    primary.kill()
    shutil.rmtree(primary.data)
    primary.data.mkdir()
    primary.start(EMPTY_PATIENCE="2")
    assert primary.wait(10) == 1
    assert "NOT starting: my data is gone and another seat may hold it" in primary.said()


class TestWithoutSentinels:
    """What a seat does when no Sentinel answers."""

    PATIENCE = "1"

    def start(self, seat: Seat) -> None:
        seat.start(SENTINEL_PATIENCE=self.PATIENCE)

    def test_first_starts_follow_the_ordinal(self, deployed: Deployment) -> None:
        first, second, _ = deployed.redises
        self.start(second)
        self.start(first)
        await_role(first, "primary")
        await_role(second, f"replica of {first.address}")

    def test_last_role_is_kept(self, deployed: Deployment) -> None:
        first, second, _ = deployed.redises
        (second.data / "redis.conf").write_text("appendonly yes\n")
        (second.data / "dump.rdb").touch()
        (first.data / "redis.conf").write_text(f"replicaof {second.address.replace(':', ' ')}\n")
        self.start(first)
        self.start(second)
        await_role(second, "primary")
        await_role(first, f"replica of {second.address}")

    def test_live_primary_wins_over_the_last_role(self, deployed: Deployment) -> None:
        first, second, _ = deployed.redises
        (second.data / "redis.conf").write_text("appendonly yes\n")
        self.start(second)
        await_role(second, "primary")
        (first.data / "redis.conf").write_text("appendonly yes\n")
        self.start(first)
        await_role(first, f"replica of {second.address}")
        assert "it serves as primary" in first.said()

    def test_empty_first_seat_refuses_while_another_holds_keys(self, deployed: Deployment) -> None:
        first, second, _ = deployed.redises
        self.start(first)
        await_role(first, "primary")
        self.start(second)
        await_role(second, f"replica of {first.address}")
        with first.client() as client:
            client.config_set("min-replicas-to-write", 0)
            client.set("key", "value")
            assert client.wait(1, 2000) == 1
        first.kill()
        shutil.rmtree(first.data)
        first.data.mkdir()
        self.start(first)
        assert first.wait(10) == 1
        assert "NOT starting: my data is gone and another seat holds keys" in first.said()
        assert value(second, "key") == "value"


def test_deletion_while_waiting_ends_at_once(deployed: Deployment) -> None:
    seat = deployed.redises[1]
    seat.start(SENTINEL_PATIENCE="30")
    time.sleep(0.5)
    began = time.monotonic()
    seat.delete()
    assert time.monotonic() - began < 3
