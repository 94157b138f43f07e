"""Asks one Redis instance for its ROLE at a steady pace and records every answer, silence included."""

from __future__ import annotations

import asyncio

from witness.bodies import Address
from witness.journal import Journal
from witness.links import Link
from witness.outcomes import CLIENT_ERRORS, reply_code, silence
from witness.replies import role_of, server_fields

#: An answer later than this counts as silence: a sample must not span many periods.
TIMEOUT_S = 0.3


class RoleSampler:
    """One seat's samples. A sample proves that the instance said so at some moment between its begin and its end.

    Whom it met is noted in `run_ids`, so that others recognise the same process behind another address.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        password: str | None,
        period_s: float,
        journal: Journal,
        run_ids: dict[str, int],
    ) -> None:
        self._address = address
        self._password = password
        self._period_s = period_s
        self._journal = journal
        self._run_ids = run_ids
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
            answer = role_of(await self._link.call("ROLE"))
        except CLIENT_ERRORS as exc:
            code = reply_code(exc)
            answer = ("refusing" if code else "unreachable", None, None, code or silence(exc))
            if self._link is not None:
                await self._link.close()
                self._link = None
        self._journal.add("role", self._index, began, self._journal.now() - began, *answer)

    async def _open(self) -> Link:
        link = await Link.open(self._address, password=self._password, timeout_s=TIMEOUT_S)
        try:
            server = server_fields(await link.call("INFO", "server"))
        except CLIENT_ERRORS:
            await link.close()
            raise
        run_id, version = server.get("run_id", ""), server.get("redis_version", "")
        if run_id:
            self._run_ids[run_id] = self._index
        self._journal.add("identity", self._index, self._journal.now(), run_id, version)
        return link
