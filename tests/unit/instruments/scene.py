"""A scene for one proof: real servers and Sentinels, a real witness, and counts made by the test itself.

What the instruments say is compared with what is counted here: nothing of the harness is used for the counting.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import redis

from harness.clock import Bracket
from harness.workload import Recording
from tests.unit.processes import RedisProcess, Topology, running_topology, wait_until
from tests.unit.witness.local import LocalWitness, running_witness

#: A failover's own time is the constants': a promotion is seen by INFO once a second (sentinel.c).
PATIENCE_S = 30.0
WRITES_BEFORE = 300
#: Roles are sampled every tenth of a second.
SAMPLES_S = 0.3


class Scene(NamedTuple):
    """What a proof needs."""

    topology: Topology
    witness: LocalWitness

    @contextmanager
    def recording(self, name: str, **options: Any) -> Iterator[Recording]:
        """A workload that has begun to write. Its writes stay for the test to count, and whoever died is not awaited.

        `options` are those of :meth:`harness.workload.Workload.running`.
        """
        workload = self.witness.workload_on(self.topology)
        with workload.running(name, cleanup=False, catch_up_s=3.0, **options) as recording:
            wait_until(lambda: recording.status.acknowledged > WRITES_BEFORE, 20, "writes")
            yield recording

    def await_demotion(self, seat: str) -> None:
        """Wait until `seat` is a replica, everybody agrees, and the witness has sampled it."""
        client = self.topology.redises[seat].client()
        wait_until(lambda: client.role()[0] == "slave", PATIENCE_S, f"the demotion of {seat}")
        self.topology.await_steady(PATIENCE_S)
        time.sleep(SAMPLES_S)


@contextmanager
def running_scene(directory: Path, **options: Any) -> Iterator[Scene]:
    """A steady topology and a witness, for the length of a block; `options` are those of ``running_topology``."""
    with (
        running_topology(directory / "redis", **options) as topology,
        running_witness(directory / "witness") as witness,
    ):
        yield Scene(topology, witness)


def felled(recording: Recording, name: str, act: Callable[[], object]) -> Bracket:
    """Do something to a process and note when."""
    sent = time.monotonic()
    act()
    bracket = Bracket(sent, time.monotonic())
    recording.mark(name, bracket)
    return bracket


def await_acks(recording: Recording, since: Bracket, number: int = 100) -> None:
    """Wait until writes flow again."""
    wait_until(lambda: recording.acks_since(since) >= number, PATIENCE_S, f"{number} acknowledged writes")


class OwnCount(NamedTuple):
    """Counted from the lines of the journal and from what an instance holds: acknowledged and missing, by group."""

    acknowledged: dict[str, int]
    missing: dict[str, int]


def own_count(journal: Path, instance: RedisProcess) -> OwnCount:
    """Count, by group of writers, the acknowledged writes and those of them that are not on `instance`."""
    lines = journal.read_text().splitlines()
    workload = json.loads(lines[0])["workload"]
    groups = [writer["group"] for writer in workload["writers"]]
    held = _Held(instance.client(), workload["id"])
    acknowledged: dict[str, int] = defaultdict(int)
    missing: dict[str, int] = defaultdict(int)
    for line in lines[1:]:
        if not line.startswith('["w",'):
            continue
        _, writer, sequence, _, _, outcome, *_ = json.loads(line)
        if outcome == "o":
            acknowledged[groups[writer]] += 1
            missing[groups[writer]] += not held.has(writer, sequence)
    return OwnCount(dict(acknowledged), {group: number for group, number in missing.items() if number})


class _Held:
    """What an instance holds, a hash at a time: a write is a field of one of 128 fields (``witness/writer.py``)."""

    def __init__(self, client: redis.Redis, workload: str) -> None:
        self._client = client
        self._workload = workload
        self._hashes: dict[tuple[int, int], dict[str, str]] = {}

    def has(self, writer: int, sequence: int) -> bool:
        place, field = divmod(sequence, 128)
        if (writer, place) not in self._hashes:
            key = f"e2e:w:{self._workload}:{writer}:{place}"
            self._hashes[writer, place] = self._client.hgetall(key)
        return self._hashes[writer, place].get(str(field)) == f"{writer}.{sequence}"


class Omniscient(threading.Thread):
    """A client that needs no Sentinel: it writes to whichever instance accepts writes, every few milliseconds.

    Its longest time without an acknowledgement is how long there really was nobody to write to.
    """

    PAUSE_S = 0.002

    def __init__(self, topology: Topology) -> None:
        super().__init__(daemon=True)
        options = {"socket_timeout": 0.2, "socket_connect_timeout": 0.2}
        self._clients = [each.client(**options) for each in topology.redises.values()]
        self._over = threading.Event()
        self._acks: list[float] = []

    def run(self) -> None:
        """Write until told to stop."""
        while not self._over.is_set():
            for client in list(self._clients):
                try:
                    client.set("e2e:omniscient", "1")
                except redis.RedisError:
                    continue
                self._acks.append(time.monotonic())
                self._clients.remove(client)
                self._clients.insert(0, client)
                break
            time.sleep(self.PAUSE_S)

    def longest_gap(self) -> float:
        """Stop, and return the longest time between two acknowledgements, in seconds."""
        self._over.set()
        self.join()
        return max(later - earlier for earlier, later in zip(self._acks, self._acks[1:], strict=False))
