"""What a Sentinel keeps, takes from the ConfigMap, and finds out by itself when it starts."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.manifests.seats import HURRIED, Deployment, Seat, deployment
from tests.unit.processes import MASTER_NAME, wait_until


@pytest.fixture
def steady(tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path) as made:
        made.start()
        made.await_steady()
        for sentinel in made.sentinels:
            settled(sentinel, 1)  # a moment after they all agree: the others must have heard it
        yield made


def state(sentinel: Seat) -> dict[str, Any]:
    with sentinel.client() as client:
        return dict(client.sentinel_master(MASTER_NAME))


def my_id(sentinel: Seat) -> str:
    with sentinel.client() as client:
        return str(client.execute_command("SENTINEL", "MYID"))


def promote_another(deployed: Deployment) -> Seat:
    old = deployed.await_steady()
    with deployed.sentinels[0].client() as client:
        wait_until(lambda: client.execute_command("SENTINEL", "FAILOVER", MASTER_NAME), 5, "a Sentinel that agrees")
    wait_until(lambda: old.address not in deployed.named(), 10, "a promotion")
    with old.client() as client:  # Sentinel itself takes 10 s to convert a primary that lives
        new = next(iter(deployed.named())).split(":")
        client.replicaof(*new)
    return deployed.await_steady()


def lose_claim(sentinel: Seat) -> None:
    sentinel.kill()
    shutil.rmtree(sentinel.data)
    sentinel.data.mkdir()


def settled(sentinel: Seat, times: int, *, seconds: float = 10) -> None:
    wait_until(lambda: sentinel.said().count("settled:") == times, seconds, f"{sentinel.name} to settle")


def test_restart_takes_edited_settings_and_keeps_what_it_learned(steady: Deployment) -> None:
    primary = promote_another(steady)
    sentinel = steady.sentinels[0]
    before, identity = state(sentinel), my_id(sentinel)
    steady.edit_config("sentinel.conf", r"failover-timeout mymaster \d+", "failover-timeout mymaster 12345")
    steady.edit_config("sentinel.conf", r"(@PRIMARY_PORT@) 2", r"\1 3")
    sentinel.kill()
    sentinel.start()
    settled(sentinel, 2)
    after = state(sentinel)
    assert (after["failover-timeout"], after["quorum"], after["down-after-milliseconds"]) == (12345, 3, 1000)
    kept = ("port", "config-epoch", "num-slaves", "num-other-sentinels")
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    assert my_id(sentinel) == identity
    assert f"watching {primary.address}, as remembered" in sentinel.said()


def test_restart_is_not_over_before_the_other_sentinels_reach_it(steady: Deployment) -> None:
    """It may know everybody while its name still leads the others to the address of its last pod."""
    sentinel, *others = steady.sentinels
    primary = steady.await_steady()

    def turn_to_it_every(milliseconds: int) -> None:
        for other in others:
            with other.client() as client:  # the pause between two attempts to connect, too
                client.execute_command("SENTINEL", "DEBUG", "ping-period", milliseconds)

    turn_to_it_every(600_000)
    sentinel.kill()
    sentinel.start()
    wait_until(lambda: sentinel.watched() == (primary.address, 2, 2, "master"), 10, "everybody known to it")
    with pytest.raises(AssertionError):
        settled(sentinel, 2, seconds=3)
    assert "has not settled yet" in sentinel.execute("is-sentinel-ready.sh").stdout
    turn_to_it_every(HURRIED["ping-period"])

    settled(sentinel, 2)


def test_sentinel_that_does_not_reach_the_primary_connects_anew(steady: Deployment) -> None:
    """A connection that hangs, as one to the address of a pod that is gone does, is not waited for."""
    primary = steady.await_steady()
    sentinel, *others = steady.sentinels
    for other in others:
        other.kill()
    sentinel.kill()

    def connections() -> int:
        with primary.client() as client:
            return int(client.info("stats")["total_connections_received"])

    before = connections()
    primary.signal(signal.SIGSTOP)
    sentinel.start()
    wait_until(lambda: sentinel.said().count("auth-pass") >= 3, 15, "connections dropped three times")
    primary.signal(signal.SIGCONT)

    settled(sentinel, 2)
    # Each time one for commands and one for messages, and two questions of this test.
    assert connections() - before >= 3 * 2 + 2
    assert "settled: primary none" not in sentinel.said()


def test_restart_does_not_wait_for_sentinels_that_are_gone(steady: Deployment) -> None:
    """Who does not answer reaches nobody."""
    sentinel, *others = steady.sentinels
    for other in others:
        other.kill()
    sentinel.kill()
    sentinel.start()

    settled(sentinel, 2)


def test_lost_claim_finds_the_primary_by_the_other_sentinels_under_its_old_id(steady: Deployment) -> None:
    primary = promote_another(steady)
    sentinel = steady.sentinels[1]
    identity = my_id(sentinel)
    lose_claim(sentinel)
    sentinel.start()
    steady.await_steady(primary)
    assert my_id(sentinel) == identity
    assert "as the other Sentinels do" in sentinel.said()
    assert {state(each)["num-other-sentinels"] for each in steady.sentinels} == {2}


def test_loss_of_all_claims_finds_whoever_serves_as_primary(steady: Deployment) -> None:
    primary = promote_another(steady)
    for sentinel in steady.sentinels:
        lose_claim(sentinel)
    for sentinel in steady.sentinels:
        sentinel.start()
    steady.hurry_sentinels()
    steady.await_steady(primary)
    assert any("which serves as primary" in sentinel.said() for sentinel in steady.sentinels)


def test_names_that_do_not_resolve_yet_do_not_stop_it(tmp_path: Path) -> None:
    with deployment(tmp_path) as deployed:
        sentinel = deployed.sentinels[0]
        ghosts = [f"sentinel known-replica {MASTER_NAME} redis-{n}.invalid 6379" for n in (1, 2)]
        peer = f"sentinel known-sentinel {MASTER_NAME} other.invalid 26379 {'a' * 40}"
        remembered = [
            f"sentinel monitor {MASTER_NAME} redis-0.invalid 6379 2",
            f"sentinel myid {'b' * 40}",
            *ghosts,
            peer,
        ]
        (sentinel.data / "sentinel.conf").write_text("\n".join(remembered) + "\n")
        sentinel.start(SETTLE_PATIENCE="1")
        settled(sentinel, 1)
        found = state(sentinel)
        assert (found["num-slaves"], found["num-other-sentinels"]) == (2, 1)
        assert my_id(sentinel) == "b" * 40


def test_primary_that_is_not_reached_yet_is_given_time(tmp_path: Path) -> None:
    with deployment(tmp_path) as deployed:
        sentinel = deployed.sentinels[0]
        sentinel.start(FIRST_PATIENCE="3")
        wait_until(lambda: state(sentinel)["down-after-milliseconds"] == 60000, 3, "its start")
        assert "s_down" not in state(sentinel)["flags"]
        settled(sentinel, 1)
        wait_until(lambda: "s_down" in state(sentinel)["flags"], 3, "s_down once it settled")
