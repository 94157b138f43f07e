"""One writer: one connection, one sequence of writes, each recorded with its outcome.

A write puts field ``sequence % 128`` of the hash ``e2e:w:<workload>:<writer>:<sequence // 128>`` to
``<writer>.<sequence>``: every write stays in the data and can be found again by its identity, at about a dozen bytes a
write (a hash of up to 128 small fields is one compact listpack), so that hours of writing fit into a small Redis.

A Sentinel-aware writer keeps its connection as long as it works, as clients do: it is *not* moved away from a demoted
primary that still acknowledges, for those lost writes are the product's. But when the Sentinels name somebody else, an
op that has hung for `STUCK_S` is given up at once instead of after the client's timeout, and a refusal (NOREPLICAS)
ends the connection: a write gap shall end when writes are possible again, not when a client's habits allow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from witness.bodies import Address, WriterGroup
from witness.journal import Journal
from witness.links import Link
from witness.locator import Locator
from witness.outcomes import (
    ACKNOWLEDGED,
    CLIENT_ERRORS,
    MOVED_AFTER_SENDING,
    MOVED_BEFORE_SENDING,
    NO_PRIMARY,
    NOT_PRIMARY,
    OK,
    STOPPED_AFTER_SENDING,
    TOO_FEW_REPLICAS,
    Outcome,
    after_sending,
    before_sending,
)

PER_KEY = 128
STUCK_S = 0.02
NOBODY = -1


def key_of(workload: str, writer: int, sequence: int) -> str:
    """The key that holds a write."""
    return f"e2e:w:{workload}:{writer}:{sequence // PER_KEY}"


class Writer:
    """Writes until stopped; `acknowledged` is told of every ok with its microsecond."""

    def __init__(
        self,
        *,
        index: int,
        workload: str,
        group: WriterGroup,
        pinned: Address | None,
        locator: Locator,
        journal: Journal,
        timeout_s: float,
        reconnect_s: float,
        password: str | None,
        name_of: Callable[[Address], str | None],
        acknowledged: Callable[[int], None],
    ) -> None:
        self.index = index
        self._workload = workload
        self._group = group
        self._pinned = pinned
        self._locator = locator
        self._journal = journal
        self._timeout_s = timeout_s
        self._reconnect_s = reconnect_s
        self._password = password
        self._name_of = name_of
        self._acknowledged = acknowledged
        self._link: Link | None = None
        self._instance = NOBODY
        self._searching = False
        self._sequence = 0
        self._sent = False
        self._began: int | None = None
        self._moving = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        if pinned is None:
            locator.listen(self._primary_moved)

    async def run(self, *, first_at: float, period: float) -> None:
        """Write on the grid ``first_at + n * period`` (loop time); instants missed while stuck are left out."""
        loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        due = first_at
        try:
            while not self._stopping:
                if (wait := due - loop.time()) > 0:
                    await asyncio.sleep(wait)
                    if self._stopping:
                        break
                applied = await self._write()
                if period:
                    due += period * max(1, -(-(loop.time() - due) // period))
                if not applied and (self._link is None or not period):
                    due = self._next_try(due, period)
        finally:
            self._search(begin=False)
            await self._drop_link()

    def stop(self) -> None:
        """Begin no further write."""
        self._stopping = True

    def abort(self) -> None:
        """Give up the write in flight: its outcome stays unknown (info)."""
        self._stopping = True
        if self._began is not None and self._task is not None:
            self._task.cancel()

    def _next_try(self, due: float, period: float) -> float:
        earliest = asyncio.get_running_loop().time() + self._reconnect_s
        if not period or due >= earliest:
            return max(due, earliest)
        return due + period * -(-(earliest - due) // period)

    async def _write(self) -> bool:
        """One op, recorded. Returns whether it was acknowledged."""
        sequence, self._sequence = self._sequence, self._sequence + 1
        began = self._began = self._journal.now()
        self._sent = False
        try:
            outcome = await self._attempt(sequence)
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
        ended = self._journal.now()
        self._began, self._moving = None, False
        self._journal.add_write(
            self.index,
            sequence,
            invoked=began,
            took=ended - began,
            outcome=outcome.code,
            instance=self._instance,
            error=outcome.error,
        )
        if outcome.code == OK:
            self._acknowledged(ended)
        elif self._link is None:
            self._instance = NOBODY
            self._search(begin=self._pinned is None)
        return outcome.code == OK

    async def _attempt(self, sequence: int) -> Outcome:
        if self._link is None:
            refusal = await self._connect()
            if refusal:
                return refusal
        link = self._link
        assert link is not None
        key = key_of(self._workload, self.index, sequence)
        command = ("HSET", key, sequence % PER_KEY, f"{self.index}.{sequence}")
        self._sent = True
        if not self._group.wait_replicas:
            await link.call(*command)
            return ACKNOWLEDGED
        wait = ("WAIT", self._group.wait_replicas, int(self._group.wait_timeout_s * 1000))
        written, replicas = await link.calls([command, wait])
        if isinstance(written, Exception):
            raise written
        return ACKNOWLEDGED if isinstance(replicas, int) and replicas >= self._group.wait_replicas else TOO_FEW_REPLICAS

    async def _connect(self) -> Outcome | None:
        """Open the link; an outcome says why there is none. Whom Sentinel names must say primary itself."""
        address = self._pinned or self._locator.primary
        if address is None:
            return NO_PRIMARY
        self._instance = self._journal.instance(self._name_of(address) or str(address), str(address))
        self._link = await Link.open(address, password=self._password, timeout_s=self._timeout_s)
        if self._pinned is None and (await self._link.call("ROLE"))[0] != "master":
            await self._drop_link()
            return NOT_PRIMARY
        self._search(begin=False)
        return None

    def _is_of_no_use(self, outcome: Outcome) -> bool:
        """Whether the link is broken, or leads to one who refuses while somebody else is primary."""
        if self._link is None or not self._link.is_open or outcome.error == "readonly":
            return True
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
        stuck = self._began is not None and self._journal.now() - self._began > STUCK_S * 1e6
        elsewhere = self._link is None or self._link.address != primary
        if stuck and elsewhere and self._task is not None and not self._moving:
            self._moving = True
            self._task.cancel()

    def _given_up(self) -> Outcome:
        if not self._sent:
            return MOVED_BEFORE_SENDING
        return STOPPED_AFTER_SENDING if self._stopping else MOVED_AFTER_SENDING
