"""What the probe scripts say about servers in every condition that a probe meets."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.manifests.seats import SCRIPTS, Deployment, Seat, deployment
from tests.unit.processes import LOOPBACK, MASTER_NAME, RedisProcess, running_topology, wait_until


def verdict(script: str, port: int, **environment: str) -> str:
    """``ok``, or what the probe says; a probe that does not end is ended by the kubelet, and failed."""
    peers = {"MASTER_NAME": MASTER_NAME, "SENTINEL_PEERS": "a b c", "REDIS_PEERS": "a b c"}
    command, path = ["sh", str(SCRIPTS / script)], {"PATH": "/usr/bin:/bin"}
    try:
        ended = subprocess.run(
            command, env={**path, "PROBE_PORT": str(port), **peers, **environment},
            capture_output=True, text=True, timeout=2, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "no answer in time"
    return "ok" if ended.returncode == 0 else ended.stdout.strip() + ended.stderr.strip()


def is_alive(port: int) -> bool:
    return verdict("is-alive.sh", port) == "ok"


def readiness(port: int, **environment: str) -> str:
    return verdict("is-redis-ready.sh", port, **environment)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisProcess]:
    process = RedisProcess("redis-0", tmp_path, ['save ""']).start().await_answer()
    yield process
    process.close()


def test_primary_is_alive_and_ready(server: RedisProcess) -> None:
    assert is_alive(server.port)
    assert readiness(server.port) == "ok"


def test_stopped_server_is_neither(server: RedisProcess) -> None:
    server.kill()
    assert not is_alive(server.port)
    assert "refused" in readiness(server.port)


def test_frozen_server_is_neither(server: RedisProcess) -> None:
    server.pause()
    assert not is_alive(server.port)
    assert readiness(server.port) == "no answer in time"


def test_server_that_demands_a_password_is_alive_but_not_ready(server: RedisProcess) -> None:
    server.client().config_set("requirepass", "secret")
    assert is_alive(server.port)
    assert "NOAUTH" in readiness(server.port)
    assert readiness(server.port, REDISCLI_AUTH="secret") == "ok"


def test_loading_server_is_alive_but_not_ready(tmp_path: Path) -> None:
    slow = ["key-load-delay 1000", "loading-process-events-interval-bytes 1024", "enable-debug-command yes"]
    process = RedisProcess("redis-0", tmp_path, slow).start().await_answer()
    try:
        process.client().execute_command("DEBUG", "POPULATE", "5000")
        process.client().save()
        process.kill()
        process.start().await_answer()
        assert is_alive(process.port)
        assert "LOADING" in readiness(process.port)
    finally:
        process.close()


def test_server_that_cannot_save_is_alive_but_not_ready(server: RedisProcess) -> None:
    client = server.client()
    client.config_set("save", "3600 1")
    client.set("key", "value")
    server.directory.joinpath("dump.rdb").mkdir()  # the rename onto it must fail
    client.bgsave()
    wait_until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", 5, "a failed save")
    assert is_alive(server.port)
    assert "MISCONF" in readiness(server.port)


def test_busy_server_is_alive_but_not_ready(server: RedisProcess) -> None:
    server.client().config_set("busy-reply-threshold", 100)
    endless = ["redis-cli", "-p", str(server.port), "EVAL", "while true do end", "0"]
    with subprocess.Popen(endless, stdout=subprocess.DEVNULL) as client:
        try:
            wait_until(lambda: "BUSY" in readiness(server.port), 5, "a busy server")
            assert is_alive(server.port)
        finally:
            server.client().script_kill()
            client.wait(5)
    assert readiness(server.port) == "ok"


def test_replica_is_ready_only_with_its_link_up(tmp_path: Path) -> None:
    with running_topology(tmp_path, replicas=1, sentinels=0) as topology:
        primary, replica = topology.redises["redis-0"], topology.redises["redis-1"]
        assert readiness(replica.port) == "ok"
        primary.kill()
        wait_until(lambda: "link" in readiness(replica.port), 5, "a lost link")
        assert is_alive(replica.port)


class TestSentinel:
    """Readiness of a Sentinel."""

    @pytest.fixture
    def deployed(self, tmp_path: Path) -> Iterator[Deployment]:
        with deployment(tmp_path) as made:
            yield made

    def says(self, seat: Seat) -> str:
        ended = seat.execute("is-sentinel-ready.sh")
        return "ok" if ended.returncode == 0 else ended.stdout.strip()

    def test_ready_once_it_knows_everybody(self, deployed: Deployment) -> None:
        alone = deployed.sentinels[0]
        alone.start(SETTLE_PATIENCE="2")
        wait_until(lambda: self.says(alone) == "not ready: knows 0 other Sentinels of 2", 5, "a lonely Sentinel")
        assert alone.execute("is-alive.sh").returncode == 0
        for seat in [*deployed.redises, *deployed.sentinels[1:]]:
            seat.start()
        deployed.hurry_sentinels()
        deployed.await_steady()
        wait_until(lambda: [self.says(seat) for seat in deployed.sentinels] == ["ok"] * 3, 5, "all to be ready")
        # The loss of the others does not count: who can name the primary must stay findable.
        for seat in deployed.sentinels[1:]:
            seat.kill()
        assert self.says(alone) == "ok"
        alone.signal(signal.SIGSTOP)
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(["redis-cli", "-h", LOOPBACK, "-p", str(alone.port), "PING"], timeout=1, check=False)
        alone.signal(signal.SIGCONT)

    def test_not_ready_before_it_settled(self, deployed: Deployment) -> None:
        deployed.start()
        deployed.await_steady()
        wait_until(lambda: self.says(deployed.sentinels[0]) == "ok", 5, "it to be ready")
        with deployed.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "SET", MASTER_NAME, "down-after-milliseconds", "60000")
        assert self.says(deployed.sentinels[0]) == "not ready: has not settled yet"
