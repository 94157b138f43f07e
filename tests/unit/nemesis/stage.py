"""A deployment, a workload and faults that are only played, on a clock that moves when somebody waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.clients import usual_clients
from harness.clock import Bracket
from harness.errors import SteadyStateError
from harness.faults import Faults
from harness.history import History
from harness.nemesis import Entry, Leg, Menu
from harness.sut import Topology
from tests.unit import topologies
from tests.unit.history.made import S, digests, history, role, swept, write

SEATS = ("redis-0", "redis-1", "redis-2")
SAME = digests(redis_0="aa", redis_1="aa", redis_2="aa")
LEAD_S = 5
FELT_S = 2
HEALED_S = 4


class Clock:
    """Time as the stage has it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Played:
    """A fault that notes its verbs with their times; felt and healed some seconds after the order."""

    by_hand = "nothing"

    def __init__(self, stage: Stage, name: str, seats: tuple[str, ...]) -> None:
        self._stage = stage
        self._name = name
        self.target = ", ".join(seats)

    def prepare(self, bench: Any) -> None:
        pass

    def inject(self, bench: Any) -> None:
        self._stage.say(f"{self._name}({self.target})")
        self._stage.meet("inject", self._name)

    def await_effect(self, bench: Any) -> None:
        self._stage.clock.sleep(FELT_S)

    def heal(self, bench: Any) -> None:
        self._stage.say(f"{self._name} healed")
        self._stage.meet("heal", self._name)

    def await_healed(self, bench: Any) -> None:
        self._stage.clock.sleep(HEALED_S)


class Recording:
    """A workload that acknowledged a write each 0.2 s, except in the gaps that the stage was told of."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._began = stage.clock.now
        self._marks: list[list[Any]] = []

    def acks_since(self, since: float) -> int:
        return 10_000

    def is_writing(self) -> bool:
        if self._stage.broken_off is not None:
            raise self._stage.broken_off
        return True

    def mark(self, name: str, bracket: Bracket, *, action: str = "inject") -> None:
        at = [round((instant - self._began) * S) for instant in (bracket.sent, bracket.returned)]
        self._marks.append(["fault", name, action, *at, 100])

    @property
    def history(self) -> History:
        seconds = round(self._stage.clock.now - self._began)
        at = [n / 5 for n in range(5 * seconds) if not self._stage.is_gap(n / 5 + self._began)]
        rows: list[list[Any]] = [write(sequence, instant) for sequence, instant in enumerate(at)]
        rows += [role(seat, n, "primary" if seat == "redis-0" else "replica") for n in (1, 2, 3) for seat in SEATS]
        return history([*rows, *self._marks, *swept({0: [[0, len(at) - 1]]}), *SAME])


class Stage:
    """Everything that a leg works with. `script` may raise when a verb of a fault is played: {(verb, name): error}."""

    def __init__(self, clock: Clock, directory: Path) -> None:
        self.clock = clock
        self.directory = directory
        self.said: list[str] = []
        self.told: list[str] = []
        self.script: dict[tuple[str, str], Exception] = {}
        self.steady_takes: Callable[[], float] = lambda: 1.0
        self.ending: Exception | None = None
        self.broken_off: Exception | None = None
        self.gap_after: dict[str, float] = {}
        self._gaps: list[tuple[float, float]] = []
        self._began = clock.now
        self.menu = Menu(
            Entry("killed", self._making("killed"), ("primary", "one_sentinel"), predicted_s=20),
            Entry("paused", self._making("paused"), ("primary", "one_replica"), predicted_s=20, held_s=(5, 60)),
        )

    def _making(self, name: str) -> Callable[..., Played]:
        return lambda seats: Played(self, name, tuple(seats))

    def say(self, what: str) -> None:
        self.said.append(f"{self.clock.now - self._began:.0f} {what}")

    def meet(self, verb: str, name: str) -> None:
        if verb == "inject" and name in self.gap_after:
            self._gaps.append((self.clock.now, self.clock.now + self.gap_after[name]))
        if (verb, name) in self.script:
            raise self.script[verb, name]

    def is_gap(self, instant: float) -> bool:
        return any(begin < instant < end for begin, end in self._gaps)

    # As the handle on the deployment

    def topology(self) -> Topology:
        return topologies.healthy()

    def steady(self, *, seconds: float = 100.0) -> Topology:
        took = self.steady_takes()
        self.clock.sleep(min(took, seconds))
        if took > seconds:
            raise SteadyStateError(f"waited {seconds:g} s for the steady state")
        return self.topology()

    # As the workload

    @contextmanager
    def running(self, name: str, **_clients: Any) -> Iterator[Recording]:
        self.clock.sleep(LEAD_S)
        recording = Recording(self)
        yield recording
        self.clock.sleep(1)
        if self.ending is not None:
            raise self.ending

    def leg(self, name: str, begins_s: int) -> Leg:
        stage: Any = self
        faults = Faults(stage, self.directory / "faults.jsonl")
        clients = usual_clients("shop")
        options: dict[str, Any] = {"seed": 1, "menu": self.menu, "say": self.told.append, "begins_s": begins_s}
        return Leg(name, "promise", stage, faults, workload=stage, clients=clients, **options)
