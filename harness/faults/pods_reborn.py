"""A seat that loses its claim with its pod: what returns there has never seen any data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness import wait
from harness.cluster.readiness import Readiness
from harness.errors import InjectionFailed
from harness.faults.base import Bench
from harness.faults.pods import GONE_S, PodsDeleted
from harness.sut.names import SENTINEL, kind_of

#: What a start without data says in its log: Redis when it finds no AOF (aof.c, aofOpenIfNeededOnServerStart), the
#: start script of Sentinel when it finds no state of its own.
EMPTY_START = {True: "watching", False: "Creating AOF base file"}
REMEMBERED = "as remembered"

#: A new volume is made by a pod of its own: some seconds.
STARTED_S = 60.0


class ClaimAndPodLost:
    """Claim, volume and pod of a seat are gone; its StatefulSet makes all three anew, and the instance starts empty.

    The volume goes with its claim (reclaim policy Delete). The claim is deleted first: it waits for its last pod to end
    (pvc-protection), and the StatefulSet makes no pod while a claim is on its way out.
    """

    def __init__(self, seat: str) -> None:
        self.seat = seat
        self._deleted = PodsDeleted([seat])
        self._claim = kind_of(seat).claim(seat)
        self._uid = ""
        self._volume = ""

    @property
    def target(self) -> str:
        """The seat and its claim."""
        return f"{self.seat} with {self._claim}"

    @property
    def by_hand(self) -> str:
        """Nothing: the StatefulSet makes a new claim and a new pod."""
        return f"wait until {self.seat} is Ready; kubectl describe pod,pvc says what keeps it"

    def prepare(self, bench: Bench) -> None:
        """Note the pod, the claim and its volume. Raises InjectionFailed when the volume would outlive its claim."""
        self._deleted.prepare(bench)
        claim = bench.sut.cluster.get("PersistentVolumeClaim", self._claim)
        self._uid, self._volume = claim["metadata"]["uid"], claim["spec"].get("volumeName", "")
        policy = bench.sut.cluster.get("PersistentVolume", self._volume)["spec"]["persistentVolumeReclaimPolicy"]
        if policy != "Delete":
            raise InjectionFailed(f"volume {self._volume} of {self._claim} is kept ({policy}): its data is not lost")

    def inject(self, bench: Bench) -> None:
        """Delete the claim, then the pod."""
        bench.sut.cluster.delete("PersistentVolumeClaim", self._claim, uid=self._uid)
        self._deleted.inject(bench)

    def await_effect(self, bench: Bench) -> None:
        """Return when the seat has another claim on another volume, and its new process says that it started empty."""
        self._deleted.await_effect(bench)
        bench.sut.cluster.wait_for(
            "PersistentVolumeClaim",
            name=self._claim,
            until=self._is_another,
            seconds=GONE_S,
            what=f"another claim {self._claim}",
        )
        wait.eventually(
            lambda: bench.sut.cluster.logs(self.seat, kind_of(self.seat).container),
            self._started_empty,
            seconds=STARTED_S,
            what=f"an empty start of {self.seat}",
        )

    def _is_another(self, claims: Sequence[dict[str, Any]]) -> Readiness:
        if not claims or claims[0]["metadata"]["uid"] == self._uid:
            return Readiness((f"{self._claim} is {'gone' if not claims else 'still the old one'}",))
        volume = claims[0]["spec"].get("volumeName", "")
        return Readiness(() if volume not in {"", self._volume} else (f"{self._claim} has no volume yet",))

    def _started_empty(self, log: str) -> bool:
        return EMPTY_START[kind_of(self.seat) is SENTINEL] in log and REMEMBERED not in log

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: what is lost stays lost."""

    def await_healed(self, bench: Bench) -> None:
        """Return when the new pod is Ready, which a replica is only with its data fetched again."""
        self._deleted.await_healed(bench)
