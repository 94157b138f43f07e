"""The live handle on the deployment: observations return values, never wait, assert or change anything."""

from __future__ import annotations

import dataclasses
import shlex
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from harness import wait
from harness.errors import ExecFailed, HarnessError, ObservationError, SteadyStateError, WaitTimeout
from harness.sut import replies, views
from harness.sut.cooldown import cooling_down_s
from harness.sut.names import KEY_PREFIX, KINDS, REDIS_SET, kind_of, seat_of
from harness.sut.steady import is_steady
from harness.sut.topology import Pod, RedisView, SentinelView, Topology

if TYPE_CHECKING:
    from harness.cluster import Cluster, Executed, Shell

#: How long one instance may take to answer before it counts as silent; far below down-after (5 s).
ANSWER_S = 3.0

#: Patience for the replicas' confirmation that they receive what the primary sends.
CONFIRMED_S = 15.0
WAIT_MS = 1000

#: Patience for the steady state: longer than the cool-down of a failover that was aborted (2 x 30 s) plus a resync.
STEADY_S = 100.0


class Sut:
    """Redis and its Sentinels as deployed in one namespace."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._shells: dict[str, Shell] = {}
        self._opening = threading.Lock()

    def close(self) -> None:
        """Close the shells that are held open in the pods; another question opens them anew."""
        for shell in self._shells.values():
            shell.close()

    # Kubernetes' side

    def stateful_set(self, name: str) -> dict[str, Any]:
        """Return the StatefulSet object. Raises NotFound."""
        return self.cluster.get("StatefulSet", name)

    def seats(self) -> tuple[str, ...]:
        """Return the seats that the StatefulSets ask for now, Redis first."""
        sets = self.cluster.gather([partial(self.stateful_set, kind.stateful_set) for kind in KINDS])
        return tuple(
            seat for kind, found in zip(KINDS, sets, strict=True) for seat in kind.seats(found["spec"]["replicas"])
        )

    def pod_objects(self) -> dict[str, dict[str, Any]]:
        """Return the pods that sit on the seats of either StatefulSet, by name, in seat order."""
        pods = self.cluster.list("Pod")
        owned = {pod["metadata"]["name"]: pod for pod in pods if _owner(pod) in {kind.stateful_set for kind in KINDS}}
        return dict(sorted(owned.items(), key=lambda item: (kind_of(item[0]).stateful_set, item[0])))

    def pods(self) -> tuple[Pod, ...]:
        """Return what Kubernetes says of each seat that has a pod."""
        return tuple(views.pod(found) for found in self.pod_objects().values())

    def pod(self, seat: str) -> Pod | None:
        """Return the pod on `seat`, None when there is none."""
        return next((pod for pod in self.pods() if pod.seat == seat), None)

    # The instances' side

    def ask(self, seat: str, *commands: str, host: str | None = None, seconds: float = ANSWER_S) -> list[Any]:
        """Return the replies of the instance on `seat` to `commands`, in order.

        With `host`, the commands go from that seat's container to another address on the same port. Raises
        ObservationError with redis-cli's own words when it could not be asked or ended early.
        """
        kind = kind_of(seat)
        argv = replies.command_line(kind.port, commands, host or "127.0.0.1")
        try:
            done = self.run(seat, argv, seconds=seconds)
        except ExecFailed as error:
            said = f"no shell stays up in its container {error.stderr.strip()}".rstrip()
            raise ObservationError(f"{seat} cannot be asked {commands[0]!r}: {said}") from error
        try:
            return replies.parse(done.stdout, len(commands))
        except ObservationError as error:
            raise ObservationError(
                f"{seat} was asked {commands[0]!r}: {(done.stderr or str(error)).strip()}"
            ) from error

    def run(self, seat: str, argv: Sequence[str], *, seconds: float = ANSWER_S) -> Executed:
        """Run a command in the main container on `seat`, over a shell held open there: 1-4 ms, a new exec takes 44.

        Raises ExecFailed when it has not ended after `seconds` or the pod went away under it.
        """
        with self._opening:
            if seat not in self._shells:
                self._shells[seat] = self.cluster.shell(seat, kind_of(seat).container)
        return self._shells[seat].run(shlex.join(argv), seconds=seconds)

    def ask_each(self, *commands: str, stateful_set: str) -> dict[str, list[Any]]:
        """Ask every instance of one StatefulSet that has a pod, side by side. Raises if one does not answer."""
        seats = [seat for seat in self.pod_objects() if kind_of(seat).stateful_set == stateful_set]
        answers = self.cluster.gather([partial(self.ask, seat, *commands) for seat in seats])
        return dict(zip(seats, answers, strict=True))

    def run_id(self, seat: str) -> str:
        """Return the run id of the process that answers on `seat` now; another process has another one."""
        return replies.info(self.ask(seat, "INFO server")[0], "INFO server")["run_id"]

    def redis_view(self, seat: str) -> RedisView:
        """Return what the Redis instance on `seat` says of itself."""
        return views.redis(seat, self.ask(seat, *views.REDIS_QUESTIONS))

    def sentinel_view(self, seat: str) -> SentinelView:
        """Return what the Sentinel on `seat` says, with its cool-down read from its log."""
        view = views.sentinel(seat, self.ask(seat, *views.SENTINEL_QUESTIONS))
        reach = 2 * view.failover_timeout_s + ANSWER_S
        log = self.cluster.logs(seat, kind_of(seat).container, since_s=reach)
        left = cooling_down_s(log, view.failover_timeout_s, datetime.now(UTC))
        return dataclasses.replace(view, cooling_down_s=left)

    def topology(self) -> Topology:
        """Return one picture of everything, taken side by side; an instance that does not answer is `silent`."""
        at = time.monotonic()
        due, pods = self.seats(), self.pods()
        seats = [pod.seat for pod in pods]
        found = self.cluster.gather([partial(self._view_or_reason, seat) for seat in seats])
        return Topology(
            at=at,
            pods=tuple(pods),
            redis=tuple(view for view in found if isinstance(view, RedisView)),
            sentinels=tuple(view for view in found if isinstance(view, SentinelView)),
            silent={seat: why for seat, why in zip(seats, found, strict=True) if isinstance(why, str)},
            absent=tuple(seat for seat in due if seat not in seats),
        )

    def _view_or_reason(self, seat: str) -> RedisView | SentinelView | str:
        view: Callable[[str], RedisView | SentinelView]
        view = self.redis_view if kind_of(seat).stateful_set == REDIS_SET else self.sentinel_view
        try:
            return view(seat)
        except HarnessError as error:
            return str(error)

    # What the deployment agrees on

    def elected_primary(self) -> str:
        """Return the seat that a majority of the Sentinels names and that says itself that it is primary.

        Raises ObservationError while there is no such seat.
        """
        topology = self.topology()
        named = Counter(seat_of(view.primary_host) for view in topology.sentinels)
        for seat, votes in named.most_common(1):
            if 2 * votes > topology.sentinels_due and seat in topology.primaries:
                return seat
        raise ObservationError(f"no primary is agreed on: {topology}")

    def steady(self, *, seconds: float = STEADY_S) -> Topology:
        """Return the topology once it is steady and what is sent to its primary now reaches every replica.

        The second half is asked of the replicas by way of WAIT: after a diskless sync Redis calls a replica online up
        to 0.9 s before that one receives anything (seen with 7.0.15), and a primary that dies in that time takes every
        write acknowledged in it along. Raises SteadyStateError with every reason why it is not.
        """
        try:
            topology = wait.eventually(self.topology, is_steady, seconds=seconds, what="the steady state")
            wait.eventually(
                partial(self._confirmations, topology.primaries[0], len(topology.replicas)),
                lambda confirmed: confirmed >= len(topology.replicas),
                seconds=CONFIRMED_S,
                what=f"{len(topology.replicas)} replicas to confirm what {topology.primaries[0]} sends",
            )
        except WaitTimeout as error:
            raise SteadyStateError(str(error)) from error
        return topology

    def _confirmations(self, primary: str, replicas: int) -> int:
        """Return how many replicas confirm a message sent now: it moves the offset and changes no data."""
        _, confirmed = self.ask(primary, f"PUBLISH {KEY_PREFIX}steady now", f"WAIT {replicas} {WAIT_MS}")
        if not isinstance(confirmed, int):
            raise ObservationError(f"{primary} answered WAIT with {confirmed!r}")
        return confirmed


def _owner(pod: dict[str, Any]) -> str:
    owners = pod["metadata"].get("ownerReferences", [])
    return next((owner["name"] for owner in owners if owner["kind"] == "StatefulSet"), "")
