"""What containers that do not stay up said last: the cause, where Kubernetes only knows "CrashLoopBackOff"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import ClusterError
from harness.sut import Sut

LINES = 5


def last_words(sut: Sut, pods: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return, by seat, the last line of the log of its first container that ended and waits to be started again."""
    found: dict[str, str] = {}
    for seat, pod in pods.items():
        for status in pod.get("status", {}).get("containerStatuses", []):
            if status.get("state", {}).get("waiting", {}).get("reason") == "CrashLoopBackOff":
                found.setdefault(seat, _last_line(sut, seat, status["name"]))
    return found


def _last_line(sut: Sut, seat: str, container: str) -> str:
    try:
        lines = sut.cluster.logs(seat, container, tail=LINES).strip().splitlines()
    except ClusterError as error:
        return f"(its log cannot be read: {error})"
    return lines[-1].strip() if lines else "(it said nothing)"
