"""The budget of real processes: asked as pods are asked, with redis-cli, and put together by the same pure code."""

from __future__ import annotations

import subprocess
from typing import Any

from harness.budget import Budget, Environment, budget
from harness.budget.reading import configuration_of
from harness.sut import Topology as Picture
from harness.sut import replies, views
from tests.unit import topologies
from tests.unit.processes import Topology

#: What a step may take longer on a machine that runs other tests as well.
BUSY = Environment(round_trip=0.01, lag=0.5)


class LocalSut:
    """As much of a Sut as the reading of a configuration asks for."""

    def __init__(self, topology: Topology) -> None:
        sentinels = topology.sentinels.items()
        self._ports = {f"redis-{name}": each.port for name, each in sentinels}
        self._ports |= {name: each.port for name, each in topology.redises.items()}
        self._redises = list(topology.redises)
        self._sentinels = [f"redis-{name}" for name, _ in sentinels]
        self.cluster = self

    def gather(self, calls: list[Any]) -> list[Any]:
        return [call() for call in calls]

    def ask(self, seat: str, *commands: str) -> list[Any]:
        argv = replies.command_line(self._ports[seat], commands)
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True)
        return replies.parse(done.stdout, len(commands))

    def ask_each(self, *commands: str, stateful_set: str) -> dict[str, list[Any]]:
        assert stateful_set == "redis"
        return {seat: self.ask(seat, *commands) for seat in self._redises}

    def topology(self) -> Picture:
        return Picture(
            at=0.0,
            pods=tuple(topologies.pod(seat) for seat in self._ports),
            redis=tuple(views.redis(seat, self.ask(seat, *views.REDIS_QUESTIONS)) for seat in self._redises),
            sentinels=tuple(
                views.sentinel(seat, self.ask(seat, *views.SENTINEL_QUESTIONS)) for seat in self._sentinels
            ),
        )

    def pod_objects(self) -> dict[str, Any]:
        return {}


def live_budget(topology: Topology, environment: Environment = BUSY) -> Budget:
    """The budget of what these processes are configured to do now."""
    local: Any = LocalSut(topology)
    return budget(configuration_of(local), environment)
