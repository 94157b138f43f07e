"""Faults by command: what an operator, or a client, may tell a healthy deployment."""

from __future__ import annotations

from functools import partial

from harness import wait
from harness.cluster.readiness import Readiness
from harness.errors import HarnessError, InjectionFailed
from harness.faults.base import Bench
from harness.sut import Topology
from harness.sut.names import PRIMARY_NAME, REDIS, SENTINEL, kind_of
from harness.sut.replies import ErrorReply, info

#: A planned change takes some seconds, or up to failover-timeout (30 s) when a replica needs a full resync.
CHANGED_S = 60.0

#: After Redis' own FAILOVER the Sentinels wait 25 s for the old primary and then fail over again (sentinel-facts §2.4).
SETTLED_S = 120.0

TRYING = "failover_in_progress"


def told(bench: Bench, seat: str, command: str) -> str:
    """Return the reply to a command that has to be obeyed. Raises InjectionFailed with the error it was answered."""
    reply = bench.sut.ask(seat, command)[0]
    if isinstance(reply, ErrorReply):
        raise InjectionFailed(f"{seat} was told {command!r} and answered {reply!r}")
    return str(reply)


def a_sentinel(bench: Bench) -> str:
    """Return a Sentinel that answers now. Raises HarnessError when none does."""
    views = bench.sut.topology().sentinels
    if not views:
        raise HarnessError("no Sentinel answers")
    return views[0].seat


def is_settled(topology: Topology) -> Readiness:
    """Whether a change of the primary is over for everybody who answers; who does not is not waited for."""
    if len(topology.primaries) != 1:
        return Readiness((f"primaries: {', '.join(topology.primaries) or 'none'}",))
    primary = topology.primaries[0]
    named = [view for view in topology.sentinels if view.primary_host.split(".")[0] != primary]
    reasons = [f"{view.seat} names {view.primary_host}" for view in named]
    reasons += [f"{view.seat} is still at it" for view in topology.sentinels if TRYING in view.primary_flags]
    followers = [view for view in topology.redis if view.seat != primary]
    reasons += [f"{view.seat} follows {view.follows}" for view in followers if view.follows != primary]
    reasons += [f"{view.seat} has its link down" for view in followers if not view.link_up or view.syncing]
    return Readiness(tuple(reasons))


class PlannedFailover:
    """A Sentinel is told to replace the healthy primary (SENTINEL FAILOVER): it asks nobody's vote.

    The old primary is not told before it is converted, so it goes on taking writes that are lost then
    (sentinel-facts.md §2.4).
    """

    def __init__(self, sentinel: str | None = None) -> None:
        self._sentinel = sentinel
        self._old = ""

    @property
    def target(self) -> str:
        """The primary."""
        return self._old or "the primary"

    @property
    def by_hand(self) -> str:
        """Nothing: the Sentinels bring it to its end."""
        return f"wait until redis-cli -p {SENTINEL.port} SENTINEL CKQUORUM {PRIMARY_NAME} says OK and writes are taken"

    def prepare(self, bench: Bench) -> None:
        """Note the primary, and choose who is told."""
        self._old = bench.sut.elected_primary()
        self._sentinel = self._sentinel or a_sentinel(bench)

    def inject(self, bench: Bench) -> None:
        """Tell it. Raises InjectionFailed when it has no good replica or is at it already."""
        told(bench, str(self._sentinel), f"SENTINEL FAILOVER {PRIMARY_NAME}")

    def await_effect(self, bench: Bench) -> None:
        """Return when a majority of the Sentinels names another primary, which says so itself."""
        wait.eventually(
            bench.sut.elected_primary,
            lambda seat: seat != self._old,
            seconds=CHANGED_S,
            what=f"a primary other than {self._old}",
        )

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: a change of the primary is as good as the state before."""

    def await_healed(self, bench: Bench) -> None:
        """Return when everybody who answers follows one primary."""
        wait.eventually(bench.sut.topology, is_settled, seconds=SETTLED_S, what="the end of the change of the primary")


class PlannedBehindPause(PlannedFailover):
    """The primary holds its writes back (CLIENT PAUSE WRITE) before the Sentinel is told: nothing is lost then."""

    def __init__(self, *, pause_s: float = 10.0, sentinel: str | None = None) -> None:
        super().__init__(sentinel)
        self.pause_s = pause_s

    @property
    def by_hand(self) -> str:
        """Let writes pass; the pause ends by itself too."""
        return f"redis-cli CLIENT UNPAUSE on {self.target}"

    def inject(self, bench: Bench) -> None:
        """Pause, then tell the Sentinel."""
        told(bench, self._old, f"CLIENT PAUSE {round(1000 * self.pause_s)} WRITE")
        super().inject(bench)

    def heal(self, bench: Bench) -> None:
        """Let writes pass."""
        if self._old:
            told(bench, self._old, "CLIENT UNPAUSE")


class RedisFailover(PlannedFailover):
    """The primary hands over by Redis' own FAILOVER, behind the Sentinels' back.

    They see a primary that says it is a replica, wait, and fail over again: 28 s without a primary were measured
    (sentinel-facts.md §2.4).
    """

    @property
    def by_hand(self) -> str:
        """Stop it; the Sentinels put the rest right."""
        return f"redis-cli FAILOVER ABORT on {self.target}"

    def inject(self, bench: Bench) -> None:
        """Tell the primary."""
        told(bench, self._old, "FAILOVER")

    def await_effect(self, bench: Bench) -> None:
        """Return when the old primary says that it is a replica."""
        wait.eventually(
            partial(bench.sut.redis_view, self._old),
            lambda view: view.role == "replica",
            seconds=CHANGED_S,
            what=f"{self._old} as a replica",
        )

    def heal(self, bench: Bench) -> None:
        """Abort it if it is still under way."""
        if self._old and _hands_over(bench, self._old):
            told(bench, self._old, "FAILOVER ABORT")


def _hands_over(bench: Bench, seat: str) -> bool:
    state = info(bench.sut.ask(seat, "INFO replication")[0], "INFO replication")
    return state.get("master_failover_state", "no-failover") != "no-failover"


def require_redis(seat: str) -> None:
    """Raise InjectionFailed when `seat` is a Sentinel's."""
    if kind_of(seat) is not REDIS:
        raise InjectionFailed(f"{seat} is a Sentinel: it runs no scripts and pauses no clients")
