"""Writing a known data set through the primary, and verifying it on every instance of its own accord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis import exceptions as redis_errors

from witness.bodies import Address, Deployment, deployment, fields, key_prefix
from witness.dataset_values import Item, items
from witness.links import Argument, Link
from witness.locator import Locator
from witness.outcomes import CLIENT_ERRORS, reply_code, silence

#: Together below the 10 s after which a proxy on the way may give up, so that the caller gets our line and not its own.
TIMEOUT_S = 3.0
FIND_PRIMARY_S = 3.0
BATCH = 500
MAX_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """Which data set, on which deployment; `wait_replicas` replicas must have it within `wait_timeout_s`."""

    deployment: Deployment
    prefix: str
    seed: int
    keys: int
    wait_replicas: int
    wait_timeout_s: float


def requested(body: Any) -> DatasetRequest:
    """The body of ``POST /dataset/write`` and ``/dataset/verify``."""
    given = fields(body)
    seed = given.whole("seed", 1, 0, 1 << 53)
    request = DatasetRequest(
        deployment=deployment(given.take("deployment")),
        prefix=key_prefix(given.take("prefix", f"e2e:d:{seed}:")),
        seed=seed,
        keys=given.whole("keys", ..., 1, 1_000_000),
        wait_replicas=given.whole("wait_replicas", 0, 0, 16),
        wait_timeout_s=given.number("wait_timeout_s", 3, 0.001, 300),
    )
    given.done()
    return request


async def write(request: DatasetRequest) -> dict[str, Any]:
    """Write all keys to the primary and wait for the replicas; answers how many replicas have everything."""
    async with _primary_link(request.deployment) as link:
        for batch in _batches(items(request.prefix, request.seed, request.keys)):
            commands: list[Sequence[Argument]] = [command for item in batch for command in item.write_commands()]
            for command, reply in zip(commands, await link.calls(commands), strict=True):
                if isinstance(reply, Exception):
                    raise redis_errors.ResponseError(f"{command[0]!s} {command[1]!s}: {reply}")
        replicas = 0
        if request.wait_replicas:
            replicas = await _wait(link, request)
        return {"keys": request.keys, "primary": str(link.address), "replicas": replicas}


async def _wait(link: Link, request: DatasetRequest) -> int:
    """WAIT in slices shorter than the connection's own timeout."""
    loop = asyncio.get_running_loop()
    limit = loop.time() + request.wait_timeout_s
    while True:
        slice_ms = max(1, int(min(limit - loop.time(), 1.0) * 1000))
        replicas = int(await link.call("WAIT", request.wait_replicas, slice_ms))
        if replicas >= request.wait_replicas or loop.time() >= limit:
            return replicas


async def verify(request: DatasetRequest) -> dict[str, Any]:
    """Compare every key on every seat; answers, per seat, counts and examples of missing, different and extra keys."""
    async with asyncio.TaskGroup() as tasks:
        running = {
            name: tasks.create_task(_verify_seat(where, request)) for name, where in request.deployment.seats.items()
        }
    return {"seats": {name: task.result() for name, task in running.items()}}


async def _verify_seat(where: Address, request: DatasetRequest) -> dict[str, Any]:
    try:
        link = await Link.open(where, password=request.deployment.password, timeout_s=TIMEOUT_S)
        try:
            return await _compare(link, request)
        finally:
            await link.close()
    except CLIENT_ERRORS as exc:
        return {"error": f"{reply_code(exc) or silence(exc)}: {exc}"}


async def _compare(link: Link, request: DatasetRequest) -> dict[str, Any]:
    role = "primary" if (await link.call("ROLE"))[0] == "master" else "replica"
    missing: list[str] = []
    different: list[str] = []
    for batch in _batches(items(request.prefix, request.seed, request.keys)):
        replies = await link.calls([command for item in batch for command in item.read_commands()])
        for item, value, ttl in zip(batch, replies[::2], replies[1::2], strict=True):
            problem = item.difference(value, ttl)
            if problem == "missing":
                missing.append(item.key)
            elif problem:
                different.append(f"{item.key}: {problem}")
        await asyncio.sleep(0)
    extra = await _extra_keys(link, request)
    return {
        "role": role,
        "error": None,
        "missing": len(missing),
        "different": len(different),
        "extra": len(extra),
        "examples": [*(f"{key}: missing" for key in missing[:MAX_EXAMPLES]), *different[:MAX_EXAMPLES],
                     *(f"{key}: extra" for key in extra[:MAX_EXAMPLES])],
    }  # fmt: skip


async def _extra_keys(link: Link, request: DatasetRequest) -> list[str]:
    """Keys below the prefix that the data set does not have."""
    extra = []
    async for keys in _scan(link, request.prefix):
        for key in keys:
            number = key[len(request.prefix) :]
            if not number.isdigit() or str(int(number)) != number or int(number) >= request.keys:
                extra.append(key)
    return extra


async def cleanup(body: Any) -> dict[str, Any]:
    """Delete, on the primary, every key below a prefix."""
    given = fields(body)
    where, prefix = deployment(given.take("deployment")), key_prefix(given.take("prefix"))
    given.done()
    deleted = 0
    async with _primary_link(where) as link:
        async for keys in _scan(link, prefix):
            if keys:
                deleted += int(await link.call("UNLINK", *keys))
    return {"deleted": deleted}


async def _scan(link: Link, prefix: str) -> AsyncIterator[list[str]]:
    cursor = "0"
    while True:
        cursor, keys = await link.call("SCAN", cursor, "MATCH", prefix + "*", "COUNT", 1000)
        yield keys
        if cursor == "0":
            return


@asynccontextmanager
async def _primary_link(where: Deployment) -> AsyncIterator[Link]:
    locator = Locator(where)
    locator.search(begin=True)
    asking = asyncio.create_task(locator.run())
    try:
        primary = await locator.found(FIND_PRIMARY_S)
    except TimeoutError:
        raise TimeoutError(
            f"no Sentinel named a primary of {where.master_name!r} within {FIND_PRIMARY_S:g} s"
        ) from None
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    link = await Link.open(primary, password=where.password, timeout_s=TIMEOUT_S)
    try:
        yield link
    finally:
        await link.close()


def _batches(everything: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(everything, BATCH)):
        yield batch
