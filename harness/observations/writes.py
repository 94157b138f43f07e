"""Writing a value of the suite's own and seeing where it arrives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from harness import wait
from harness.errors import ObservationError
from harness.sut import Sut
from harness.sut.names import KEY_PREFIX, PRIMARY_NAME, REDIS, REDIS_SERVICE, SENTINEL, kind_of, seat_of

#: Replication on a healthy network takes milliseconds; this is patience, not a limit.
ARRIVAL_S = 5.0

#: A key that the suite failed to remove goes by itself.
KEY_LIFE_S = 60

#: New connections made through a Service. With one of three instances writable and connections spread evenly, that many
#: writes are all accepted by luck once in 3**12 = 531,441 runs.
TRIES = 12


@dataclass(frozen=True, slots=True)
class Written:
    """One value, the seat that took it and the replication offset (bytes) that its primary stood at afterwards."""

    key: str
    value: str
    seat: str
    offset: int


@contextmanager
def value_written(sut: Sut, primary: str) -> Iterator[Written]:
    """A fresh value, written on the instance `primary` and removed at the end. Raises ObservationError if refused."""
    key, value = f"{KEY_PREFIX}probe:{uuid4().hex}", uuid4().hex
    reply, role = sut.ask(primary, f"SET {key} {value} EX {KEY_LIFE_S}", "ROLE")
    if reply != "OK":
        raise ObservationError(f"{primary} was asked to SET a key and answered {reply!r}")
    try:
        yield Written(key, value, primary, int(role[1]))
    finally:
        sut.ask(primary, f"DEL {key}")


def values_everywhere(sut: Sut, written: Written) -> dict[str, Any]:
    """Return what each instance has under the written key, by seat."""
    answers = sut.ask_each(f"GET {written.key}", stateful_set=REDIS.stateful_set)
    return {seat: answer[0] for seat, answer in answers.items()}


def arrived(sut: Sut, written: Written) -> dict[str, Any]:
    """Return the value on each seat, waiting for the replicas to have it. Raises WaitTimeout naming who has not."""
    return wait.eventually(
        partial(values_everywhere, sut, written),
        lambda found: set(found.values()) == {written.value},
        seconds=ARRIVAL_S,
        what=f"{written.key} on every instance",
    )


def discovered_by_each_sentinel(sut: Sut) -> dict[str, str]:
    """Return, by Sentinel, the host name that it hands to clients, asked from another pod as a client would."""
    sentinels = [seat for seat in sut.pod_objects() if kind_of(seat) is SENTINEL]
    hosts = sut.cluster.gather([partial(discovered_primary, sut, seat) for seat in sentinels])
    return dict(zip(sentinels, hosts, strict=True))


def discovered_primary(sut: Sut, sentinel: str) -> str:
    """Return the host name that `sentinel` hands to clients. Raises ObservationError when it hands out none."""
    argv = ["redis-cli", "-h", f"{sentinel}.{SENTINEL.headless}", "-p", str(SENTINEL.port), "--raw"]
    argv += ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY_NAME]
    printed = sut.run(client_seat(sut), argv).check().stdout.split()
    if len(printed) != 2:
        raise ObservationError(f"{sentinel} was asked for the primary's address and answered {' '.join(printed)!r}")
    return printed[0]


def client_seat(sut: Sut) -> str:
    """Return the pod from which the suite acts as a client: the last Redis seat that has one."""
    return max(seat for seat in sut.pod_objects() if kind_of(seat) is REDIS)


@contextmanager
def value_written_at(sut: Sut, host: str) -> Iterator[Written]:
    """A fresh value, written and read back at `host` by name from another pod, and removed at the end."""
    key, value, client = f"{KEY_PREFIX}client:{uuid4().hex}", uuid4().hex, client_seat(sut)
    replies = sut.ask(client, f"SET {key} {value} EX {KEY_LIFE_S}", f"GET {key}", "ROLE", host=host)
    if replies[:2] != ["OK", value]:
        raise ObservationError(f"SET and GET at {host} were answered with {replies[0]!r} and {replies[1]!r}")
    try:
        yield Written(key, value, seat_of(host), int(replies[2][1]))
    finally:
        sut.ask(client, f"DEL {key}", host=host)


def refusals_through_service(sut: Sut) -> list[str]:
    """Return the answers other than OK to TRIES writes, each over a new connection through the Service `redis`."""
    key = f"{KEY_PREFIX}service:{uuid4().hex}"
    redis_cli = f"redis-cli -h {REDIS_SERVICE} -p {REDIS.port}"
    script = (
        f'n=0; while [ $n -lt {TRIES} ]; do {redis_cli} SET "$1" x EX {KEY_LIFE_S} 2>&1; n=$((n+1)); done; '
        f'{redis_cli} DEL "$1" >/dev/null'
    )
    done = sut.run(client_seat(sut), ["sh", "-c", script, "write", key], seconds=30)
    replies = [line for line in done.stdout.splitlines() if line.strip()]
    if len(replies) < TRIES:
        raise ObservationError(f"{len(replies)} of {TRIES} writes through Service {REDIS_SERVICE} ended: {done.stderr}")
    return [reply for reply in replies if reply != "OK"]


def replica_offsets(sut: Sut) -> dict[str, int]:
    """Return the replication offset (bytes) of every replica, by seat."""
    return {view.seat: view.offset for view in sut.topology().redis if view.role == "replica"}
