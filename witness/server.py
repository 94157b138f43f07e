"""The HTTP interface of the witness.

=====================================  =================================================================================
``GET /healthz``                       ``{"ok": true, ...}``
``GET /clock``                         ``{"monotonic_ns": n}``: the clock of all journals
``POST /workloads``                    start one (``bodies.workload``); answers its status, with its ``id``
``GET /workloads``                     the status of all, and of the journals that earlier processes of the witness left
                                       behind (``"state": "abandoned"``)
``GET /workloads/<id>``                its status; ``?wait=<seconds>`` waits for its end first; ``?since_ns=<clock>``
                                       adds ``acknowledged_since``
``POST /workloads/<id>/stop``          ``{"sweep": true, "catch_up_s": 10, "reason": "stopped"}``; answers at once,
                                       sweep and end follow; the reason stands in the journal's end line
``POST /workloads/<id>/forget``        delete the journal, which the caller has by now; 409 while the workload runs
``GET /workloads/<id>/journal``        ``?offset=<bytes>&limit=<bytes>``: that part of the journal, empty at its end
``POST /dataset/write`` ``/verify``    ``dataset.py``
``POST /cleanup``                      ``{"deployment": ..., "prefix": "e2e:..."}``: delete these keys on the primary
=====================================  =================================================================================

Errors are one line of text: 400 for a request that breaks a rule, 404, 409, and 503 when Redis does not let us.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from aiohttp import web

from witness import dataset
from witness.bodies import BadRequest, decoded, fields, workload
from witness.journal import VERSION
from witness.outcomes import CLIENT_ERRORS
from witness.shelf import Shelf
from witness.workload import FINAL, Workload

MAX_WAIT_S = 60.0
CHUNK = 1 << 20

#: Fields of a request that a journal's header has in its own words, without addresses and passwords.
_DESCRIBED_BY_NAME = frozenset({"deployment", "writers", "readers", "services"})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Witness:
    """All workloads of this process, and the journals of earlier ones."""

    def __init__(self, journal_dir: Path) -> None:
        self._shelf = Shelf(journal_dir)
        self._workloads: dict[str, Workload] = {}

    def app(self) -> web.Application:
        """The aiohttp application; its shutdown (SIGTERM) ends every journal properly."""
        app = web.Application(middlewares=[_one_line_errors])
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/clock", _clock),
                web.get("/workloads", self._list),
                web.post("/workloads", self._start),
                web.get("/workloads/{id}", self._status),
                web.post("/workloads/{id}/stop", self._stop),
                web.post("/workloads/{id}/forget", self._forget),
                web.get("/workloads/{id}/journal", self._journal),
                web.post("/dataset/write", _dataset_write),
                web.post("/dataset/verify", _dataset_verify),
                web.post("/cleanup", _cleanup),
            ]
        )
        app.cleanup_ctx.append(self._until_shutdown)
        return app

    async def _until_shutdown(self, _: web.Application) -> AsyncIterator[None]:
        yield
        running = [each for each in self._workloads.values() if each.state not in FINAL]
        for each in running:
            each.stop(reason="witness terminated", sweep=False)
        await asyncio.gather(*(each.finished(5.0) for each in running))

    async def _healthz(self, _: web.Request) -> web.Response:
        running = sum(each.state not in FINAL for each in self._workloads.values())
        return web.json_response({"ok": True, "format": VERSION, "running": running})

    async def _list(self, _: web.Request) -> web.Response:
        abandoned = await asyncio.to_thread(self._shelf.abandoned)
        left = [each for each in abandoned if each["id"] not in self._workloads]
        return web.json_response([*left, *(each.status() for each in self._workloads.values())])

    async def _start(self, request: web.Request) -> web.Response:
        body = decoded(await request.read())
        spec = workload(body)
        described = {key: value for key, value in body.items() if key not in _DESCRIBED_BY_NAME}
        identity = secrets.token_hex(6)
        running = {key for key, each in self._workloads.items() if each.state not in FINAL}
        for gone in self._shelf.make_room(running):
            self._workloads.pop(gone, None)
        new = Workload(identity, spec, described, self._shelf.path(identity))
        self._workloads[identity] = new
        await new.start()
        return web.json_response(new.status(), status=201)

    async def _status(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if wait := _number(request, "wait", 0, MAX_WAIT_S):
            await found.finished(wait)
        since = _number(request, "since_ns", -1, 1 << 63)
        return web.json_response(found.status(None if since < 0 else int(since)))

    async def _stop(self, request: web.Request) -> web.Response:
        found = self._found(request)
        given = fields(decoded(await request.read()))
        sweep, catch_up_s = given.flag("sweep", default=True), given.number("catch_up_s", 10, 0, 600)
        reason = given.text("reason", "stopped")
        given.done()
        found.stop(reason=reason, sweep=sweep, catch_up_s=catch_up_s)
        return web.json_response(found.status(), status=202)

    async def _forget(self, request: web.Request) -> web.Response:
        identity = request.match_info["id"]
        found = self._workloads.get(identity)
        if found is not None and found.state not in FINAL:
            raise web.HTTPConflict(text=f"the workload {identity!r} is still {found.state}")
        try:
            self._shelf.remove(identity)
        except FileNotFoundError:
            raise _no_journal(identity) from None
        self._workloads.pop(identity, None)
        return web.json_response({"id": identity})

    async def _journal(self, request: web.Request) -> web.Response:
        identity = request.match_info["id"]
        offset = int(_number(request, "offset", 0, 1 << 63))
        limit = int(_number(request, "limit", CHUNK, CHUNK * 16))
        try:
            data = await asyncio.to_thread(self._shelf.read, identity, offset, limit)
        except FileNotFoundError:
            raise _no_journal(identity) from None
        return web.Response(body=data, content_type="application/octet-stream")

    def _found(self, request: web.Request) -> Workload:
        identity = request.match_info["id"]
        if identity not in self._workloads:
            raise web.HTTPNotFound(
                text=f"no workload {identity!r}: {len(self._workloads)} known since the witness began"
            )
        return self._workloads[identity]


def _number(request: web.Request, name: str, default: float, high: float) -> float:
    text = request.query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,20}(\.\d{1,9})?", text) or (value := float(text) if "." in text else int(text)) > high:
        raise BadRequest(f"query: {name!r} must be a number from 0 to {high:g}, got {text[:40]!r}")
    return value


def _no_journal(identity: str) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=f"no journal of a workload {identity!r}")


async def _clock(_: web.Request) -> web.Response:
    return web.json_response({"monotonic_ns": time.monotonic_ns()})


async def _dataset_write(request: web.Request) -> web.Response:
    return web.json_response(await dataset.write(dataset.requested(decoded(await request.read()))))


async def _dataset_verify(request: web.Request) -> web.Response:
    return web.json_response(await dataset.verify(dataset.requested(decoded(await request.read()))))


async def _cleanup(request: web.Request) -> web.Response:
    return web.json_response(await dataset.cleanup(decoded(await request.read())))


@web.middleware
async def _one_line_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadRequest as exc:
        return web.Response(status=400, text=f"{exc}\n")
    except CLIENT_ERRORS as exc:
        return web.Response(status=503, text=f"redis: {type(exc).__name__}: {exc}\n")
