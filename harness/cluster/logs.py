"""What containers wrote, and what Kubernetes says happened."""

from __future__ import annotations

import math

from harness.cluster.connection import Connection, patiently
from harness.cluster.kinds import Object, kind_of
from harness.cluster.objects import items_of, path_of


def logs(
    connection: Connection,
    namespace: str,
    pod: str,
    container: str,
    *,
    since_s: float | None,
    previous: bool,
    tail: int | None,
) -> str:
    """Return a container's log; with `previous` that of the run before its last restart (Refused if none)."""
    query: dict[str, object] = {"container": container, "previous": str(previous).lower()}
    if since_s is not None:
        query["sinceSeconds"] = max(1, math.ceil(since_s))  # the API knows whole seconds only
    if tail is not None:
        query["tailLines"] = tail
    path = f"{path_of(kind_of('Pod'), pod, namespace)}/log"

    def once() -> bytes:
        with connection.answer("GET", path, query=query) as answer:
            return answer.data

    return patiently(once, repeatable=True).decode("utf-8", "replace")


def events(connection: Connection, namespace: str) -> list[Object]:
    """Return the namespace's events, oldest first."""
    kind = kind_of("Event")
    return sorted(items_of(connection.request("GET", kind.collection(namespace)), kind), key=event_time)


def event_time(event: Object) -> str:
    """When it last happened (RFC 3339, UTC); newer components fill eventTime only."""
    series = event.get("series") or {}
    stamps = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((stamp for stamp in stamps if stamp), event["metadata"]["creationTimestamp"]))
