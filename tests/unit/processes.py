"""Real redis-server and Sentinel processes on loopback, for tests that need no cluster but the truth.

Everything lives below a directory of the caller's (a pytest ``tmp_path``), on free ports of its own, so that tests run
side by side. Sentinels are sped up with ``SENTINEL DEBUG`` (Redis 7.0 and newer): steady in about a second.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import redis

LOOPBACK = "127.0.0.1"
MASTER_NAME = "mymaster"
#: Sentinel's own pace in milliseconds, faster than the default of 10,000, 2,000, 1,000 and 1,000. Not faster: a
#: replica is fit for promotion while its INFO is younger than five ping periods, and then it is asked once a second.
FAST_SENTINEL = {"info-period": 200, "publish-period": 200, "ping-period": 300, "ask-period": 100}


class MissingRedis(RuntimeError):
    """redis-server is not installed; the message says how to get it."""


#: Ports for servers, below those that the kernel gives to outgoing connections (32768 and up): a port of those, free
#: now, may belong to somebody's client a moment later. Each pytest-xdist worker has a stretch of its own.
FIRST_PORT, PORTS_EACH = 10_000, 2_000
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(range(FIRST_PORT + _WORKER * PORTS_EACH, FIRST_PORT + (_WORKER + 1) * PORTS_EACH))


def free_port() -> int:
    """A port that nobody listens on right now and that no outgoing connection will be given."""
    for port in itertools.islice(_ports, PORTS_EACH):
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no port is free from {FIRST_PORT + _WORKER * PORTS_EACH} on")


def wait_until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true value of `condition`; AssertionError naming `what` after `seconds`."""
    limit = time.monotonic() + seconds
    seen: object = None
    while time.monotonic() < limit:
        try:
            if seen := condition():
                return seen
        except (redis.RedisError, OSError) as exc:
            seen = exc
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds:g} s for {what}; last seen: {seen!r}")


class RedisProcess:
    """One redis-server (or Sentinel) process: started, signalled, restarted on the same port and directory."""

    def __init__(self, name: str, directory: Path, lines: Sequence[str], *, port: int | None = None) -> None:
        self.name = name
        self.port = port or free_port()
        self.directory = directory / name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config = self.directory / "redis.conf"
        self._sentinel = any(line.startswith("sentinel ") for line in lines)
        self.config.write_text(
            "\n".join([f"port {self.port}", f"bind {LOOPBACK}", f"dir {self.directory}", *lines]) + "\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[redis.Redis] = []

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.poll()

    @property
    def log(self) -> Path:
        """Where it writes its log; every start appends."""
        return self.directory / "log"

    def client(self, **options: Any) -> redis.Redis:
        """A client without retries and with short timeouts, closed with the process."""
        settings = {"socket_timeout": 2.0, "socket_connect_timeout": 2.0, "decode_responses": True, "retry": None}
        client = redis.Redis(host=LOOPBACK, port=self.port, **{**settings, **options})
        self._clients.append(client)
        return client

    def start(self) -> Self:
        """Start the process, without waiting for its answer."""
        executable = shutil.which("redis-server")
        if executable is None:
            raise MissingRedis(
                "redis-server is not installed; `make test` installs it, or: apt-get install redis-server"
            )
        command = [executable, str(self.config), *(["--sentinel"] if self._sentinel else [])]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        return self

    def await_answer(self, seconds: float = 15.0) -> Self:
        """Wait until it answers PING (a refusal such as NOAUTH is an answer too)."""
        wait_until(self._answers, seconds, f"an answer of {self.name} (log: {self.log})")
        return self

    def _answers(self) -> bool:
        assert self._process is None or self._process.poll() is None, (
            f"{self.name} ended: {self.log.read_text()[-800:]}"
        )
        with socket.create_connection((LOOPBACK, self.port), timeout=1) as raw:
            raw.sendall(b"PING\r\n")
            return raw.recv(16)[:1] in {b"+", b"-"}

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._signal_and_reap(signal.SIGKILL)

    def terminate(self) -> None:
        """SIGTERM (Redis saves and exits), and wait until it is gone."""
        self._signal_and_reap(signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP: it keeps its sockets and answers nothing."""
        self._process_or_fail().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process_or_fail().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill it if it lives and close its clients; harmless if it never started."""
        for client in self._clients:
            client.close()
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _process_or_fail(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, f"{self.name} was never started"
        assert self._process.poll() is None, f"{self.name} does not run any more"
        return self._process

    def _signal_and_reap(self, number: signal.Signals) -> None:
        process = self._process_or_fail()
        process.send_signal(number)
        process.wait(timeout=15)


class Topology:
    """A primary, its replicas and their Sentinels, by seat name: ``redis-0`` (the first primary), ``sentinel-0``..."""

    def __init__(self, redises: Mapping[str, RedisProcess], sentinels: Mapping[str, RedisProcess]) -> None:
        self.redises = dict(redises)
        self.sentinels = dict(sentinels)

    @property
    def seats(self) -> dict[str, str]:
        """Redis seats by name as ``host:port``."""
        return {name: each.address for name, each in self.redises.items()}

    @property
    def sentinel_addresses(self) -> dict[str, str]:
        """Sentinels by name as ``host:port``."""
        return {name: each.address for name, each in self.sentinels.items()}

    def named_primary(self, sentinel: str = "sentinel-0") -> RedisProcess:
        """The instance that one Sentinel names."""
        _, port = self.sentinels[sentinel].client().sentinel_get_master_addr_by_name(MASTER_NAME)
        return next(each for each in self.redises.values() if each.port == int(port))

    def await_steady(self, seconds: float = 20.0) -> Self:
        """Wait until all Sentinels name one primary, know everybody, and all replicas are linked."""
        wait_until(self._is_steady, seconds, "a steady topology")
        return self

    def _is_steady(self) -> bool:
        named = set()
        for sentinel in self.sentinels.values():
            state = sentinel.client().execute_command("SENTINEL", "MASTER", MASTER_NAME)
            others, replicas = int(state["num-other-sentinels"]), int(state["num-slaves"])
            if others != len(self.sentinels) - 1 or replicas < len(self.redises) - 1 or "down" in str(state["flags"]):
                return False
            named.add(int(state["port"]))
        primaries = [each for each in self.redises.values() if not named or each.port in named]
        if self.sentinels and len(named) != 1:
            return False
        primary = primaries[0]
        info = primary.client().info("replication")
        linked = [key for key in info if key.startswith("slave") and isinstance(info[key], dict)]
        online = [key for key in linked if info[key]["state"] == "online"]
        is_complete = info["role"] == "master" and len(online) == len(self.redises) - 1
        return is_complete and self._everybody_receives(primary)

    def _everybody_receives(self, primary: RedisProcess) -> bool:
        """Whether a command reaches every replica now.

        After a diskless sync Redis calls a replica online up to a second before it sends it the stream of commands,
        which waits for the replica's first acknowledgement (seen with 7.0.15 and two replicas: 0.9 s later in 4 of 14
        starts); what is written meanwhile is on the primary alone. PUBLISH is replicated and leaves nothing behind.
        """
        client = primary.client(single_connection_client=True)  # WAIT is about the connection's own commands
        client.publish("e2e:steady", "1")
        return int(client.execute_command("WAIT", len(self.redises) - 1, 1000)) == len(self.redises) - 1


@contextmanager
def running_topology(
    directory: Path,
    *,
    replicas: int = 2,
    sentinels: int = 3,
    quorum: int = 2,
    down_after_ms: int = 1500,
    failover_timeout_ms: int = 4000,
    redis_lines: Sequence[str] = (),
    sentinel_lines: Sequence[str] = (),
) -> Iterator[Topology]:
    """Start a whole topology, wait until it is steady, and kill all of it afterwards."""
    started: list[RedisProcess] = []
    try:
        redises = _start_redises(directory, replicas, redis_lines, started)
        lines = [
            f"sentinel monitor {MASTER_NAME} {LOOPBACK} {redises['redis-0'].port} {quorum}",
            f"sentinel down-after-milliseconds {MASTER_NAME} {down_after_ms}",
            f"sentinel failover-timeout {MASTER_NAME} {failover_timeout_ms}",
            f"sentinel parallel-syncs {MASTER_NAME} 1",
            *sentinel_lines,
        ]
        watchers = {}
        for number in range(sentinels):
            sentinel = RedisProcess(f"sentinel-{number}", directory, lines)
            started.append(sentinel.start())
            watchers[sentinel.name] = sentinel
        for sentinel in watchers.values():
            sentinel.await_answer()
            for setting, value in FAST_SENTINEL.items():
                sentinel.client().execute_command("SENTINEL", "DEBUG", setting, value)
        yield Topology(redises, watchers).await_steady()
    finally:
        for process in reversed(started):
            process.close()


def _start_redises(
    directory: Path, replicas: int, extra: Sequence[str], started: list[RedisProcess]
) -> dict[str, RedisProcess]:
    common = ["appendonly yes", 'save ""', "repl-diskless-sync-delay 0", *extra]
    primary = RedisProcess("redis-0", directory, common)
    started.append(primary.start())
    redises = {"redis-0": primary}
    for number in range(1, replicas + 1):
        replica = RedisProcess(f"redis-{number}", directory, [*common, f"replicaof {LOOPBACK} {primary.port}"])
        started.append(replica.start())
        redises[replica.name] = replica
    for each in redises.values():
        each.await_answer()
    wait_until(lambda: primary.client().info("replication")["connected_slaves"] == replicas, 20, "replicas to connect")
    return redises
