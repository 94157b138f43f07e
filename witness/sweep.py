"""The final sweep: reads back, from every instance, every write that is there, by identity.

Replicas are given time to catch up with the primary first. Present writes are recorded as ranges of sequence numbers
per writer; content that no writer put there is recorded as it is. Of an instance that had caught up a digest of
everything else follows, which takes the workload's own keys from what was just read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from witness.bodies import Address, Deployment
from witness.digest import MAX_KEYS, UNKNOWN, KeyspaceDigest
from witness.journal import Journal
from witness.links import Link
from witness.locator import Locator
from witness.outcomes import CLIENT_ERRORS, reply_code, silence
from witness.writer import PER_KEY

TIMEOUT_S = 5.0
SCAN_COUNT = 1000
CATCH_UP_POLL_S = 0.02
REOPEN_POLL_S = 0.2
MAX_ALIENS = 1000
#: Bytes shown of each part of an alien.
MAX_SHOWN = 200


class Sweep:
    """One sweep of one workload's writes over all seats."""

    def __init__(
        self, workload: str, deployment: Deployment, locator: Locator, journal: Journal, *, catch_up_s: float
    ) -> None:
        self._prefix = f"e2e:w:{workload}:".encode()
        self._deployment = deployment
        self._locator = locator
        self._journal = journal
        self._catch_up_s = catch_up_s

    async def run(self) -> None:
        """Sweep all seats side by side; a seat that cannot be read is recorded with its error."""
        target = await self._primary_offset()
        async with asyncio.TaskGroup() as tasks:
            for name, address in self._deployment.seats.items():
                tasks.create_task(self._sweep_seat(name, address, target))

    async def _primary_offset(self) -> int | None:
        """Where the replicas have to be: the primary's replication offset once the writers have stopped."""
        primary = self._locator.primary
        if primary is None:
            return None
        try:
            role = await self._role(primary)
        except CLIENT_ERRORS:
            return None
        return int(role[1]) if role[0] == b"master" else None

    async def _role(self, address: Address) -> list[Any]:
        link = await self._opened(address)
        try:
            role: list[Any] = await link.call("ROLE")
        finally:
            await link.close()
        return role

    async def _opened(self, address: Address) -> Link:
        """A link, tried for as long as replicas may take to catch up.

        The name of a pod that has just come back is not known for some seconds: name servers remember that it was not.
        """
        loop = asyncio.get_running_loop()
        limit = loop.time() + self._catch_up_s
        while True:
            try:
                return await Link.open(address, password=self._deployment.password, timeout_s=TIMEOUT_S, decode=False)
            except CLIENT_ERRORS:
                if loop.time() >= limit:
                    raise
            await asyncio.sleep(REOPEN_POLL_S)

    async def _sweep_seat(self, name: str, address: Address, target: int | None) -> None:
        index = self._journal.instance(name, str(address))
        began = self._journal.now()
        named = address == self._locator.primary
        try:
            link = await self._opened(address)
            try:
                role, offset, caught_up = await self._caught_up(link, target)
                digest = KeyspaceDigest() if caught_up else None
                await self._read_all(link, index, digest)
                took = self._journal.now() - began
                self._journal.add("sweep", index, began, took, role, offset, caught_up, named, None)
                if digest is not None:
                    await self._digest(link, index, digest)
            finally:
                await link.close()
        except CLIENT_ERRORS as exc:
            error = reply_code(exc) or silence(exc)
            self._journal.add("sweep", index, began, self._journal.now() - began, None, None, False, named, error)

    async def _digest(self, link: Link, index: int, digest: KeyspaceDigest) -> None:
        """Record what the instance holds in all; if that cannot be read there is no such record."""
        began = self._journal.now()
        try:
            size = int(await link.call("DBSIZE"))
            if size <= MAX_KEYS:
                await digest.add_others(link)
        except CLIENT_ERRORS:
            return
        keys, value = (digest.keys, digest.value) if size <= MAX_KEYS else (size, UNKNOWN)
        self._journal.add("digest", index, began, self._journal.now() - began, keys, value)

    async def _caught_up(self, link: Link, target: int | None) -> tuple[str, int, bool]:
        """The instance's role and offset, and whether it has all that the primary had."""
        loop = asyncio.get_running_loop()
        limit = loop.time() + self._catch_up_s
        while True:
            reply = await link.call("ROLE")
            is_primary = reply[0] == b"master"
            offset = int(reply[1] if is_primary else reply[4])
            done = target is not None and offset >= target and (is_primary or reply[3] == b"connected")
            if done or target is None or loop.time() >= limit:
                return "primary" if is_primary else "replica", offset, done
            await asyncio.sleep(CATCH_UP_POLL_S)

    async def _read_all(self, link: Link, index: int, digest: KeyspaceDigest | None) -> None:
        found: dict[int, bytearray] = {}
        aliens: list[tuple[bytes, bytes, bytes]] = []
        cursor = b"0"
        while True:
            cursor, keys = await link.call("SCAN", cursor, "MATCH", self._prefix + b"*", "COUNT", SCAN_COUNT)
            replies = await link.calls([("HGETALL", key) for key in keys])
            for key, reply in zip(keys, replies, strict=True):
                if isinstance(reply, Exception) and reply_code(reply) != "WRONGTYPE":
                    raise reply  # LOADING: it says nothing about the key
                _note_key(key, key[len(self._prefix) :], reply, found, aliens)
                if digest is not None and isinstance(reply, list):
                    digest.add(key, b"hash", reply)
            await asyncio.sleep(0)  # the loop has other things to do between pages
            if cursor == b"0":
                break
        for writer, present in sorted(found.items()):
            self._journal.add("kept", index, writer, _ranges(present))
        for alien in aliens[:MAX_ALIENS]:
            self._journal.add("alien", index, *(each[:MAX_SHOWN].decode(errors="backslashreplace") for each in alien))


def _note_key(
    key: bytes,
    place: bytes,
    reply: Any,
    found: dict[int, bytearray],
    aliens: list[tuple[bytes, bytes, bytes]],
) -> None:
    writer, _, number = place.partition(b":")
    if not isinstance(reply, list) or not writer.isdigit() or not number.isdigit():
        aliens.append((key, b"", str(reply).encode()))
        return
    first = int(number) * PER_KEY
    present = found.setdefault(int(writer), bytearray())
    if len(present) < first + PER_KEY:
        present.extend(bytes(first + PER_KEY - len(present)))
    for field, value in zip(reply[::2], reply[1::2], strict=True):
        sequence = first + int(field) if field.isdigit() else -1
        if first <= sequence < first + PER_KEY and value == b"%s.%d" % (writer, sequence):
            present[sequence] = 1
        else:
            aliens.append((key, field, value))


def _ranges(present: Sequence[int] | bytearray) -> list[list[int]]:
    """The stretches of ones as [first, last], both included."""
    ranges: list[list[int]] = []
    data = bytes(present)
    at = data.find(1)
    while at >= 0:
        end = data.find(0, at)
        end = len(data) if end < 0 else end
        ranges.append([at, end - 1])
        at = data.find(1, end)
    return ranges
