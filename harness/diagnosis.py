"""Saying in a few lines why a deployment does not stand: which pod, which container, what it wrote, what happened."""

from __future__ import annotations

from collections.abc import Iterator

from harness.cluster import Cluster, Object
from harness.cluster.readiness import is_ready
from harness.errors import ClusterError

LOG_LINES = 5
EVENTS = 8


def diagnosis(cluster: Cluster) -> str:
    """Return what the namespace's unready pods and its latest warnings say; never raises for a cluster in trouble."""
    try:
        pods = cluster.list("Pod")
        lines = [line for pod in pods if not is_ready(pod) for line in _about(cluster, pod)]
        warnings = [_told(event) for event in cluster.events() if event.get("type") == "Warning"]
    except ClusterError as error:
        return f"no diagnosis: {error}"
    return "\n".join(lines + warnings[-EVENTS:]) or "every pod is ready and nothing was warned of"


def _about(cluster: Cluster, pod: Object) -> Iterator[str]:
    yield f"pod {pod['metadata']['name']}: {is_ready(pod)}"
    for container in (pod.get("status") or {}).get("containerStatuses") or []:
        if not container.get("ready"):
            again = container.get("restartCount", 0) > 0 and "running" not in (container.get("state") or {})
            yield from _last_words(cluster, pod["metadata"]["name"], container["name"], previous=again)


def _last_words(cluster: Cluster, pod: str, container: str, *, previous: bool) -> Iterator[str]:
    try:
        written = cluster.logs(pod, container, tail=LOG_LINES, previous=previous)
    except ClusterError as error:
        yield f"  {container} has no log: {error}"
    else:
        yield from (f"  {container} | {line}" for line in written.splitlines())


def _told(event: Object) -> str:
    about = event.get("involvedObject") or {}
    return f"warning {about.get('kind')} {about.get('name')}: {event.get('reason')}: {event.get('message')}"
