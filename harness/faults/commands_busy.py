"""Faults by command that keep a server from answering: a slow script, paused clients."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

from harness import wait
from harness.errors import HarnessError, InjectionFailed
from harness.faults.base import Bench
from harness.faults.commands import require_redis
from harness.sut.names import REDIS

#: Long enough for a healthy server to answer, and far below down-after.
ANSWER_S = 1
FELT_S = 10.0
BACK_S = 30.0

#: SCRIPT KILL is read only after busy-reply-threshold (5 s); until then it waits with everybody else.
KILL_S = 10

#: A loop on the clock on the wall. Redis 7.0 moves TIME within a script; where it stands still, os.clock (the processor
#: time used, in versions that have it) ends the loop instead.
SCRIPT = (
    "local has, clock = pcall(function() return os.clock end) "
    "local function now() local t = redis.call('TIME') return t[1] + t[2] / 1000000 end "
    "local begin, used = now(), has and clock() or 0 "
    "local most = tonumber(ARGV[1]) "
    "while now() - begin < most do if has and clock() - used >= most then break end end "
    "return ARGV[2]"
)


class _Unanswering:
    """A Redis server that answers nobody for a while. The same process answers afterwards."""

    def __init__(self, seat: str, seconds: float) -> None:
        require_redis(seat)
        self.seat = seat
        self.seconds = seconds
        self._run_id = ""

    @property
    def target(self) -> str:
        """The seat."""
        return self.seat

    def prepare(self, bench: Bench) -> None:
        """Note the process by its run id."""
        self._run_id = bench.sut.run_id(self.seat)

    def await_effect(self, bench: Bench) -> None:
        """Return when a PING has not been answered PONG for a second."""
        wait.eventually(
            partial(_answer, bench, self.seat),
            lambda answer: answer != "PONG",
            seconds=FELT_S,
            what=f"silence of {self.seat}",
        )

    def await_healed(self, bench: Bench) -> None:
        """Return when it answers PONG again. Raises HarnessError when that is another process: it was restarted."""
        patience = self.seconds + BACK_S
        wait.eventually(
            partial(_answer, bench, self.seat),
            lambda answer: answer == "PONG",
            seconds=patience,
            what=f"{self.seat} answering",
        )
        if bench.sut.run_id(self.seat) != self._run_id:
            raise HarnessError(f"{self.seat} answers by another process: it was restarted while it was busy")


class SlowScript(_Unanswering):
    """A script keeps a Redis server busy for `seconds`; `lasted_s` is how long it did, by the server's slow log.

    From busy-reply-threshold (5 s) on, the server answers everybody BUSY. A Sentinel that holds it for down then sends
    SCRIPT KILL itself (sentinel.c, sentinelPingReplyCallback).
    """

    def __init__(self, seat: str, *, seconds: float) -> None:
        super().__init__(seat, seconds)
        self.lasted_s: float | None = None
        self._was_started = False
        self._id = f"e2e-{uuid4().hex[:8]}"

    @property
    def by_hand(self) -> str:
        """Stop the script; it ends by itself too."""
        return f"redis-cli SCRIPT KILL on {self.seat}"

    def inject(self, bench: Bench) -> None:
        """Start the script and do not wait for it."""
        ask = f'redis-cli -p {REDIS.port} EVAL "$1" 0 {self.seconds} {self._id} </dev/null >/dev/null 2>&1 &'
        bench.sut.run(self.seat, ["sh", "-c", ask, "busy", SCRIPT]).check()
        self._was_started = True

    def heal(self, bench: Bench) -> None:
        """Stop the script as soon as the server reads that."""
        kill = ["timeout", str(KILL_S), "redis-cli", "-p", str(REDIS.port), "SCRIPT", "KILL"]
        bench.sut.run(self.seat, kill, seconds=KILL_S + 2)  # OK, NOTBUSY when it is over, or nobody reads it yet

    def await_healed(self, bench: Bench) -> None:
        """Return when it answers PONG again and the slow log has the script, if that was started."""
        super().await_healed(bench)
        if not self._was_started:
            return
        self.lasted_s = wait.eventually(
            partial(self._lasted, bench),
            lambda lasted: lasted is not None,
            seconds=FELT_S,
            what=f"the script in the slow log of {self.seat}",
        )

    def _lasted(self, bench: Bench) -> float | None:
        entries: list[Any] = bench.sut.ask(self.seat, "SLOWLOG GET 128")[0]
        return next((int(entry[2]) / 1e6 for entry in entries if self._id in entry[3]), None)


class ClientsPaused(_Unanswering):
    """A Redis server holds every command back for `seconds` (CLIENT PAUSE ALL): a freeze that needs no privilege.

    Sentinel's PING is held back too. Replication goes on. It cannot be ended early: CLIENT UNPAUSE is itself held back
    (measured with 7.0.15: answered when the pause was over). So it needs no dead man's timer either.
    """

    def __init__(self, seat: str, *, seconds: float) -> None:
        super().__init__(seat, seconds)

    @property
    def by_hand(self) -> str:
        """Wait for it."""
        return f"wait: it ends by itself {self.seconds:.0f} s after its begin"

    def inject(self, bench: Bench) -> None:
        """Pause. The reply is the last one for a while: nothing may be asked behind it."""
        pause = ["redis-cli", "-p", str(REDIS.port), "CLIENT", "PAUSE", str(round(1000 * self.seconds)), "ALL"]
        done = bench.sut.run(self.seat, pause)
        if done.stdout.strip() != "OK":
            raise InjectionFailed(f"{self.seat} was told CLIENT PAUSE and answered {done.stdout.strip()!r}")

    def heal(self, bench: Bench) -> None:
        """Nothing can be done but to wait for its end, which `await_healed` does."""


def _answer(bench: Bench, seat: str) -> str:
    ping = ["timeout", str(ANSWER_S), "redis-cli", "-p", str(REDIS.port), "PING"]
    return bench.sut.run(seat, ping, seconds=ANSWER_S + 2).stdout.strip()
