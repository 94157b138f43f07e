"""What the seats' names resolve to, asked of the system's resolver at a steady pace and recorded when it changes.

The questions are this sampler's own (four a second for each name, one at a time), not those that `resolver.py` shares:
a shared answer may be a tenth of a second old, and says nothing of how long the name service took. Its threads are its
own too: one name service that hangs takes none from connections being made, and each name has one, so that a name that
hangs delays no other.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from witness.journal import Journal
from witness.resolver import is_address

PERIOD_S = 0.25

_ERRORS = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}

Answer = tuple[list[str] | None, str | None]


class NameSampler:
    """The answers for all names among `hosts`; addresses are left out, for there is nothing to ask."""

    def __init__(self, hosts: Iterable[str], journal: Journal) -> None:
        self._names = sorted({host for host in hosts if not is_address(host)})
        self._journal = journal

    async def run(self) -> None:
        """Ask until cancelled; without names there is nothing to wait for either."""
        if not self._names:
            return
        threads = ThreadPoolExecutor(len(self._names), thread_name_prefix="names")
        try:
            async with asyncio.TaskGroup() as tasks:
                for name in self._names:
                    tasks.create_task(self._ask_forever(name, threads))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)

    async def _ask_forever(self, name: str, threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        last: Answer | None = None
        due = loop.time()
        while True:
            began = self._journal.now()
            answer = await loop.run_in_executor(threads, _answer, name)
            if answer != last:
                last = answer
                now = self._journal.now()
                self._journal.add("dns", name, now, now - began, *answer)
            due = max(due + PERIOD_S, loop.time())
            await asyncio.sleep(due - loop.time())


def _answer(name: str) -> Answer:
    """The sorted addresses, or the error: EAI_NONAME (there is no such name), EAI_AGAIN (no answer)..."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except socket.gaierror as exc:
        return None, _ERRORS.get(exc.errno, str(exc.errno))
    except (OSError, UnicodeError) as exc:
        return None, type(exc).__name__
    return sorted({str(each[4][0]) for each in found}), None
