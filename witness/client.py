"""One client of Redis: one connection to its target, made anew when it breaks, and one op at a time.

A client that follows the Sentinels keeps its connection as long as it works, as clients do: it is *not* moved away from
a demoted primary that still answers, for what goes wrong there is the product's. But when the Sentinels name somebody
else, an op that has hung for `STUCK_S` is given up at once instead of after the client's timeout, and a refusal
(NOREPLICAS) ends the connection: a gap shall end when ops are possible again, not when a client's habits allow.

A client pinned to a seat stays there, READONLY or not. One that goes through another address (a Kubernetes Service)
asks who it got by the run id, and leaves one that refuses to write: its next connection may lead to somebody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from witness.bodies import Address
from witness.journal import Journal
from witness.links import Link
from witness.locator import Locator
from witness.outcomes import (
    CLIENT_ERRORS,
    MOVED_AFTER_SENDING,
    MOVED_BEFORE_SENDING,
    NO_PRIMARY,
    NOT_PRIMARY,
    OK,
    STOPPED_AFTER_SENDING,
    Outcome,
    after_sending,
    before_sending,
)
from witness.replies import server_fields

STUCK_S = 0.02
NOBODY = -1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all clients of one workload share; `run_ids` grows: the instance that each known process is."""

    journal: Journal
    locator: Locator
    password: str | None
    timeout_s: float
    reconnect_s: float
    name_of: Callable[[Address], str | None]
    run_ids: Mapping[str, int]


class Attempt(NamedTuple):
    """One op as it went: when (microseconds), how it ended, and on which instance (-1: none was reached)."""

    invoked: int
    took: int
    code: str
    error: str
    instance: int


class Client:
    """Runs ops on a grid of instants until stopped. With `pinned` None it follows the Sentinels."""

    def __init__(self, surroundings: Surroundings, pinned: Address | None) -> None:
        self._around = surroundings
        self._pinned = pinned
        self._now = surroundings.journal.now
        self._locator = surroundings.locator
        self._link: Link | None = None
        self._address: Address | None = None
        self._instance = NOBODY
        self._stranger = ""  # the run id of one whose address is no seat's and who is not known yet
        self._searching = False
        self._sent = False
        self._began: int | None = None
        self._moving = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        if pinned is None:
            self._locator.listen(self._primary_moved)

    async def run(self, op: Callable[[], Awaitable[bool]], *, first_at: float, period: float) -> None:
        """Do `op` at ``first_at + n * period`` (loop time); instants missed while stuck are left out.

        `op` says whether it succeeded; after a failure without a connection (or without a pace: `period` 0) the next
        one waits `reconnect_s`.
        """
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        due = first_at
        try:
            while not self._stopping:
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                    if self._stopping:
                        break
                succeeded = await op()
                if period:
                    due += period * max(1, -(-(loop.time() - due) // period))
                if not succeeded and (self._link is None or not period):
                    due = self._next_try(due, period)
        finally:
            self._search(begin=False)
            await self._drop_link()

    async def attempt(self, op: Callable[[Link], Awaitable[Outcome]]) -> Attempt:
        """Connect if need be and do one op; whatever it meets becomes an outcome."""
        began = self._began = self._now()
        self._sent = False
        try:
            outcome = await self._connect() if self._link is None else None
            link = self._link
            if link is not None:
                self._sent = True
                outcome = await op(link)
        except CLIENT_ERRORS as exc:
            outcome = after_sending(exc) if self._sent else before_sending(exc)
            if self._is_of_no_use(outcome):
                await self._drop_link()
        except asyncio.CancelledError:
            if not (self._moving or self._stopping) or self._task is None:
                raise
            self._task.uncancel()
            outcome = self._given_up()
            await self._drop_link()
        ended = self._now()
        self._began, self._moving = None, False
        if self._stranger:
            self._recognise()
        assert outcome is not None, "without a link there is a reason"
        attempt = Attempt(began, ended - began, outcome.code, outcome.error, self._instance)
        if outcome.code != OK and self._link is None:
            self._instance, self._stranger = NOBODY, ""
            self._search(begin=self._pinned is None)
        return attempt

    def stop(self) -> None:
        """Begin no further op."""
        self._stopping = True

    def abort(self) -> None:
        """Give up the op in flight: its outcome stays unknown (info)."""
        self._stopping = True
        if self._began is not None and self._task is not None:
            self._task.cancel()

    def _next_try(self, due: float, period: float) -> float:
        earliest = asyncio.get_running_loop().time() + self._around.reconnect_s
        if not period or due >= earliest:
            return max(due, earliest)
        return due + period * -(-(earliest - due) // period)

    async def _connect(self) -> Outcome | None:
        """Open the link; an outcome says why there is none. Whom Sentinel names must say primary itself."""
        around = self._around
        address = self._pinned or self._locator.primary
        if address is None:
            return NO_PRIMARY
        self._address = address
        seat = around.name_of(address)
        self._instance = around.journal.instance(seat, str(address)) if seat else NOBODY
        link = await Link.open(address, password=around.password, timeout_s=around.timeout_s)
        try:
            if self._pinned is None and (await link.call("ROLE"))[0] != "master":
                await link.close()
                return NOT_PRIMARY
            if seat is None:
                self._stranger = server_fields(await link.call("INFO", "server")).get("run_id", "")
                self._recognise()
        except BaseException:
            await link.close()
            raise
        if self._instance == NOBODY:
            self._instance = around.journal.instance(str(address), str(address))
        self._link = link
        self._search(begin=False)
        return None

    def _recognise(self) -> None:
        """Name a stranger by its run id as soon as a sampler has met the same process on a seat."""
        known = self._around.run_ids.get(self._stranger)
        if known is not None:
            self._instance, self._stranger = known, ""

    def _is_of_no_use(self, outcome: Outcome) -> bool:
        """Whether the link is broken, or leads to one who refuses while somebody else may be primary."""
        if self._link is None or not self._link.is_open:
            return True
        if outcome.error == "readonly":
            return self._pinned is None or self._around.name_of(self._pinned) is None
        return self._pinned is None and self._locator.primary not in {None, self._link.address}

    async def _drop_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    def _search(self, *, begin: bool) -> None:
        if begin != self._searching:
            self._searching = begin
            self._locator.search(begin=begin)

    def _primary_moved(self, primary: Address) -> None:
        stuck = self._began is not None and self._now() - self._began > STUCK_S * 1e6
        if stuck and self._address != primary and self._task is not None and not self._moving:
            self._moving = True
            self._task.cancel()

    def _given_up(self) -> Outcome:
        if not self._sent:
            return MOVED_BEFORE_SENDING
        return STOPPED_AFTER_SENDING if self._stopping else MOVED_AFTER_SENDING


def paced(connections: int, rate: float) -> list[tuple[float, float]]:
    """For each of so many connections that share `rate` ops a second: when it begins, and its period, in seconds.

    They take turns, so that together they are evenly spread; at rate 0 there is no pace and all begin at once.
    """
    period = connections / rate if rate else 0.0
    return [(period * place / connections, period) for place in range(connections)]
