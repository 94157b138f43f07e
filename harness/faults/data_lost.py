"""A server that loses its data and its process in the same instant, and is back at once with nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness import wait
from harness.cluster.readiness import Readiness, is_ready
from harness.errors import InjectionFailed
from harness.faults.base import Bench
from harness.faults.disk import require_redis, volume_path
from harness.faults.injector import Process, container_id
from harness.faults.pods import BACK_S, PodsDeleted
from harness.faults.pods_reborn import EMPTY_START
from harness.faults.process import NEW_PROCESS_S, await_another_process
from harness.sut.names import kind_of


class DataLost:
    """Everything on the volume of a Redis is deleted and its process killed, by one command on its node.

    The kubelet starts the container again in its place, some tenths of a second later: unlike a claim that is made
    anew, this is over before anybody misses the server. `with_pod`, the pod is deleted in the same breath, without
    grace, and its successor starts under another address. Nothing can be handed over: the process is stopped before the
    first file goes and dies with the last one.
    """

    def __init__(self, seat: str, *, with_pod: bool = False) -> None:
        require_redis(seat)
        self.seat = seat
        self._deleted = PodsDeleted([seat], grace_s=0) if with_pod else None
        self._container = kind_of(seat).container
        self._process: Process | None = None
        self._before = ""
        self._run_id = ""
        self._pod_uid = ""
        self._volume = ""
        self._is_ordered = False

    @property
    def target(self) -> str:
        """The seat."""
        return f"{self.seat} with its pod" if self._deleted else self.seat

    @property
    def by_hand(self) -> str:
        """Nothing: it fetches the data from the others."""
        return f"wait until {self.seat} is Ready; kubectl describe pod {self.seat} says what keeps it"

    def prepare(self, bench: Bench) -> None:
        """Note the process, its container and its volume. Raises InjectionFailed when that is no directory."""
        pod = bench.sut.cluster.get("Pod", self.seat)
        self._before, self._pod_uid = container_id(pod, self._container), pod["metadata"]["uid"]
        self._run_id = bench.sut.run_id(self.seat)
        self._volume = volume_path(bench.sut.cluster, self.seat)
        self._process = bench.injector.found(self.seat, self._container)
        if self._deleted is not None:
            self._deleted.prepare(bench)

    def inject(self, bench: Bench) -> None:
        """Delete the pod, if it is to go too, then its data; the preStop hook dies before it has done anything."""
        if self._process is None:
            raise InjectionFailed(f"the process of {self.seat} was not looked up before its data was to be lost")
        self._is_ordered = True
        if self._deleted is not None:
            self._deleted.inject(bench)
        bench.injector.bereave(self._process, self._volume)

    def await_effect(self, bench: Bench) -> None:
        """Return when another container runs on the seat; that its data is gone was seen before it could start.

        What it makes of that is not the fault's affair: it may not become a server for as long as it finds nobody to
        fetch the data from.
        """
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=self._runs_again,
            seconds=NEW_PROCESS_S,
            what=f"another container on {self.seat}",
        )

    def _runs_again(self, pods: Sequence[dict[str, Any]]) -> Readiness:
        if not pods:
            return Readiness((f"there is no pod {self.seat}",))
        is_another = pods[0]["metadata"]["uid"] != self._pod_uid
        if is_another is (self._deleted is None):
            return Readiness((f"{self.seat} has {'another' if is_another else 'its old'} pod",))
        found = container_id(pods[0], self._container)
        return Readiness(() if found not in {"", self._before} else ("its container is not running again",))

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: what is lost stays lost, and is fetched from the others."""

    def await_healed(self, bench: Bench) -> None:
        """Return when another process answers, has said that it started empty, and is Ready: in step with a primary."""
        if self._is_ordered:
            self._await_empty_start(bench)
        bench.sut.cluster.wait_for(
            "Pod",
            name=self.seat,
            until=lambda pods: len(pods) == 1 and is_ready(pods[0]),
            seconds=BACK_S,
            what=f"{self.seat} Ready",
        )

    def _await_empty_start(self, bench: Bench) -> None:
        await_another_process(bench, self.seat, self._run_id)
        wait.eventually(
            lambda: bench.sut.cluster.logs(self.seat, self._container),
            lambda log: EMPTY_START[False] in log,
            seconds=BACK_S,
            what=f"an empty start of {self.seat}",
        )
