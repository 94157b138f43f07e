"""Connections to Redis and Sentinel: every step bounded, nothing repeated behind our back.

redis-py's low-level connection is used because it says what was sent when: an op's outcome depends on that. Its
defaults (5 s timeouts, and ten automatic retries in its clients) would hide or double what is being measured. Time
limits are set here rather than by its `socket_timeout`: that one sends through ``asyncio.wait_for``, which before
Python 3.12 may swallow a cancellation, and costs a task for every command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import Connection
from redis.exceptions import RedisError

from witness.bodies import Address
from witness.outcomes import reply_code
from witness.resolver import Resolver

Argument = str | bytes | int | float

_resolver = Resolver()


class Link:
    """One open connection to one instance. Not shared between tasks, except that a subscription may be pinged."""

    def __init__(self, connection: Connection, address: Address, timeout_s: float) -> None:
        self._connection = cast("Any", connection)  # redis-py's asyncio connection is only partly typed
        self._timeout_s = timeout_s
        self.address = address

    @classmethod
    async def open(cls, address: Address, *, password: str | None, timeout_s: float, decode: bool = True) -> Link:
        """Connect (and log in, if there is a password) within `timeout_s`, which bounds every later call as well.

        Without `decode` strings in replies are bytes, as they stand in Redis. RESP2 without CLIENT SETINFO: no round
        trip of redis-py's own precedes the first command.
        """
        async with asyncio.timeout(timeout_s):
            return await cls._opened(address, password, timeout_s, decode=decode)

    @classmethod
    async def _opened(cls, address: Address, password: str | None, timeout_s: float, *, decode: bool) -> Link:
        connection = Connection(
            host=await _resolver.address_of(address.host),
            port=address.port,
            password=password,
            socket_timeout=None,
            socket_connect_timeout=timeout_s,
            retry=None,
            protocol=2,
            driver_info=None,
            decode_responses=decode,
            encoding_errors="backslashreplace",
        )
        link = cls(connection, address, timeout_s)
        await link._connection.connect()
        return link

    @property
    def is_open(self) -> bool:
        """Whether the connection can still be used; after an error that is no reply it cannot."""
        return bool(self._connection.is_connected)

    async def send(self, *commands: Sequence[Argument]) -> None:
        """Send all `commands` at once without waiting for a reply."""
        async with asyncio.timeout(self._timeout_s):
            await self._put(b"".join(map(_packed, commands)))

    async def call(self, *arguments: Argument) -> Any:
        """One command and its reply; an error reply is raised."""
        async with asyncio.timeout(self._timeout_s):
            await self._put(_packed(arguments))
            return await self._connection.read_response()

    async def calls(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        """Many commands in one go; error replies stand as exceptions among the replies."""
        if not commands:
            return []
        complete = False
        try:
            async with asyncio.timeout(self._timeout_s):
                await self.send(*commands)
                replies = [await self._reply_or_error() for _ in commands]
            complete = True
        finally:
            if not complete:
                await self.close()  # replies still to come would be taken for those of the next commands
        return replies

    async def message(self) -> Any:
        """The next message of a subscription, for however long that takes: bound it from outside."""
        return await self._connection.read_response()

    async def close(self) -> None:
        """Close without waiting for the other side."""
        await self._connection.disconnect(nowait=True)

    async def _put(self, packed: bytes) -> None:
        """Send, over a transport that is still there.

        One that was reset while nothing was under way is closed already, and redis-py does not know it: uvloop raises
        RuntimeError there ("the handler is closed"), where asyncio's own loop would have it fail with a reset.
        """
        writer = self._connection._writer  # noqa: SLF001 - nothing public of redis-py tells it
        if writer is not None and writer.transport.is_closing():
            await self.close()
            raise ConnectionResetError(f"{self.address} reset the connection while nothing was under way")
        await self._connection.send_packed_command(packed, check_health=False)

    async def _reply_or_error(self) -> Any:
        try:
            return await self._connection.read_response(disconnect_on_error=False)
        except RedisError as exc:
            if reply_code(exc) is None:
                raise
            return exc


def _packed(command: Sequence[Argument]) -> bytes:
    """The command as it is sent; made by hiredis, several times as fast as redis-py does it."""
    packed: bytes = hiredis.pack_command(cast("Any", tuple(command)))  # its stub allows but one argument
    return packed
