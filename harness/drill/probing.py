"""What drills ask of probes: who is restarted and who is not, who is Ready and who is not yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from harness import wait
from harness.drill.judging import Judging
from harness.errors import BrokenPromise, ObservationError
from harness.faults import Felled
from harness.sut import Topology
from harness.sut.names import KEY_PREFIX, kind_of

#: One piece of ballast: a random block that is repeated further apart than LZF, which packs an RDB, looks back (8 KiB).
BLOCK_BYTES, BLOCKS = 65536, 16
BALLAST = (
    f"local t = {{}} for i = 1, {BLOCK_BYTES} do t[i] = string.char(math.random(0, 255)) end "
    f"redis.call('SET', KEYS[1], string.rep(table.concat(t), {BLOCKS})) return redis.call('STRLEN', KEYS[1])"
)

#: Patience with a full sync, and how many looks at it make a judgement of it.
SYNCED_S = 120.0
LOOKS = 5


class Probing(Judging):
    """Waits and judgements about probes and restarts."""

    @contextmanager
    def ballast(self, mebibytes: int) -> Iterator[None]:
        """The state of the data set having so many MiB more that cannot be packed; removed at the end."""
        keys = [f"{KEY_PREFIX}ballast:{number}" for number in range(mebibytes)]
        for key in keys:
            self._sut.ask(self.primary, f'EVAL "{BALLAST}" 1 {key}')
        try:
            yield
        finally:
            self._sut.ask(self._sut.elected_primary(), f"UNLINK {' '.join(keys)}")

    def is_not_ready_while_it_syncs(self, seat: str) -> None:
        """Return when `seat` is in step, never having been Ready in a full sync that was looked at several times.

        Kubernetes is asked first: a pod that was Ready before the instance said that it syncs was so in its sync.
        """
        looks: list[bool] = []

        def look() -> bool:
            topology = self._sut.topology()
            view, pod = topology.instance(seat), topology.pod(seat)
            if view is None or pod is None:
                return False
            if view.syncing:
                looks.append(pod.ready)
            return view.link_up and not view.syncing

        wait.eventually(look, seconds=SYNCED_S, what=f"{seat} in step with its primary")
        if len(looks) < LOOKS:
            raise ObservationError(f"the full sync of {seat} was seen {len(looks)} times: too short to be judged")
        if any(looks):
            raise BrokenPromise(f"{seat} was Ready in its full sync in {sum(looks)} of {len(looks)} looks")

    def liveness_s(self, seat: str) -> tuple[float, float]:
        """Return the period of the liveness probe on `seat`, and after how much silence at least it ends the server.

        The first failure may come right after silence begins, and ends after the probe's timeout; `failureThreshold` of
        them in a row end the container (Kubernetes, "Configure Liveness, Readiness and Startup Probes").
        """
        spec = self._sut.pod_objects()[seat]["spec"]
        container = next(each for each in spec["containers"] if each["name"] == kind_of(seat).container)
        probe = container["livenessProbe"]
        period, threshold = float(probe["periodSeconds"]), int(probe["failureThreshold"])
        return period, period * (threshold - 1)

    def exactly_these_were_restarted(self, restarts: Mapping[str, int]) -> bool:
        """Whether each seat has the pod it had, restarted as often more as is said here; 0 where nothing is said."""
        before, now = _pods(self.before), _pods(self.now)
        due = {seat: (uid, number + restarts.get(seat, 0)) for seat, (uid, number) in before.items()}
        return now == due

    def lasted_longer_than(self, seconds: float, felled: Felled) -> bool:
        """Whether a fault that ends by itself was felt for so long: from its proof to the proof that it is over."""
        felt, healed = felled.effect_at, felled.healed_at
        return felt is not None and healed is not None and healed - felt > seconds


def _pods(topology: Topology) -> dict[str, tuple[str, int]]:
    return {pod.seat: (pod.uid, pod.restarts) for pod in topology.pods}
