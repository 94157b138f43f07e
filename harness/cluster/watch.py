"""Waiting for objects by list and watch: the API server tells of every change, nothing is polled."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping

from harness.cluster.connection import GONE, Connection, Refused, Unreachable
from harness.cluster.kinds import Kind, Object, called, kind_of
from harness.cluster.objects import items_of
from harness.errors import ClusterError, WaitTimeout
from harness.wait import pause_until, stretched, why_not

#: Longest single watch; then the state is listed anew, so that a silently dead stream costs no more than this.
STREAM_S = 30.0
#: Pause before listing again after a stream broke: a killed API server refuses connections for about 3 s.
AGAIN_S = 0.2
MAX_SHOWN = 6


def wait_for(
    connection: Connection,
    kind: str,
    *,
    namespace: str | None,
    query: Mapping[str, str],
    until: Callable[[list[Object]], object],
    seconds: float,
    what: str,
) -> list[Object]:
    """Return the objects as they were when `until` first held for them.

    `seconds` is patience, stretched by ``--patience-scale``. Raises WaitTimeout with the last state and, when the
    result of `until` has ``reasons``, why it did not hold.
    """
    watched = _Watched(connection, kind_of(kind), namespace, query)
    started = time.monotonic()
    deadline = started + stretched(seconds)
    states, why = 0, ""
    for objects in watched.states(deadline):
        states += 1
        verdict = until(objects)
        if verdict:
            return objects
        why = why_not(verdict)
    raise WaitTimeout(
        f"waited {time.monotonic() - started:.1f} s for {what}\nlast seen: {watched.shown()} ({states} states)"
        + (f"\nbecause: {why}" if why else "")
        + (f"\nlast error: {watched.last_error}" if watched.last_error else "")
    )


class _Watched:
    """The objects of one list, kept up to date by a watch."""

    def __init__(self, connection: Connection, kind: Kind, namespace: str | None, query: Mapping[str, str]) -> None:
        self._connection = connection
        self._kind = kind
        self._path = kind.collection(namespace)
        self._query = query
        self._by_uid: dict[str, Object] = {}
        self.last_error = ""

    def states(self, deadline: float) -> Iterator[list[Object]]:
        """Yield all objects: at first, then after every change, until `deadline` (monotonic) has passed."""
        while True:
            try:
                version = self._list()
                yield self._objects()
                for _ in self._changes(version, deadline):
                    yield self._objects()
            except (Refused, Unreachable) as error:
                self.last_error = str(error)
                pause_until(min(time.monotonic() + AGAIN_S, deadline))
            if time.monotonic() >= deadline:
                return

    def shown(self) -> str:
        """Name the objects and what state they are in, for a message."""
        objects = self._objects()
        if not objects:
            return f"no {self._kind.name}"
        more = f" and {len(objects) - MAX_SHOWN} more" if len(objects) > MAX_SHOWN else ""
        return ", ".join(f"{called(item)} {_state_of(item)}".strip() for item in objects[:MAX_SHOWN]) + more

    def _list(self) -> str:
        answer = self._connection.request("GET", self._path, query=self._query)
        self._by_uid = {item["metadata"]["uid"]: item for item in items_of(answer, self._kind)}
        return str(answer["metadata"]["resourceVersion"])

    def _changes(self, version: str, deadline: float) -> Iterator[None]:
        remaining = min(deadline - time.monotonic(), STREAM_S)
        if remaining <= 0:
            return
        query = {
            **self._query,
            "watch": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(math.ceil(remaining)),
        }
        try:
            with self._connection.answer("GET", self._path, query=query, seconds=remaining) as answer:
                for line in _lines(answer.stream()):
                    if not self._take(json.loads(line)):
                        return
                    yield
        except Unreachable as error:
            # Silence until the end of the stream is how "no change" looks; a broken stream is listed anew.
            self.last_error = "" if time.monotonic() >= deadline else str(error)
        except Refused as error:
            if error.status != GONE:  # the version is too old to continue from: list anew
                raise

    def _take(self, event: Object) -> bool:
        """Note one event; False when the watch cannot go on."""
        item = event["object"]
        if event["type"] == "ERROR":
            if item.get("code") != GONE:
                raise ClusterError(f"watching {self._path}: {item.get('reason')}: {item.get('message')}")
            return False
        if event["type"] == "DELETED":
            self._by_uid.pop(item["metadata"]["uid"], None)
        else:
            self._by_uid[item["metadata"]["uid"]] = item
        return True

    def _objects(self) -> list[Object]:
        return sorted(self._by_uid.values(), key=lambda item: str(item["metadata"]["name"]))


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())


def _state_of(item: Object) -> str:
    status = item.get("status") or {}
    if item["metadata"].get("deletionTimestamp"):
        return "is being deleted"
    if "phase" in status:
        ready = [c["status"] for c in status.get("conditions") or [] if c["type"] == "Ready"]
        return f"{status['phase']}{'' if not ready or ready[0] == 'True' else ', not Ready'}"
    if "replicas" in status:
        return f"{status.get('readyReplicas', 0)}/{item.get('spec', {}).get('replicas', status['replicas'])} ready"
    return ""
