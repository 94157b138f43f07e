"""Who is primary, according to the Sentinels: asked of all of them side by side, so one that hangs delays nobody."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from witness.bodies import Address, Deployment
from witness.journal import Journal
from witness.links import Link
from witness.outcomes import CLIENT_ERRORS

#: How often each Sentinel is asked: while somebody has no primary, and while all is well.
URGENT_S = 0.01
CALM_S = 0.5
#: How long one Sentinel may take to answer; until then the others' answers count.
TIMEOUT_S = 0.5


class View(NamedTuple):
    """One Sentinel's answer."""

    primary: Address
    epoch: int
    flags: str


class Locator:
    """Keeps every Sentinel's current answer and chooses among them: newest config epoch first, then most votes.

    ``GET-MASTER-ADDR-BY-NAME`` is asked rather than ``SENTINEL MASTERS`` alone (as redis-py does): during a promotion
    the leading Sentinel answers the former with the new primary already, the latter with the old one
    (sentinel.c, sentinelGetCurrentMasterAddress).
    """

    def __init__(self, deployment: Deployment, journal: Journal | None = None) -> None:
        self._deployment = deployment
        self._journal = journal
        self._views: dict[str, View] = {}
        self._listeners: list[Callable[[Address], None]] = []
        self._searching = 0
        self._hurry = asyncio.Event()
        self._known = asyncio.Event()
        self.primary: Address | None = None

    def listen(self, listener: Callable[[Address], None]) -> None:
        """Have `listener` called with the new address whenever another instance is named."""
        self._listeners.append(listener)

    def hurry(self) -> None:
        """Ask again now: something just happened."""
        self._hurry.set()

    def search(self, *, begin: bool) -> None:
        """Count those who have no primary; while there is one, the Sentinels are asked often."""
        self._searching += 1 if begin else -1
        if begin:
            self.hurry()

    async def run(self) -> None:
        """Ask all Sentinels until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name in self._deployment.sentinels:
                tasks.create_task(self._ask_forever(name))

    async def found(self, seconds: float) -> Address:
        """The primary, waited for at most `seconds`; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while self.primary is None:
                await self._known.wait()
        return self.primary

    async def _ask_forever(self, name: str) -> None:
        address = self._deployment.sentinels[name]
        link: Link | None = None
        while True:
            try:
                if link is None or not link.is_open:
                    link = await Link.open(address, password=self._deployment.sentinel_password, timeout_s=TIMEOUT_S)
                view = await self._ask(link)
            except CLIENT_ERRORS:
                view = None
                if link is not None:
                    await link.close()
                    link = None
            self._note(name, view)
            await self._pause()

    async def _ask(self, link: Link) -> View | None:
        named, state = await link.calls(
            [
                ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._deployment.master_name),
                ("SENTINEL", "MASTER", self._deployment.master_name),
            ]
        )
        if not isinstance(named, list) or not isinstance(state, list):
            return None  # this Sentinel does not monitor the name, or has just been reset
        details: dict[str, Any] = dict(zip(state[::2], state[1::2], strict=False))
        epoch = str(details.get("config-epoch", "0"))
        return View(Address(named[0], int(named[1])), int(epoch), str(details.get("flags", "")))

    def _note(self, name: str, view: View | None) -> None:
        if self._views.get(name) == view:
            return
        if view is None:
            self._views.pop(name, None)
        else:
            self._views[name] = view
        if self._journal:
            sentinel = self._journal.instance(name, str(self._deployment.sentinels[name]))
            shown = (str(view.primary), view.epoch, view.flags) if view else (None, None, None)
            self._journal.add("view", sentinel, self._journal.now(), *shown)
        self._choose()

    def _choose(self) -> None:
        if not self._views:
            return  # nobody answers: the last primary known is still the best guess
        votes = Counter(view.primary for view in self._views.values())
        best = max(self._views.values(), key=lambda view: (view.epoch, votes[view.primary])).primary
        if best == self.primary:
            return
        self.primary = best
        self._known.set()
        for listener in self._listeners:
            listener(best)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(URGENT_S if self._searching else CALM_S):
                await self._hurry.wait()
        except TimeoutError:
            return
        self._hurry.clear()
        await asyncio.sleep(0)
