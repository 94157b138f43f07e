"""Disk faults: files that cannot be written, and a volume that is full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from harness import wait
from harness.cluster import Cluster
from harness.errors import ClusterError, InjectionFailed, ObservationError
from harness.faults.base import Bench
from harness.faults.injector import Injector
from harness.faults.pods import SeatEmpty
from harness.faults.timer import Armed
from harness.sut import Sut
from harness.sut.names import REDIS_CONTAINER, REDIS_SET, kind_of
from harness.sut.replies import info

EFFECT_S = 20.0
#: A server that ended is started again after the kubelet's back-off.
BACK_S = 180.0

#: What a server with `appendonly yes` calls its files (redis.conf: appenddirname, appendfilename).
AOF = "appendonlydir/appendonly.aof.*.incr.aof"

#: Written to make servers try their disks. It expires at once, so it never stays.
ATTEMPT = f"SET e2e:disk-probe {'x' * 4096} PX 1"
ANSWER_S = 5.0

#: What Redis says when it ends for want of a disk (server.c, serverPanic; aof.c), and the system's own words.
DIED_OF_IT = (
    "Replica was unable to write command to disk",
    "Operation not permitted",
    "No space left on device",
)
SHOWN_LINES = 200

SMALL_MIB = 64
#: No file system above this is ever filled, whatever was asked for.
LARGEST_MIB = 256


class AofUnwritable(Armed):
    """The append-only file in use is immutable: Redis refuses writes with MISCONF, and answers PING with it too.

    A replica ends at the next write that it cannot keep, and does not start again before the fault is healed. A rewrite
    of the file during the fault begins a new one, which is not concerned; healing then finds the old one as it is, or
    gone.
    """

    kind = "immutable"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The file that was written last."""
        return {"paths": [f"{volume_path(bench.sut.cluster, self.seat)}/{AOF}$"]}

    def prepare(self, bench: Bench) -> None:
        """Note the container; what it writes must be good now."""
        require_redis(self.seat)
        super().prepare(bench)
        if writing_of(bench, self.seat) != "ok":
            raise InjectionFailed(f"{self.seat} cannot write to its append-only file already")

    def await_effect(self, bench: Bench) -> None:
        """Return when the server says that its last write to the file failed."""
        await_writing(bench, self.seat, well=False)

    def await_healed(self, bench: Bench) -> None:
        """Return when it says that its last write was good."""
        await_writing(bench, self.seat, well=True)


class ConfigReadOnly(Armed):
    """A Sentinel's configuration directory is immutable: what it learns is not kept, and it says so when asked."""

    kind = "immutable"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The directory of its claim: a configuration is written beside the old one and takes its place."""
        return {"paths": [volume_path(bench.sut.cluster, self.seat)]}

    def await_effect(self, bench: Bench) -> None:
        """Return when it cannot write its configuration."""
        wait.eventually(
            partial(self._flushed, bench),
            lambda said: said != "OK",
            seconds=EFFECT_S,
            what=f"{self.seat} unable to write its configuration",
        )

    def await_healed(self, bench: Bench) -> None:
        """Return when it can."""
        wait.eventually(
            partial(self._flushed, bench),
            lambda said: said == "OK",
            seconds=BACK_S,
            what=f"the configuration of {self.seat} written",
        )

    def _flushed(self, bench: Bench) -> str:
        return str(bench.sut.ask(self.seat, "SENTINEL FLUSHCONFIG")[0])


class OnSmallVolume(Armed):
    """A seat's volume is replaced by one of a few MiB that truly enforces its size: what DiskFull needs.

    The pod is away while the volume is exchanged, there and back, and its data moves along. Nothing is broken by it,
    and to keep the pod away takes the API, so no timer on the node heals it: the sweep and `make heal` do.
    """

    healed_by_sweep = True

    kind = "small_volume"

    def __init__(self, seat: str, *, mib: int = SMALL_MIB) -> None:
        super().__init__(seat)
        self.mib = mib

    @property
    def target(self) -> str:
        """The seat and the size."""
        return f"{self.seat}, {self.mib} MiB"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The directory, the size, and the seat for whoever puts the volume back."""
        path = volume_path(bench.sut.cluster, self.seat)
        return {"path": path, "mib": self.mib, "armed": False, "seat": self.seat}

    def inject(self, bench: Bench) -> None:
        """Keep the pod away, exchange the volume, let it back."""
        with _away(bench, self.seat):
            super().inject(bench)

    def await_effect(self, bench: Bench) -> None:
        """Return when the volume has this size; the new pod on it is Ready already."""
        wait.eventually(
            partial(self.look, bench),
            lambda seen: 0 < seen.get("mib", 0) <= self.mib,
            seconds=EFFECT_S,
            what=f"a small volume under {self.seat}",
        )

    def heal(self, bench: Bench) -> None:
        """Keep the pod away, put the volume back, let it back."""
        if self.look(bench):
            with _away(bench, self.seat):
                super().heal(bench)


class DiskFull(Armed):
    """The seat's volume is full to the last byte. Only on a small volume: nest it in OnSmallVolume."""

    kind = "filled"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The directory, and how large a file system may be to be filled."""
        return {"path": volume_path(bench.sut.cluster, self.seat), "at_most_mib": LARGEST_MIB}

    def prepare(self, bench: Bench) -> None:
        """Note the container."""
        require_redis(self.seat)
        super().prepare(bench)

    def await_effect(self, bench: Bench) -> None:
        """Return when the server says that its last write failed."""
        await_writing(bench, self.seat, well=False)

    def await_healed(self, bench: Bench) -> None:
        """Return when it says that its last write was good."""
        await_writing(bench, self.seat, well=True)


def volume_path(cluster: Cluster, seat: str) -> str:
    """Return the directory, on its node, that is the volume of a seat. Raises InjectionFailed for any other kind."""
    claim = cluster.get("PersistentVolumeClaim", kind_of(seat).claim(seat))
    volume = cluster.get("PersistentVolume", claim["spec"]["volumeName"])
    source = volume["spec"].get("local") or volume["spec"].get("hostPath") or {}
    if "path" not in source:
        raise InjectionFailed(f"the volume of {seat} is no directory of a node")
    return str(source["path"])


def require_redis(seat: str) -> None:
    """Raise InjectionFailed for a seat that has no append-only file."""
    if kind_of(seat).stateful_set != REDIS_SET:
        raise InjectionFailed(f"{seat} is no Redis: it has no append-only file")


def await_writing(bench: Bench, seat: str, *, well: bool) -> None:
    """Return when the server's last write to its append-only file was good; or failed, or it ended of that.

    Raises WaitTimeout.
    """
    wait.eventually(
        partial(writing_of, bench, seat),
        lambda seen: (seen == "ok") is well,
        seconds=BACK_S if well else EFFECT_S,
        what=f"the last write to the append-only file of {seat} {'good' if well else 'failed'}",
    )


def writing_of(bench: Bench, seat: str) -> str:
    """Return how the last write of `seat` to its file went, after the primary was given one to pass on: ok or err.

    Or died: a replica that cannot keep what it is sent ends (replica-ignore-disk-write-errors no), and does not start
    again on such a disk. Raises ObservationError when it is silent for another reason.
    """
    try:
        for primary in bench.sut.topology().primaries:
            bench.sut.ask(primary, ATTEMPT, seconds=ANSWER_S)
        said = info(bench.sut.ask(seat, "INFO persistence", seconds=ANSWER_S)[0], "INFO persistence")
    except ObservationError:
        if any(words in log for log in logs_of(bench, seat) for words in DIED_OF_IT):
            return "died"
        raise
    return said["aof_last_write_status"]


def logs_of(bench: Bench, seat: str) -> Iterator[str]:
    """Yield the log of the server on `seat`, then that of the one before it, as far as there are any."""
    for previous in (False, True):
        try:
            yield bench.sut.cluster.logs(seat, REDIS_CONTAINER, previous=previous, tail=SHOWN_LINES)
        except ClusterError:  # there was no container before, or there is none now
            continue


def put_back(cluster: Cluster, injector: Injector, node: str, record: dict[str, Any]) -> str:
    """Put back the volume that a run left replaced; return the line that says so. Raises HarnessError."""
    sut = Sut(cluster)
    try:
        with _away(Bench(sut, injector), str(record["plan"]["seat"])):
            return injector.heal(node, str(record["id"]))
    finally:
        sut.close()


@contextmanager
def _away(bench: Bench, seat: str) -> Iterator[None]:
    """The state of the pod on a seat being gone and its successor kept waiting; it is Ready again afterwards."""
    empty = SeatEmpty(seat)
    empty.prepare(bench)
    try:
        empty.inject(bench)
        empty.await_effect(bench)
        yield
    finally:
        empty.heal(bench)
    empty.await_healed(bench)
