"""Faults of a Sentinel's memory: lost, with its id or without, or thrown away by command."""

from __future__ import annotations

from functools import partial

from harness import wait
from harness.cluster.readiness import Readiness
from harness.errors import FaultHadNoEffect, InjectionFailed
from harness.faults.base import Bench
from harness.faults.pods import GONE_S, PodsDeleted
from harness.faults.sentinels import know_each_other, require_sentinels
from harness.sut import Topology, is_steady
from harness.sut.names import PRIMARY_NAME, SENTINEL
from harness.sut.replies import pairs

STATE = "/data/sentinel.conf"
RESET = f"SENTINEL RESET {PRIMARY_NAME}"

BACK_S = 60.0

#: After a RESET the peers are known again after 0.7 s, the replicas after 4.6 s (sentinel-facts.md §2.3); a peer that
#: came back needs its reconnects.
KNOWN_AGAIN_S = 90.0

#: Repeated until the container ends: Sentinel writes its state again at every change of it. The process is ended by
#: deleting its pod, because the kubelet would back off from a container that ends time and again.
UNTIL_THE_END = """
timeout {seconds} sh -c 'while :; do {change}; sleep 0.05; done' change "$@" </dev/null >/dev/null 2>&1 &
"""
FORGET = 'rm -f "$1"'


class SentinelStateLost:
    """A Sentinel's state file is removed and its pod deleted: the next one starts without any memory.

    `id_before` and `id_after` tell whether it returned as the same Sentinel. With an id derived from the seat, as the
    manifests do it, it must: a new id would leave the old one as a ghost that raises the majority.
    """

    def __init__(self, seat: str) -> None:
        require_sentinels([seat])
        self.seat = seat
        self.id_before = ""
        self.id_after = ""
        self._run_id = ""
        self._deleted = PodsDeleted([seat])

    @property
    def target(self) -> str:
        """The seat."""
        return self.seat

    @property
    def by_hand(self) -> str:
        """Clean the others' view, one at a time, on a healthy deployment."""
        return f"redis-cli -p {SENTINEL.port} {RESET} on each other Sentinel, one after the other"

    def prepare(self, bench: Bench) -> None:
        """Note the process and its id as a Sentinel."""
        self._run_id = bench.sut.run_id(self.seat)
        self.id_before = str(bench.sut.ask(self.seat, "SENTINEL MYID")[0])
        self._deleted.prepare(bench)

    def inject(self, bench: Bench) -> None:
        """Keep the file away until the end, and delete the pod."""
        self._end(bench, FORGET)

    def await_effect(self, bench: Bench) -> None:
        """Return when another process answers that says it started without memory."""
        self._await_another(bench)
        log = wait.eventually(  # a container answers some moments before the API server knows that it runs
            lambda: bench.sut.cluster.logs(self.seat, SENTINEL.container),
            lambda text: "watching" in text,
            seconds=BACK_S,
            what=f"what {self.seat} says at its start",
        )
        if "as remembered" in log:
            raise FaultHadNoEffect(f"{self.seat} came back with a memory: {log[:300]}")

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: it has asked the others."""

    def await_healed(self, bench: Bench) -> None:
        """Return when it is Ready, and every Sentinel that answers knows the others, and nobody else."""
        self._deleted.await_healed(bench)
        wait.eventually(bench.sut.topology, know_each_other, seconds=KNOWN_AGAIN_S, what="Sentinels that know all")

    def _end(self, bench: Bench, change: str, *more: str) -> None:
        script = UNTIL_THE_END.format(seconds=round(GONE_S), change=change)
        bench.sut.run(self.seat, ["sh", "-c", script, "end", STATE, *more]).check()
        self._deleted.inject(bench)

    def _await_another(self, bench: Bench) -> None:
        wait.eventually(
            partial(bench.sut.run_id, self.seat),
            lambda run_id: run_id != self._run_id,
            seconds=BACK_S,
            what=f"another process on {self.seat}",
        )
        self.id_after = str(bench.sut.ask(self.seat, "SENTINEL MYID")[0])


class SentinelReset:
    """A Sentinel is told to forget every replica and every other Sentinel: until it has learnt them it is no use."""

    def __init__(self, seat: str) -> None:
        require_sentinels([seat])
        self.seat = seat
        self._left: dict[str, str] = {}

    @property
    def target(self) -> str:
        """The seat."""
        return self.seat

    @property
    def by_hand(self) -> str:
        """Nothing: it learns them again."""
        return f"wait until redis-cli -p {SENTINEL.port} SENTINEL CKQUORUM {PRIMARY_NAME} on {self.seat} says OK"

    def prepare(self, bench: Bench) -> None:
        """Require that it knows somebody who can be forgotten."""
        view = bench.sut.sentinel_view(self.seat)
        if not view.replicas or not view.sentinels:
            raise InjectionFailed(f"{self.seat} knows nobody that it could forget")

    def inject(self, bench: Bench) -> None:
        """Tell it, and ask in the same breath what it still knows."""
        done, left = bench.sut.ask(self.seat, RESET, f"SENTINEL MASTER {PRIMARY_NAME}")
        if str(done) != "1":
            raise InjectionFailed(f"{self.seat} was told {RESET!r} and answered {done!r}")
        self._left = pairs(left, RESET)

    def await_effect(self, bench: Bench) -> None:
        """Return when it was seen to know no replica and no other Sentinel."""
        known = (self._left.get("num-slaves"), self._left.get("num-other-sentinels"))
        if known != ("0", "0"):
            raise FaultHadNoEffect(f"after its reset {self.seat} still knew {known} (replicas, other Sentinels)")

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: it learns them from the primary and from their hello messages."""

    def await_healed(self, bench: Bench) -> None:
        """Return when it knows everybody again."""
        wait.eventually(
            bench.sut.topology, partial(knows_all, self.seat), seconds=KNOWN_AGAIN_S, what=f"{self.seat} knowing all"
        )


def knows_all(seat: str, topology: Topology) -> Readiness:
    """Whether nothing that `seat` says keeps the deployment from being steady."""
    if seat not in {view.seat for view in topology.sentinels}:
        return Readiness((f"{seat} does not answer: {topology.silent.get(seat, 'it has no pod')}",))
    reasons = [why for why in is_steady(topology).reasons if why.startswith(f"{seat} ")]
    return Readiness(tuple(reasons))
