"""Answers of the name service are recorded when they change, and a name that hangs delays no other."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from harness.history import History
from harness.history.records import DnsAnswer
from witness import names
from witness.journal import Journal
from witness.names import NameSampler


class NameService:
    """Answers from a table; a name with no addresses fails, one that hangs answers when it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **known: list[str]) -> None:
        self.known = known
        self.asked: list[str] = []
        self.hung = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", self._answer)
        monkeypatch.setattr(names, "PERIOD_S", 0.01)

    def _answer(self, host: str, _port: None, **_: Any) -> list[Any]:
        self.asked.append(host)
        if host == "hung":
            self.hung.wait(10)
        if not self.known.get(host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in self.known[host]]


def recorded(path: Path, hosts: list[str], *changes: Any) -> list[DnsAnswer]:
    """What is recorded while the changes happen, a moment apart."""
    journal = Journal(path, max_bytes=1 << 20, workload={"id": "x", "writers": []})

    async def record() -> None:
        sampling = asyncio.create_task(NameSampler(hosts, journal).run())
        await asyncio.sleep(0.1)
        for change in changes:
            change()
            await asyncio.sleep(0.1)
        sampling.cancel()
        await asyncio.gather(sampling, return_exceptions=True)
        await journal.end("stopped")

    asyncio.run(record())
    return History.load(path).dns


def test_answer_is_recorded_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pod's name: there, gone, back with another address. The order of addresses is no change."""
    service = NameService(monkeypatch, seat=["10.0.0.2", "10.0.0.1"])
    found = recorded(
        tmp_path / "x.jsonl",
        ["seat"],
        lambda: service.known.update(seat=["10.0.0.1", "10.0.0.2"]),
        lambda: service.known.update(seat=[]),
        lambda: service.known.update(seat=["10.0.0.9"]),
    )

    assert [(each.addresses, each.error) for each in found] == [
        (["10.0.0.1", "10.0.0.2"], None),
        (None, "EAI_NONAME"),
        (["10.0.0.9"], None),
    ]
    assert len(service.asked) > 10
    assert sorted(each.at for each in found) == [each.at for each in found]


def test_name_that_hangs_delays_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each name has a thread of its own, and is asked for once at a time."""
    service = NameService(monkeypatch, seat=["10.0.0.1"])
    letting_go = threading.Timer(0.25, service.hung.set)
    letting_go.start()
    found = recorded(tmp_path / "x.jsonl", ["hung", "seat"], lambda: time.sleep(0), lambda: time.sleep(0))
    letting_go.join()

    assert [each.host for each in found] == ["seat", "hung"]
    assert found[1].took > 200_000
    assert service.asked.count("seat") > 5


def test_addresses_are_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment of addresses: no question, and a sampler that ends without being an error."""
    service = NameService(monkeypatch)

    assert recorded(tmp_path / "x.jsonl", ["10.0.0.1", "::1", "10.0.0.1"]) == []
    assert service.asked == []
