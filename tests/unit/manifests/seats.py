"""Seats as the manifests make them: the real start, stop and probe scripts around real servers on loopback.

A seat keeps its claim (``data``) over restarts; what a new pod gets afresh (``run`` directory, address) is renewed by
``start(new_pod=True)``. The configuration is the deployed one with shorter times.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import redis
import yaml

from tests.unit.processes import LOOPBACK, MASTER_NAME, MissingRedis, free_port, wait_until

BASE = Path(__file__).parents[3] / "manifests" / "base"
SCRIPTS = BASE / "scripts"
_pod_addresses = count(1)
#: Sentinel's pace in milliseconds. ping-period stays above 200: a replica is promotable only while its last INFO is
#: younger than five of them, and INFO comes once a second while the primary is down (sentinel.c, sentinelSelectSlave).
HURRIED = {"info-period": 200, "publish-period": 200, "ping-period": 300, "ask-period": 100}

#: The down-after with which a Sentinel starts (start-sentinel.sh).
UNSETTLED_MS = 60_000

#: The exit status of a start script that does not start its server for now.
REFUSED = 1


class Seat:
    """One seat of a StatefulSet: a name that stays (here its port), a claim, and a process that comes and goes."""

    def __init__(self, name: str, script: str, root: Path, environment: Mapping[str, str], tools: Path | None) -> None:
        self.name = name
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.data, self.run = root / name / "data", root / name / "run"
        self.log = root / name / "log"
        self.data.mkdir(parents=True)
        self._script = script
        self._environment = dict(environment)
        self._tools = tools
        self._process: subprocess.Popen[bytes] | None = None
        self._pod_address = ""
        self._observer: Any = self.client()

    def start(self, *, new_pod: bool = True, **environment: str) -> None:
        """Run the start script, in a new pod or in the old one; `environment` is added for this start."""
        if new_pod:
            shutil.rmtree(self.run, ignore_errors=True)
            self._pod_address = f"10.0.0.{next(_pod_addresses)}"
        self.run.mkdir(exist_ok=True)
        self._environment |= environment
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(self._script), env=self._env(), stdout=log, stderr=log, start_new_session=True
            )

    def start_again_if_it_would_not_start(self) -> None:
        """Do what the kubelet does: a start script may refuse, on a seat that was never primary before, say."""
        if self._process is not None and self._process.poll() == REFUSED:
            self.start(new_pod=False)

    def execute(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run another script of the pod (a probe, a hook) beside the server, and return how it ended."""
        return subprocess.run(
            self._command(script),
            env={**self._env(), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kill(self) -> None:
        """End the server at once."""
        self.signal(signal.SIGKILL)
        self.wait()

    def delete(self) -> subprocess.CompletedProcess[str]:
        """End it as a deletion of the pod does: the preStop hook, then SIGTERM."""
        hook = self.execute("hand-over.sh" if self._script == "start-redis.sh" else "finish-promotion.sh")
        self.signal(signal.SIGTERM)
        self.wait()
        return hook

    def signal(self, number: signal.Signals) -> None:
        """Send the server (or the script that has not started it yet) a signal."""
        assert self._process is not None, f"{self.name} was never started"
        os.killpg(self._process.pid, number)

    def wait(self, seconds: float = 15) -> int:
        """Wait until it ended; its exit status."""
        assert self._process is not None, f"{self.name} was never started"
        return self._process.wait(timeout=seconds)

    @property
    def is_running(self) -> bool:
        """Whether the start script or the server lives."""
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """What the scripts and the server wrote so far."""
        return self.log.read_text()

    def client(self) -> redis.Redis:
        """A client without retries, to be closed by its user."""
        return redis.Redis(
            host=LOOPBACK, port=self.port, decode_responses=True, socket_timeout=2, socket_connect_timeout=2, retry=None
        )

    def role(self) -> str:
        """``primary``, ``replica of HOST:PORT`` with the link up, or what is missing for either."""
        try:
            match self._observer.role():
                case ["master", *_]:
                    return "primary"
                case ["slave", host, port, "connected", *_]:
                    return f"replica of {host}:{port}"
                case other:
                    return str(other)
        except (redis.RedisError, OSError) as error:
            return str(error)

    def watched(self) -> tuple[str, int, int, str]:
        """Of a Sentinel: the primary's address, the replicas and the other Sentinels it knows, the primary's flags."""
        reply = self._observer.sentinel_get_master_addr_by_name(MASTER_NAME)
        state = self._observer.sentinel_master(MASTER_NAME)
        return f"{reply[0]}:{reply[1]}", state["num-slaves"], state["num-other-sentinels"], str(state["flags"])

    def down_after_ms(self) -> int:
        """Of a Sentinel: the down-after that is in force."""
        return int(self._observer.sentinel_master(MASTER_NAME)["down-after-milliseconds"])

    def close(self) -> None:
        """Kill what lives."""
        self._observer.close()
        if self.is_running:
            self.kill()

    def _command(self, script: str) -> list[str]:
        return [str(self._tools / "sh") if self._tools else "sh", str(SCRIPTS / script)]

    def _env(self) -> dict[str, str]:
        own = {"SELF": self.address, "POD_IP": self._pod_address, "DATA_DIR": str(self.data), "RUN_DIR": str(self.run)}
        probed = {"PROBE_PORT": str(self.port), "LOG_TO": str(self.log), "MASTER_NAME": MASTER_NAME}
        path = f"{self._tools}" if self._tools else os.environ["PATH"]
        return {"PATH": path, **own, **probed, **self._environment}


class Deployment:
    """Three Redis seats and three Sentinels that know each other's addresses; none of them started."""

    def __init__(self, root: Path, tools: Path | None = None, *, down_after_ms: int = 1000) -> None:
        if shutil.which("redis-server") is None:
            raise MissingRedis(
                "redis-server is not installed; `make test` installs it, or: apt-get install redis-server"
            )
        self.config = root / "config"
        self.config.mkdir()
        for name, text in deployed_configuration().items():
            self.write_config(name, text)
        self.edit_config(
            "sentinel.conf",
            r"down-after-milliseconds mymaster \d+",
            f"down-after-milliseconds mymaster {down_after_ms}",
        )
        # Nobody is late here, so the first Sentinel of all need not wait for others to answer.
        environment = {"CONFIG_DIR": str(self.config), "PEERS_PATIENCE": "0"}
        self.redises = [Seat(f"redis-{n}", "start-redis.sh", root, environment, tools) for n in range(3)]
        self.sentinels = [Seat(f"redis-sentinel-{n}", "start-sentinel.sh", root, environment, tools) for n in range(3)]
        peers = {
            "REDIS_PEERS": " ".join(seat.address for seat in self.redises),
            "SENTINEL_PEERS": " ".join(seat.address for seat in self.sentinels),
        }
        for seat in self.seats:
            seat._environment |= peers

    @property
    def seats(self) -> list[Seat]:
        """All six."""
        return [*self.redises, *self.sentinels]

    def write_config(self, name: str, text: str) -> None:
        """Replace redis.conf or sentinel.conf, as an edit of the ConfigMap does."""
        (self.config / name).write_text(text + f"\nbind {LOOPBACK}\n")

    def edit_config(self, name: str, pattern: str, replacement: str) -> None:
        """Change one setting of the ConfigMap; it must be there."""
        text, found = re.subn(pattern, replacement, (self.config / name).read_text())
        assert found == 1, f"{pattern} matches {found} lines of {name}"
        (self.config / name).write_text(text)

    def start(self, *, new_pods: bool = True) -> None:
        """Start all six at once, and hurry the Sentinels."""
        for seat in self.seats:
            seat.start(new_pod=new_pods)
        self.hurry_sentinels()

    def hurry_sentinels(self) -> None:
        """Let the Sentinels look ten times as often as they do by themselves."""
        for seat in self.sentinels:
            with seat.client() as client:
                wait_until(client.ping, 10, f"an answer of {seat.name}")
                for setting, value in HURRIED.items():
                    client.execute_command("SENTINEL", "DEBUG", setting, value)

    def named(self) -> set[str]:
        """The addresses that the Sentinels name."""
        return {seat.watched()[0] for seat in self.sentinels}

    def await_steady(self, primary: Seat | None = None, seconds: float = 60) -> Seat:
        """Wait until everybody agrees on one primary (on the given one); return it."""

        def agreed() -> Seat | None:
            time.sleep(0.05)
            for seat in self.redises:
                seat.start_again_if_it_would_not_start()
            serving = [seat for seat in self.redises if seat.role() == "primary"]
            followers = [seat for seat in self.redises if serving and seat.role() == f"replica of {serving[0].address}"]
            if len(serving) != 1 or len(followers) != 2 or not self._is_known(serving[0]):
                return None
            return serving[0] if primary in {None, serving[0]} else None

        found = wait_until(agreed, seconds, f"a steady deployment; roles {[seat.role() for seat in self.redises]}")
        assert isinstance(found, Seat)
        return found

    def _is_known(self, primary: Seat) -> bool:
        """Whether every Sentinel could promote another: with less it gives up and waits twice the failover-timeout."""
        views = [seat.watched() for seat in self.sentinels]
        busy = any(word in flags for *_, flags in views for word in ("down", "in_progress"))
        has_settled = all(seat.down_after_ms() != UNSETTLED_MS for seat in self.sentinels)
        return {view[:3] for view in views} == {(primary.address, 2, 2)} and not busy and has_settled

    def close(self) -> None:
        """Kill everything."""
        for seat in self.seats:
            seat.close()


@contextmanager
def deployment(root: Path, tools: Path | None = None, *, down_after_ms: int = 1000) -> Iterator[Deployment]:
    """A deployment whose processes are gone afterwards."""
    made = Deployment(root, tools, down_after_ms=down_after_ms)
    try:
        yield made
    finally:
        made.close()


def deployed_configuration() -> dict[str, str]:
    """redis.conf and sentinel.conf of the ConfigMap redis-config."""
    config_map = yaml.safe_load((BASE / "10-config.yaml").read_text())
    return dict(config_map["data"])


def busybox_tools(directory: Path) -> Path:
    """A directory that is a whole PATH: busybox for everything but redis, as in the images."""
    busybox = shutil.which("busybox")
    assert busybox, "busybox is not installed; `make test` installs it, or: apt-get install busybox"
    directory.mkdir()
    subprocess.run([busybox, "--install", "-s", str(directory)], check=True, timeout=10)
    for program in ("redis-server", "redis-cli"):
        found = shutil.which(program)
        assert found, f"{program} is not installed; apt-get install redis-server redis-tools"
        (directory / program).symlink_to(found)
    return directory
