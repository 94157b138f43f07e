"""One reader: it asks how far an instance has got with what was acknowledged.

Each read takes the next writer that has something acknowledged and asks for the field of its highest acknowledged
write. If it is there, the instance has got at least as far and `seen` is said to be that write. If it is not, the
highest one that is there is looked for: exactly from what the writer has reached by now (where an acknowledged write
was lost there are later ones: then the read is not stale) to `NEAR` hashes before what was expected, beyond that by
doubling steps and halving, as if nothing were missing in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from witness.bodies import Address
from witness.client import Client, Surroundings
from witness.links import Link
from witness.outcomes import ACKNOWLEDGED, FAIL, OK, Outcome
from witness.writer import NONE, PER_KEY, Writer, key_of

#: Hashes looked for one by one, in one round trip: what a writer of 125 writes a second does in about a minute.
NEAR = 64


class Reader:
    """Reads until stopped, from what `writers` (all of the workload, by their index) have acknowledged."""

    def __init__(
        self,
        index: int,
        workload: str,
        writers: Sequence[Writer],
        *,
        pinned: Address | None,
        surroundings: Surroundings,
    ) -> None:
        self.index = index
        self.client = Client(surroundings, pinned)
        self._workload = workload
        self._writers = writers
        self._journal = surroundings.journal
        self._idle_s = surroundings.reconnect_s
        self._turn = index
        self._writer = NONE
        self._expected = NONE
        self._seen = NONE

    async def run(self, *, first_at: float, period: float) -> None:
        """Read on the grid ``first_at + n * period`` (loop time)."""
        await self.client.run(self._read, first_at=first_at, period=period)

    async def _read(self) -> bool:
        """One op, recorded unless nothing was acknowledged yet. Returns whether it was answered."""
        if not self._choose():
            await asyncio.sleep(self._idle_s)
            return True
        self._seen = NONE
        invoked, took, code, error, instance = await self.client.attempt(self._look)
        answered = code == OK
        if not answered:
            self._seen = NONE
        self._journal.add(
            "r",
            self.index,
            invoked,
            took,
            OK if answered else FAIL,  # a read changes nothing: without an answer it failed
            instance,
            self._writer,
            self._expected,
            self._seen,
            *([] if answered else [error]),
        )
        return answered

    def _choose(self) -> bool:
        """The next writer that has something acknowledged, and how far it is; False if there is none."""
        for _ in self._writers:
            self._turn = (self._turn + 1) % len(self._writers)
            writer = self._writers[self._turn]
            if writer.highest_acknowledged != NONE:
                self._writer, self._expected = writer.index, writer.highest_acknowledged
                return True
        return False

    async def _look(self, link: Link) -> Outcome:
        expected, writer = self._expected, self._writer
        value = await link.call("HGET", key_of(self._workload, writer, expected), expected % PER_KEY)
        self._seen = expected if value == f"{writer}.{expected}" else await self._highest(link)
        return ACKNOWLEDGED

    async def _highest(self, link: Link) -> int:
        """The highest write of the writer that is there; `NONE` if none is."""
        latest = self._writers[self._writer].highest_acknowledged // PER_KEY + 1
        first = max(0, self._expected // PER_KEY - NEAR)
        near = list(range(latest, first - 1, -1))
        there = await self._present(link, near)
        bucket = next((bucket for bucket, is_there in zip(near, there, strict=True) if is_there), None)
        if bucket is None:
            bucket = await self._search_below(link, first)
        if bucket is None:
            return NONE
        fields = await link.call("HKEYS", self._key(bucket))
        return max((bucket * PER_KEY + int(field) for field in fields if field.isdigit()), default=NONE)

    async def _search_below(self, link: Link, absent: int) -> int | None:
        """The highest hash below `absent` that is there: doubling steps in one round trip, then halving."""
        steps = [absent - (1 << power) for power in range(absent.bit_length()) if absent - (1 << power) > 0]
        probes = [*steps, 0] if absent else []
        there = await self._present(link, probes)
        found = None
        for probe, is_there in zip(probes, there, strict=True):
            if is_there:
                found = probe
                break
            absent = probe
        while found is not None and absent - found > 1:
            middle = (found + absent) // 2
            if (await self._present(link, [middle]))[0]:
                found = middle
            else:
                absent = middle
        return found

    async def _present(self, link: Link, buckets: Sequence[int]) -> list[bool]:
        replies: list[Any] = await link.calls([("EXISTS", self._key(bucket)) for bucket in buckets])
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return [bool(reply) for reply in replies]

    def _key(self, bucket: int) -> str:
        return key_of(self._workload, self._writer, bucket * PER_KEY)
