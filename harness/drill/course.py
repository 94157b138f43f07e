"""The course of a drill: its steady states, its clients, its faults, and the history that they leave."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from harness import wait
from harness.budget import budget
from harness.budget.reading import configuration_of
from harness.clients import Clients
from harness.clock import Bracket
from harness.drill.dataset import DATASET_KEYS, Dataset
from harness.errors import HarnessError
from harness.faults import Fault, Faults, Felled
from harness.history import History
from harness.judgement import Judgement
from harness.report.record import LimitCheck
from harness.sut import Sut
from harness.sut.names import REDIS, kind_of
from harness.timeline import Anatomy, anatomy
from harness.workload import Recording, Workload

WRITES_S = 60.0

#: Writes acknowledged before a fault may be injected: enough to know what is usual.
LEAD_WRITES = 500


class Course:
    """What a drill does. `before` is the steady topology that it started from, `now` the last steady one seen.

    `budget` is what the configuration then in force allows a failover.
    """

    def __init__(
        self, name: str, promise: str, sut: Sut, faults: Faults, *, workload: Workload, clients: Clients, seed: int
    ) -> None:
        self.name = name
        self._promise = promise
        self._sut = sut
        self._faults = faults
        self._workload = workload
        self._clients = clients
        self._seed = seed
        self._history: History | None = None
        self._recording: Recording | None = None
        self._limits: list[LimitCheck] = []
        self._judgement = Judgement()
        self.before = self.now = sut.steady()
        self.budget = budget(configuration_of(sut))

    @property
    def primary(self) -> str:
        """The seat that was primary when the drill began."""
        return self.before.primaries[0]

    @property
    def replicas(self) -> tuple[str, ...]:
        """The seats that were replicas when the drill began."""
        return self.before.replicas

    def renew_pods_that_restarted(self) -> None:
        """Replace every Redis pod whose containers have ended before, and begin from the deployment as it is then.

        For drills in which a server is to be back at once: a container that ends again within ten minutes is started
        again after 10 s, then 20, 40 ... (the kubelet's back-off), and a new pod afresh.
        """
        for pod in self.before.pods:
            if pod.restarts and kind_of(pod.seat) is REDIS:
                self._sut.cluster.delete("Pod", pod.seat)
                self.before = self.now = self._sut.steady()

    @contextmanager
    def writing(self) -> Iterator[Recording]:
        """The state of the usual clients being at work, from before the body until after it; it leaves a history."""
        clients = self._clients
        with self._workload.running(
            self.name, writers=clients.writers, readers=clients.readers, services=clients.services
        ) as recording:
            self._recording = recording
            started = time.monotonic()
            wait.eventually(
                lambda: recording.acks_since(started),
                lambda acks: acks >= LEAD_WRITES,
                seconds=WRITES_S,
                what=f"{LEAD_WRITES} acknowledged writes before the fault",
            )
            try:
                yield recording
            finally:
                for felled in self._faults.injected:
                    _mark(recording, felled, since=started)
        self._history = recording.history
        self._judgement.ask(self._history, "stats")

    @contextmanager
    def felled(self, fault: Fault) -> Iterator[Felled]:
        """The state of being disrupted by `fault`, healed when it is left."""
        with self._faults.felled(fault) as felled:
            yield felled

    @contextmanager
    def dataset(self) -> Iterator[Dataset]:
        """The state of a data set of every type being there, confirmed by both replicas; removed at the end."""
        self._workload.write_dataset(keys=DATASET_KEYS, seed=self._seed)
        dataset = Dataset(self._workload, self._seed, self._judgement.asserted)
        yield dataset
        self._workload.remove_dataset(seed=self._seed)

    @property
    def history(self) -> History:
        """What the clients, the samplers and the Sentinels recorded. Raises HarnessError before `writing` has ended."""
        if self._history is None:
            raise HarnessError("there is no history yet: read it after `writing`")
        return self._history

    @cached_property
    def anatomy(self) -> Anatomy:
        """The failover taken apart on the witness's clock."""
        return anatomy(self.history)


def _mark(recording: Recording, felled: Felled, *, since: float) -> None:
    """Put a fault's brackets on the history's clock; what was before the clients' begin is not in their history.

    A volume that was made small beforehand, say, is the state that they began in: nothing is counted from it.
    """
    name, sent = str(felled), felled.injected_at
    if sent >= since:
        recording.mark(name, Bracket(sent, max(sent, felled.returned_at or sent)))
    for action, at in (("effect", felled.effect_at), ("heal", felled.healed_at)):
        if at is not None and at >= since:
            recording.mark(name, Bracket(at, at), action=action)
