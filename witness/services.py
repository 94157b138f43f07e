"""Where a Kubernetes Service leads: a new connection each time, as a client that has just begun would open it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from witness.bodies import Address
from witness.client import NOBODY
from witness.journal import Journal
from witness.links import Link
from witness.outcomes import CLIENT_ERRORS, reply_code, silence
from witness.replies import role_of, server_fields

#: For everything together, name resolution included: a sample must not span many periods.
TIMEOUT_S = 0.3


class ServiceSampler:
    """One Service's samples; who answered is told by the run id that a seat's sampler has met."""

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        password: str | None,
        period_s: float,
        journal: Journal,
        run_ids: Mapping[str, int],
    ) -> None:
        self._name = name
        self._address = address
        self._password = password
        self._period_s = period_s
        self._journal = journal
        self._run_ids = run_ids

    async def run(self) -> None:
        """Sample until cancelled, one at a time."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await self._sample()
            due = max(due + self._period_s, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _sample(self) -> None:
        began = self._journal.now()
        instance, role, error = NOBODY, None, None
        try:
            async with asyncio.timeout(TIMEOUT_S):
                instance, role = await self._asked()
        except CLIENT_ERRORS as exc:
            error = reply_code(exc) or silence(exc)
        self._journal.add("service", self._name, began, self._journal.now() - began, instance, role, error)

    async def _asked(self) -> tuple[int, str]:
        link = await Link.open(self._address, password=self._password, timeout_s=TIMEOUT_S)
        try:
            role, server = await link.calls([("ROLE",), ("INFO", "server")])
        finally:
            await link.close()
        for reply in (role, server):
            if isinstance(reply, Exception):
                raise reply
        return self._run_ids.get(server_fields(server).get("run_id", ""), NOBODY), role_of(role)[0]
