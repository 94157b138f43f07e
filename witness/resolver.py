"""Names to addresses, looked up once for everybody who wants to know at about the same time.

While an instance is away every writer and sampler reconnects many times a second. Without this each try would ask the
cluster's DNS again, and a DNS server kept busy by the witness is a fault that nobody ordered: Sentinel resolves names
in its only thread and falls into TILT when that is slow.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

#: For this long an answer, or a failure, is shared: much shorter than a promotion, so a seat's new address is seen.
SHARED_S = 0.1


class Resolver:
    """Looks names up; for one event loop."""

    def __init__(self) -> None:
        self._lookups: dict[str, tuple[float, asyncio.Task[str]]] = {}

    async def address_of(self, host: str) -> str:
        """The host's first address. Raises OSError (socket.gaierror) if there is none."""
        if is_address(host):
            return host
        loop = asyncio.get_running_loop()
        asked, lookup = self._lookups.get(host, (0.0, None))
        if lookup is None or (lookup.done() and loop.time() - asked > SHARED_S):
            lookup = loop.create_task(_look_up(host))
            lookup.add_done_callback(_retrieved)
            self._lookups[host] = (loop.time(), lookup)
        return await asyncio.shield(lookup)  # whoever gives up waiting takes the answer from nobody else


async def _look_up(host: str) -> str:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


def _retrieved(lookup: asyncio.Task[str]) -> None:
    """A failure that everybody stopped waiting for is nobody's error."""
    if not lookup.cancelled():
        lookup.exception()


def is_address(host: str) -> bool:
    """Whether there is nothing to look up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
