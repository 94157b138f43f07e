"""One frozen, timestamped picture of the whole deployment: who says what about whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from harness.sut.names import SENTINEL, kind_of

Role = Literal["primary", "replica"]

#: Sentinel pings everybody once a second (sentinel.c, SENTINEL_PING_PERIOD); longer than this is no mere delay.
HEARD_S = 3.0


@dataclass(frozen=True, slots=True)
class Pod:
    """What Kubernetes says of a seat."""

    seat: str
    uid: str
    node: str
    ip: str
    ready: bool
    terminating: bool
    restarts: int
    phase: str


@dataclass(frozen=True, slots=True)
class Link:
    """A replica as its primary sees it."""

    host: str
    state: str
    offset: int
    lag_s: int


@dataclass(frozen=True, slots=True)
class RedisView:
    """What one Redis instance says of itself."""

    seat: str
    run_id: str
    version: str
    role: Role
    follows: str | None
    """Seat of the instance it replicates from; None for a primary."""
    link_up: bool
    syncing: bool
    offset: int
    priority: int
    loading: bool
    aof_enabled: bool
    uptime_s: int
    replicas: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A replica or another Sentinel as one Sentinel sees it."""

    host: str
    flags: frozenset[str]
    run_id: str
    silent_s: float
    priority: int | None = None

    @property
    def is_usable(self) -> bool:
        """Neither down nor disconnected in that Sentinel's eyes."""
        return not self.flags & {"s_down", "o_down", "disconnected"}

    @property
    def is_heard(self) -> bool:
        """That Sentinel had an answer of it lately.

        `disconnected` goes from the flags when an attempt to connect begins (sentinel.c, sentinelReconnectInstance),
        and one to the address of a pod that is gone hangs for seconds; `s_down` comes only after down-after.
        """
        return self.silent_s <= HEARD_S


@dataclass(frozen=True, slots=True)
class SentinelView:
    """What one Sentinel says of the primary, the replicas and the other Sentinels."""

    seat: str
    my_id: str
    run_id: str
    primary_host: str
    primary_flags: frozenset[str]
    quorum: int
    down_after_s: float
    failover_timeout_s: float
    parallel_syncs: int
    config_epoch: int
    replicas: tuple[Member, ...]
    sentinels: tuple[Member, ...]
    quorum_check: str
    """The answer to SENTINEL CKQUORUM: ``OK 3 usable Sentinels…`` or ``NOQUORUM …``."""
    tilt: bool
    cooling_down_s: float = 0.0
    """Seconds until this Sentinel may try again after a failover that it took part in and that was not completed."""

    @property
    def has_quorum(self) -> bool:
        """CKQUORUM says that a failover could be authorised now."""
        return self.quorum_check.startswith("OK")


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that all instances said within one look. `at` is `time.monotonic()` at its start, in seconds."""

    at: float
    pods: tuple[Pod, ...]
    redis: tuple[RedisView, ...]
    sentinels: tuple[SentinelView, ...]
    silent: dict[str, str] = field(default_factory=dict)
    """Seats whose pod exists but that did not answer, and why."""
    absent: tuple[str, ...] = ()
    """Seats that the StatefulSets ask for and that have no pod."""

    @property
    def primaries(self) -> tuple[str, ...]:
        """Seats that say they are primary."""
        return tuple(view.seat for view in self.redis if view.role == "primary")

    @property
    def replicas(self) -> tuple[str, ...]:
        """Seats that say they are replicas."""
        return tuple(view.seat for view in self.redis if view.role == "replica")

    @property
    def sentinels_due(self) -> int:
        """Number of Sentinels that there should be: those that answered, are silent or absent."""
        missing = [seat for seat in (*self.silent, *self.absent) if kind_of(seat) is SENTINEL]
        return len(self.sentinels) + len(missing)

    def pod(self, seat: str) -> Pod | None:
        """Return the pod on `seat`, None when the seat is empty."""
        return next((pod for pod in self.pods if pod.seat == seat), None)

    def instance(self, seat: str) -> RedisView | None:
        """Return what the Redis instance on `seat` said, None when it was silent or absent."""
        return next((view for view in self.redis if view.seat == seat), None)

    def __str__(self) -> str:
        told = [f"{view.seat} {view.role}{_of(view)}" for view in self.redis]
        told += [f"{view.seat} names {view.primary_host.split('.')[0] or '?'}" for view in self.sentinels]
        told += [f"{seat} silent ({why.splitlines()[0]})" for seat, why in self.silent.items()]
        told += [f"{seat} absent" for seat in self.absent]
        return ", ".join(told)


def _of(view: RedisView) -> str:
    if view.role == "primary":
        return f" with {len(view.replicas)} replicas"
    return f" of {view.follows}, link {'up' if view.link_up else 'down'}"
