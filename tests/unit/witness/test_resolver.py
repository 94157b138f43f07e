"""Names are looked up once for all who ask at about the same time."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from witness import resolver
from witness.outcomes import before_sending
from witness.resolver import Resolver


class Names:
    """A name service that counts its questions; a name without an address fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **known: str) -> None:
        self.asked: list[str] = []
        self.known = known
        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", self._answer)

    async def _answer(self, host: str, _port: None, **_: Any) -> list[Any]:
        self.asked.append(host)
        await asyncio.sleep(0.01)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.known[host], 0))]


def test_askers_share_one_lookup_and_its_answer_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred at once ask once; after that moment somebody asks again, and a new address is seen."""
    names = Names(monkeypatch, seat="10.0.0.1")
    monkeypatch.setattr(resolver, "SHARED_S", 60)

    async def ask() -> tuple[set[str], str]:
        found = Resolver()
        first = set(await asyncio.gather(*(found.address_of("seat") for _ in range(100))))
        first.add(await found.address_of("seat"))
        names.known["seat"] = "10.0.0.2"
        monkeypatch.setattr(resolver, "SHARED_S", 0)
        await asyncio.sleep(0.01)
        return first, await found.address_of("seat")

    assert asyncio.run(ask()) == ({"10.0.0.1"}, "10.0.0.2")
    assert names.asked == ["seat", "seat"]


def test_failure_is_shared_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that does not resolve is asked for once, and every asker fails alike."""
    names = Names(monkeypatch)

    async def ask() -> list[str | BaseException]:
        found = Resolver()
        return await asyncio.gather(*(found.address_of("nobody") for _ in range(5)), return_exceptions=True)

    errors = asyncio.run(ask())

    assert [before_sending(error) for error in errors if isinstance(error, BaseException)] == [("f", "unresolved")] * 5
    assert names.asked == ["nobody"]


def test_asker_that_gives_up_takes_the_answer_from_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """One is cancelled by its own time limit, the other gets the answer of the same lookup."""
    names = Names(monkeypatch, seat="10.0.0.1")

    async def ask() -> str:
        found = Resolver()
        impatient = asyncio.create_task(found.address_of("seat"))
        patient = asyncio.create_task(found.address_of("seat"))
        await asyncio.sleep(0)
        impatient.cancel()
        return await patient

    assert asyncio.run(ask()) == "10.0.0.1"
    assert names.asked == ["seat"]


def test_addresses_are_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to ask."""
    names = Names(monkeypatch)

    async def ask() -> list[str]:
        found = Resolver()
        return [await found.address_of("10.0.0.7"), await found.address_of("::1")]

    assert asyncio.run(ask()) == ["10.0.0.7", "::1"]
    assert names.asked == []
