"""Faults of a Sentinel's memory: lost, with its id or without, or thrown away by command."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from harness import wait
from harness.cluster.readiness import Readiness
from harness.errors import FaultHadNoEffect, InjectionFailed
from harness.faults.base import Bench
from harness.faults.commands import told
from harness.faults.pods import GONE_S, PodsDeleted
from harness.faults.sentinels import know_each_other, require_sentinels, sentinel_seats
from harness.sut import Topology, is_steady
from harness.sut.names import PRIMARY_NAME, SENTINEL
from harness.sut.replies import pairs
from harness.sut.topology import SentinelView

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
RENAME = 'grep -q "$2" "$1" || sed -i "s/^sentinel myid .*/sentinel myid $2/" "$1"'


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


class SentinelIdChanged(SentinelStateLost):
    """A Sentinel returns under a new id, as it does wherever ids are drawn at each first start.

    Under an address of its own, as seats have, it replaces its former self in the others' eyes (+sentinel-invalid-addr,
    measured with 7.0.15: no ghost is counted). Under a new address the old one stays for good and raises the majority.
    """

    def __init__(self, seat: str) -> None:
        super().__init__(seat)
        self._new_id = uuid4().hex + uuid4().hex[:8]

    def inject(self, bench: Bench) -> None:
        """Keep another id in the file until the end, and delete the pod."""
        self._end(bench, RENAME, self._new_id)

    def await_effect(self, bench: Bench) -> None:
        """Return when another process answers under the new id, and each other Sentinel knows it by that."""
        self._await_another(bench)
        if self.id_after != self._new_id:
            raise FaultHadNoEffect(f"{self.seat} came back as {self.id_after}, not as {self._new_id}")
        wait.eventually(bench.sut.topology, self._is_known_anew, seconds=KNOWN_AGAIN_S, what="the new id known to all")

    def _is_known_anew(self, topology: Topology) -> Readiness:
        others = [view for view in topology.sentinels if view.seat != self.seat]
        strangers = [view.seat for view in others if self._new_id not in _ids(view)]
        return Readiness(tuple(f"{seat} does not know {self._new_id}" for seat in strangers))

    def heal(self, bench: Bench) -> None:
        """Have each other Sentinel that still counts the old id learn anew (SENTINEL RESET), one after the other.

        The next one only when the last one knows all again: until then it could promote nobody.
        """
        for seat in sentinel_seats(bench):
            if seat != self.seat and self.id_before in _ids(bench.sut.sentinel_view(seat)):
                told(bench, seat, RESET)
                wait.eventually(
                    bench.sut.topology,
                    partial(_knows_all, seat),
                    seconds=KNOWN_AGAIN_S,
                    what=f"{seat} knowing everybody again",
                )


def _ids(view: SentinelView) -> set[str]:
    """Return the ids by which a Sentinel knows the other ones."""
    return {member.run_id for member in view.sentinels}


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
            bench.sut.topology, partial(_knows_all, self.seat), seconds=KNOWN_AGAIN_S, what=f"{self.seat} knowing all"
        )


def _knows_all(seat: str, topology: Topology) -> Readiness:
    """Whether nothing that `seat` says keeps the deployment from being steady."""
    if seat not in {view.seat for view in topology.sentinels}:
        return Readiness((f"{seat} does not answer: {topology.silent.get(seat, 'it has no pod')}",))
    reasons = [why for why in is_steady(topology).reasons if why.startswith(f"{seat} ")]
    return Readiness(tuple(reasons))
