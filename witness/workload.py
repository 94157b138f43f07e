"""One workload: its writers, readers, samplers and subscribers, from start to final sweep, and its journal."""

from __future__ import annotations

import asyncio
import contextlib
from array import array
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from witness.bodies import Address, ReaderGroup, WorkloadSpec, WriterGroup
from witness.client import Client, Surroundings, paced
from witness.health import watch_health
from witness.journal import Journal
from witness.locator import Locator
from witness.names import NameSampler
from witness.reader import Reader
from witness.sampler import RoleSampler
from witness.services import ServiceSampler
from witness.subscriber import Subscriber
from witness.sweep import Sweep
from witness.writer import Writer

#: How long the start waits for Sentinels to be found and listened to; it goes on without those that do not answer.
READY_S = 2.0
BUCKET_US = 10_000
SETTLE_S = 1.0

RUNNING, STOPPING, SWEEPING, DONE, FAILED = "running", "stopping", "sweeping", "done", "failed"
FINAL = frozenset({DONE, FAILED})

_Group = TypeVar("_Group", WriterGroup, ReaderGroup)


class Workload:
    """Runs in the background from :meth:`start` to state ``done`` or ``failed``."""

    def __init__(self, identity: str, spec: WorkloadSpec, described: dict[str, Any], path: Path) -> None:
        self.identity = identity
        self.spec = spec
        self.state = RUNNING
        self.error: str | None = None
        self.acknowledged = 0
        self.last_ok: int | None = None
        self._buckets = array("L")
        workload = {"id": identity, **self._described(), **described}
        self.journal = Journal(path, max_bytes=spec.max_journal_bytes, workload=workload)
        self._locator = Locator(spec.deployment, self.journal)
        self._watchers: list[asyncio.Task[None]] = []
        self._clients: list[Client] = []
        self._running: list[asyncio.Task[None]] = []
        self._run_ids: dict[str, int] = {}
        self._stop_reason = ""
        self._sweep_wanted = True
        self._catch_up_s = 10.0
        self._stopping = asyncio.Event()
        self._state_changed = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen first, then write: no event of the first moments is missed. Returns when the writers run."""
        deployment, journal = self.spec.deployment, self.journal
        subscribers = [
            Subscriber(
                name, where, password=deployment.sentinel_password, journal=journal, on_switch=self._locator.hurry
            )
            for name, where in deployment.sentinels.items()
        ]
        hosts = [where.host for where in (*deployment.seats.values(), *deployment.sentinels.values())]
        self._watch(journal.keep_flushing(), watch_health(journal), self._locator.run())
        self._watch(*(each.run() for each in subscribers), *(each.run() for each in self._samplers()))
        self._watch(NameSampler(hosts, journal).run())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                await asyncio.gather(*(each.listening.wait() for each in subscribers))
                await self._locator.found(READY_S)
        self._start_clients()
        self._life = asyncio.create_task(self._live())

    def _samplers(self) -> Iterator[RoleSampler | ServiceSampler]:
        deployment = self.spec.deployment
        kinds: list[tuple[type[RoleSampler | ServiceSampler], Mapping[str, Address]]] = [
            (RoleSampler, deployment.seats),
            (ServiceSampler, self.spec.services),
        ]
        for sampler, places in kinds:
            for name, where in places.items():
                yield sampler(
                    name,
                    where,
                    password=deployment.password,
                    period_s=self.spec.sample_s,
                    journal=self.journal,
                    run_ids=self._run_ids,
                )

    def stop(self, *, reason: str, sweep: bool = True, catch_up_s: float = 10.0) -> None:
        """Ask the writers to stop; the sweep and the journal's end follow by themselves. Asking twice is harmless."""
        if self._stopping.is_set():
            return
        self._stop_reason, self._sweep_wanted, self._catch_up_s = reason, sweep, catch_up_s
        self._stopping.set()

    async def finished(self, seconds: float) -> None:
        """Wait for the final state, at most `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.state not in FINAL:
                    await self._state_changed.wait()

    def acknowledged_since(self, since_us: int) -> int:
        """Writes acknowledged after `since_us` (journal time), to the bucket of 10 ms; never counts earlier ones."""
        first = max(0, since_us // BUCKET_US + 1)
        return sum(self._buckets[first:])

    def status(self, since_ns: int | None = None) -> dict[str, Any]:
        """What ``GET /workloads/<id>`` answers."""
        journal = self.journal
        status: dict[str, Any] = {
            "id": self.identity,
            "name": self.spec.name,
            "state": self.state,
            "error": self.error,
            "origin_ns": journal.origin_ns,
            "now_us": journal.now(),
            "acknowledged": self.acknowledged,
            "last_ok_us": self.last_ok,
            "primary": str(self._locator.primary) if self._locator.primary else None,
            "journal_bytes": journal.size,
        }
        if since_ns is not None:
            status["acknowledged_since"] = self.acknowledged_since((since_ns - journal.origin_ns) // 1000)
        return status

    def _described(self) -> dict[str, Any]:
        """The header's lists; a writer's (reader's) number in records is its place in its list."""
        spec = self.spec
        writers = [
            {
                "group": group.name,
                "target": spec.described(group.target),
                "rate": group.rate / group.connections,
                "wait": group.wait_replicas,
            }
            for group in _each(spec.writers)
        ]
        readers = [
            {"group": group.name, "target": spec.described(group.target), "rate": group.rate / group.connections}
            for group in _each(spec.readers)
        ]
        return {"writers": writers, "readers": readers, "services": sorted(spec.services)}

    def _watch(self, *jobs: Coroutine[Any, Any, None]) -> None:
        for job in jobs:
            task = asyncio.create_task(job)
            task.add_done_callback(self._died)
            self._watchers.append(task)

    def _died(self, task: asyncio.Task[None]) -> None:
        """A part that ends by itself is a bug: the record has a hole from here on, so the workload fails aloud."""
        if not task.cancelled() and (exc := task.exception()) is not None:
            self.error = self.error or f"the witness has a bug: {type(exc).__name__}: {exc}"
            self.stop(reason="failed", sweep=False)

    def _start_clients(self) -> None:
        """Each group's connections take turns, so that together they are evenly spread."""
        spec = self.spec
        surroundings = Surroundings(
            journal=self.journal,
            locator=self._locator,
            password=spec.deployment.password,
            timeout_s=spec.timeout_s,
            reconnect_s=spec.reconnect_s,
            name_of=spec.deployment.name_of,
            run_ids=self._run_ids,
        )
        writers = [
            Writer(
                index,
                self.identity,
                group,
                pinned=spec.pinned(group.target),
                surroundings=surroundings,
                acknowledged=self._acknowledge,
            )
            for index, group in enumerate(_each(spec.writers))
        ]
        readers = [
            Reader(index, self.identity, writers, pinned=spec.pinned(group.target), surroundings=surroundings)
            for index, group in enumerate(_each(spec.readers))
        ]
        begin = asyncio.get_running_loop().time()
        clients: list[Writer | Reader] = [*writers, *readers]
        groups: list[WriterGroup | ReaderGroup] = [*spec.writers, *spec.readers]
        places = [place for group in groups for place in paced(group.connections, group.rate)]
        for client, (offset, period) in zip(clients, places, strict=True):
            task = asyncio.create_task(client.run(first_at=begin + offset, period=period))
            task.add_done_callback(self._died)
            self._clients.append(client.client)
            self._running.append(task)

    def _acknowledge(self, at_us: int) -> None:
        self.acknowledged += 1
        self.last_ok = at_us
        bucket = at_us // BUCKET_US
        if bucket >= len(self._buckets):
            self._buckets.extend([0] * (bucket + 1 - len(self._buckets)))
        self._buckets[bucket] += 1

    async def _live(self) -> None:
        await self._until_stopped()
        self._enter(STOPPING)
        await self._stop_clients()
        if self._sweep_wanted and not self.journal.error:
            self._enter(SWEEPING)
            await self._sweep()
        for task in self._watchers:
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self.journal.end(self._stop_reason)
        self.error = self.error or self.journal.error
        self._enter(FAILED if self.error else DONE)

    async def _sweep(self) -> None:
        sweep = Sweep(self.identity, self.spec.deployment, self._locator, self.journal, catch_up_s=self._catch_up_s)
        try:
            await sweep.run()
        except ExceptionGroup as group:
            exc = group.exceptions[0]
            self.error = f"the sweep has a bug: {type(exc).__name__}: {exc}"

    async def _until_stopped(self) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() + self.spec.max_seconds
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.25):
                    await self._stopping.wait()
            if loop.time() >= limit:
                self.stop(reason="time limit")
            elif self.journal.is_full:
                self.stop(reason="journal full")
            elif self.journal.error:
                self.stop(reason="failed", sweep=False)

    async def _stop_clients(self) -> None:
        for client in self._clients:
            client.stop()
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=self.spec.timeout_s + SETTLE_S)
        if late:
            for client in self._clients:
                client.abort()
            await asyncio.wait(late, timeout=SETTLE_S)

    def _enter(self, state: str) -> None:
        self.state = state
        self._state_changed.set()
        self._state_changed = asyncio.Event()


def _each(groups: Sequence[_Group]) -> Iterator[_Group]:
    """A group once for each of its connections."""
    return (group for group in groups for _ in range(group.connections))
