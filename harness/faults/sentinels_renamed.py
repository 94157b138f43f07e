"""A Sentinel that returns under another id, and what the others then still count of its former self."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

from harness import wait
from harness.cluster import Cluster
from harness.cluster.readiness import Readiness
from harness.errors import FaultHadNoEffect, InjectionFailed
from harness.faults.base import Bench
from harness.faults.commands import told
from harness.faults.injector import Injector
from harness.faults.sentinels import sentinel_seats
from harness.faults.sentinels_leader import mark
from harness.faults.sentinels_state import KNOWN_AGAIN_S, RESET, SentinelStateLost, knows_all
from harness.sut import Sut, Topology
from harness.sut.names import PRIMARY_NAME, SENTINEL
from harness.sut.topology import SentinelView

#: The id that is counted beyond its end, where the next run finds it.
GHOST = "e2e.redis/sentinel-ghost"

HELLO = "__sentinel__:hello"
#: An address that nobody has (RFC 5737, for documentation). That of the old pod would not do: the others have it on
#: record as the host name's, take it for the same Sentinel and replace it with the new one (measured with 7.0.15).
NOBODY = "192.0.2.1"
RENAME = 'grep -q "$2" "$1" || sed -i "s/^sentinel myid .*/sentinel myid $2/" "$1"'


class SentinelIdChanged(SentinelStateLost):
    """A Sentinel returns under a new id, as it does wherever ids are drawn at each first start.

    Under an address of its own, as seats have, it replaces its former self in the others' eyes (+sentinel-invalid-addr,
    measured with 7.0.15: no ghost is counted). `leaves_ghost`: as where Sentinels announce the addresses of their pods.
    The others heard the old id under such an address, where nobody is any more, so it stays for good and raises the
    majority, until they are told to forget (SENTINEL RESET).
    """

    def __init__(self, seat: str, *, leaves_ghost: bool = False) -> None:
        super().__init__(seat)
        self.leaves_ghost = self.healed_by_sweep = leaves_ghost
        self._new_id = uuid4().hex + uuid4().hex[:8]

    def inject(self, bench: Bench) -> None:
        """Keep another id in the file until the end, and delete the pod; for a ghost, say hello in its name."""
        self._end(bench, RENAME, self._new_id)
        if self.leaves_ghost:
            self._deleted.await_effect(bench)  # alive, it would be believed what it says of itself
            mark(bench.sut.cluster, GHOST, self.id_before)
            primary = bench.sut.elected_primary()
            heard = told(bench, primary, f"PUBLISH {HELLO} {self._hello(primary)}")
            if heard == "0":
                raise InjectionFailed(f"no Sentinel listens to {primary}")

    def _hello(self, primary: str) -> str:
        """Return what it would say (sentinel.c, sentinelSendHello), in epoch 0: nobody takes anything else from it."""
        return f"{NOBODY},{SENTINEL.port},{self.id_before},0,{PRIMARY_NAME},{primary},1,0"

    def await_effect(self, bench: Bench) -> None:
        """Return when another process answers under the new id, and each other Sentinel knows it by that.

        And, where a ghost is left, still counts the old one.
        """
        self._await_another(bench)
        if self.id_after != self._new_id:
            raise FaultHadNoEffect(f"{self.seat} came back as {self.id_after}, not as {self._new_id}")
        wait.eventually(bench.sut.topology, self._is_known_anew, seconds=KNOWN_AGAIN_S, what="the new id known to all")

    def _is_known_anew(self, topology: Topology) -> Readiness:
        others = [view for view in topology.sentinels if view.seat != self.seat]
        due = {self._new_id, self.id_before} if self.leaves_ghost else {self._new_id}
        return Readiness(tuple(f"{view.seat} does not know {each}" for view in others for each in due - _ids(view)))

    def heal(self, bench: Bench) -> None:
        """Have each Sentinel that still counts the old id forget it, unless that is its id still."""
        self._deleted.await_healed(bench)
        if str(bench.sut.ask(self.seat, "SENTINEL MYID")[0]) == self.id_before:
            return
        forget(bench, self.id_before)
        if self.leaves_ghost:
            mark(bench.sut.cluster, GHOST, None)


def forget(bench: Bench, ghost: str) -> list[str]:
    """Have each Sentinel that counts the id `ghost` learn anew (SENTINEL RESET), one after the other; return them.

    The next one only when the last one knows all again: until then it could promote nobody.
    """
    seats = [seat for seat in sentinel_seats(bench) if ghost in _ids(bench.sut.sentinel_view(seat))]
    for seat in seats:
        told(bench, seat, RESET)
        wait.eventually(
            bench.sut.topology,
            partial(knows_all, seat),
            seconds=KNOWN_AGAIN_S,
            what=f"{seat} knowing everybody again",
        )
    return seats


def forget_ghosts(cluster: Cluster) -> list[str]:
    """Have the Sentinels forget who an earlier run left with them; return the seats that had to."""
    sets = cluster.list("StatefulSet", fields=f"metadata.name={SENTINEL.stateful_set}")
    ghosts = {(found["metadata"].get("annotations") or {}).get(GHOST) for found in sets} - {None}
    if not ghosts:
        return []
    bench = Bench(Sut(cluster), Injector(cluster))
    try:
        wait.eventually(bench.sut.topology, _are_all_there, seconds=KNOWN_AGAIN_S, what="every Sentinel")
        seats = [seat for ghost in ghosts for seat in forget(bench, str(ghost))]
    finally:
        bench.injector.close()
        bench.sut.close()
    mark(cluster, GHOST, None)
    return seats


def _are_all_there(topology: Topology) -> bool:
    return len(topology.sentinels) == topology.sentinels_due


def _ids(view: SentinelView) -> set[str]:
    """Return the ids by which a Sentinel knows the other ones."""
    return {member.run_id for member in view.sentinels}
