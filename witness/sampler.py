"""Asks one Redis instance for its ROLE at a steady pace and records every answer, silence included."""

from __future__ import annotations

import asyncio
from typing import Any

from witness.bodies import Address
from witness.journal import Journal
from witness.links import Link
from witness.outcomes import CLIENT_ERRORS, reply_code, silence

#: An answer later than this counts as silence: a sample must not span many periods.
TIMEOUT_S = 0.3

_ROLES = {"master": "primary", "slave": "replica"}


class RoleSampler:
    """One seat's samples. A sample proves that the instance said so at some moment between its begin and its end."""

    def __init__(self, name: str, address: Address, *, password: str | None, period_s: float, journal: Journal) -> None:
        self._address = address
        self._password = password
        self._period_s = period_s
        self._journal = journal
        self._index = journal.instance(name, str(address))
        self._link: Link | None = None

    async def run(self) -> None:
        """Sample until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self._sample()
            due += self._period_s
            due = max(due, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _sample(self) -> None:
        began = self._journal.now()
        try:
            if self._link is None:
                self._link = await self._open()
                began = self._journal.now()
            answer = _parsed(await self._link.call("ROLE"))
        except CLIENT_ERRORS as exc:
            code = reply_code(exc)
            answer = ("refusing" if code else "unreachable", None, None, code or silence(exc))
            if self._link is not None:
                await self._link.close()
                self._link = None
        self._journal.add("role", self._index, began, self._journal.now() - began, *answer)

    async def _open(self) -> Link:
        link = await Link.open(self._address, password=self._password, timeout_s=TIMEOUT_S)
        server = dict(line.split(":", 1) for line in (await link.call("INFO", "server")).splitlines() if ":" in line)
        run_id, version = server.get("run_id", ""), server.get("redis_version", "")
        self._journal.add("identity", self._index, self._journal.now(), run_id, version)
        return link


def _parsed(reply: list[Any]) -> tuple[str, int | None, Any, Any]:
    """ROLE's reply as (role, offset, link, detail).

    A primary's link is the number of its online replicas, the detail their offsets by address; a replica's link is the
    state of its connection (``connected`` when replicating), the detail its primary's address.
    """
    role = _ROLES.get(reply[0], str(reply[0]))
    if role == "primary":
        replicas = {f"{host}:{port}": int(offset) for host, port, offset in reply[2]}
        return role, int(reply[1]), len(replicas), replicas
    if role == "replica":
        return role, int(reply[4]), str(reply[3]), f"{reply[1]}:{reply[2]}"
    return role, None, None, None
