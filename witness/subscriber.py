"""Listens to every event of one Sentinel; events carry no time of their own, so each is stamped on receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from witness.bodies import Address
from witness.journal import Journal
from witness.links import Link
from witness.outcomes import CLIENT_ERRORS, reply_code, silence

CONNECT_S = 0.5
#: A PING is sent this often over the subscription; nothing heard for the second period means the link is dead.
PING_S = 0.5
SILENT_S = 2.0
RECONNECT_S = 0.05


class Subscriber:
    """One Sentinel's events; gaps in listening are recorded, for what is not heard is not proof of absence."""

    def __init__(
        self, name: str, address: Address, *, password: str | None, journal: Journal, on_switch: Callable[[], None]
    ) -> None:
        self._address = address
        self._password = password
        self._journal = journal
        self._on_switch = on_switch
        self._index = journal.instance(name, str(address))
        self._state = ""
        self.listening = asyncio.Event()

    async def run(self) -> None:
        """Listen, and reconnect for ever, until cancelled."""
        while True:
            try:
                await self._listen()
            except CLIENT_ERRORS as exc:
                self._note("down", reply_code(exc) or silence(exc))
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self) -> None:
        link = await Link.open(self._address, password=self._password, timeout_s=CONNECT_S)
        pinging: asyncio.Task[None] | None = None
        try:
            await link.call("PSUBSCRIBE", "*")
            self._note("up", None)
            pinging = asyncio.create_task(_keep_pinging(link))
            while True:
                async with asyncio.timeout(SILENT_S):
                    message = await link.message()
                if message[0] == "pmessage":
                    self._journal.add("event", self._index, self._journal.now(), message[2], message[3])
                    if message[2] == "+switch-master":
                        self._on_switch()
        finally:
            if pinging is not None:
                pinging.cancel()
            await link.close()

    def _note(self, state: str, detail: str | None) -> None:
        if state == self._state:
            return
        self._state = state
        self._journal.add("listening", self._index, self._journal.now(), state, detail)
        if state == "up":
            self.listening.set()


async def _keep_pinging(link: Link) -> None:
    while link.is_open:
        await asyncio.sleep(PING_S)
        try:
            await link.send(("PING",))
        except CLIENT_ERRORS:
            return  # the reader meets the same error and says so
