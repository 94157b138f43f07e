"""Append-only files cut short or damaged while the server is down: it starts, or does not, with what is left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from harness import wait
from harness.cluster.readiness import Readiness
from harness.faults.base import Bench
from harness.faults.disk import ANSWER_S, AOF, ATTEMPT, SHOWN_LINES, logs_of, require_redis, volume_path
from harness.faults.process import await_another_process, status_of
from harness.faults.timer import TIMER_S, Armed, answers
from harness.sut.names import REDIS_CONTAINER

#: A few commands at the end of the file.
TAIL_BYTES = 30
#: A container that ended before is started again after the kubelet's back-off only.
REFUSES_S = 120.0

#: What Redis logs (aof.c, loadSingleAppendOnlyFile).
CUT_SHORT = "loaded anyway because aof-load-truncated is enabled"
DAMAGED = "Bad file format reading the append only file"


class AofTailCut(Armed):
    """The server is killed and the end of its append-only file is missing, as after a power cut.

    It starts, and has lost no more than the tail. Nothing is to be healed.
    """

    kind = "damaged"

    def __init__(self, seat: str, *, size: int = TAIL_BYTES, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self.bytes = size
        self._run_id = ""

    @property
    def target(self) -> str:
        """The seat and how much."""
        return f"{self.seat}, {self.bytes} bytes"

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The file and how much of it."""
        path = f"{volume_path(bench.sut.cluster, self.seat)}/{AOF}"
        return {"path": path, "where": "tail", "bytes": self.bytes}

    def prepare(self, bench: Bench) -> None:
        """Note the process; see that there is something in the file."""
        self._run_id = prepared(bench, self.seat)
        super().prepare(bench)

    def await_effect(self, bench: Bench) -> None:
        """Return when another process answers that has said that it found the file cut short."""
        await_another_process(bench, self.seat, self._run_id)
        wait.eventually(
            lambda: CUT_SHORT in bench.sut.cluster.logs(self.seat, REDIS_CONTAINER, tail=SHOWN_LINES),
            seconds=ANSWER_S,
            what=f"{self.seat} saying that its file was cut short",
        )


class AofDamaged(Armed):
    """The server is killed and a command in the middle of its append-only file is garbage: it refuses to start.

    Healing puts the bytes back, unless somebody repaired the file first: `repair` is what Redis' documentation says
    to do, and loses everything behind the damage.
    """

    kind = "damaged"

    def __init__(self, seat: str, *, timer_s: float = TIMER_S) -> None:
        super().__init__(seat, timer_s=timer_s)
        self._restarts = 0

    def plan(self, bench: Bench) -> dict[str, Any]:
        """The file."""
        return {"path": f"{volume_path(bench.sut.cluster, self.seat)}/{AOF}", "where": "middle"}

    def prepare(self, bench: Bench) -> None:
        """Note the container and how often it was restarted; see that there is something in the file."""
        prepared(bench, self.seat)
        super().prepare(bench)
        self._restarts = status_of(bench.sut.cluster.get("Pod", self.seat), REDIS_CONTAINER)["restartCount"]

    def await_effect(self, bench: Bench) -> None:
        """Return when a container that came after has said that the file is bad."""
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=partial(self._refuses, bench),
            seconds=REFUSES_S,
            what=f"{self.seat} refusing to start on a damaged file",
        )

    def _refuses(self, bench: Bench, pods: Sequence[dict[str, Any]]) -> Readiness:
        """Ask the logs only after a restart: until then they are those of earlier containers, damaged then perhaps."""
        nothing: dict[str, Any] = {"restartCount": self._restarts}
        status = status_of(pods[0], REDIS_CONTAINER) if pods else nothing
        ends = [(status.get(when) or {}).get("terminated") or {} for when in ("state", "lastState")]
        codes = [end["exitCode"] for end in ends if "exitCode" in end]
        since = status["restartCount"] - self._restarts
        if since > 0 and any(DAMAGED in log for log in logs_of(bench, self.seat)):
            return Readiness()
        return Readiness((f"{since} restarts since, ended with {codes}, and no log that says {DAMAGED!r}",))

    def repair(self, bench: Bench) -> str:
        """Do what Redis' documentation says: redis-check-aof --fix, on the manifest; return what it said.

        It cuts the file off where the damage begins; what is behind that is lost on this instance. Raises
        InjectionFailed.
        """
        return bench.injector.repair(self.spot.node, self.id)

    def await_healed(self, bench: Bench) -> None:
        """Return when the server answers: the kubelet starts it again when its back-off is over."""
        answers(bench, self.seat)


def prepared(bench: Bench, seat: str) -> str:
    """Let the servers write something to their files; return the run id of the one on `seat`."""
    require_redis(seat)
    for primary in bench.sut.topology().primaries:
        bench.sut.ask(primary, ATTEMPT, ATTEMPT, ATTEMPT, "WAIT 2 1000", seconds=ANSWER_S)
    return bench.sut.run_id(seat)
