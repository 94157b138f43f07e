"""What is saved when a test fails: objects, events, every instance's own words, every log.

Nothing is left out silently: each piece is one file; one that could not be had says why in its file and in
``index.txt``. Secrets are never saved.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import yaml

from harness.artifacts import file_name, write_text
from harness.sut.names import PRIMARY_NAME, SENTINEL_SET, STATEFUL_SETS, kind_of

KINDS = (
    "StatefulSet",
    "Deployment",
    "DaemonSet",
    "ControllerRevision",
    "Pod",
    "Service",
    "EndpointSlice",
    "ConfigMap",
    "PodDisruptionBudget",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StorageClass",
    "Node",
)
REDIS_QUESTIONS = ("INFO all", "ROLE", "CLIENT LIST", "CONFIG GET *", "LATENCY LATEST", "SLOWLOG GET 20")
SENTINEL_QUESTIONS = (
    "INFO all",
    "SENTINEL MASTERS",
    f"SENTINEL REPLICAS {PRIMARY_NAME}",
    f"SENTINEL SENTINELS {PRIMARY_NAME}",
    f"SENTINEL CKQUORUM {PRIMARY_NAME}",
    "SENTINEL PENDING-SCRIPTS",
)
SECRET_SETTINGS = ("requirepass", "masterauth", "tls-key-file-pass", "tls-client-key-file-pass")

LIMIT_S = 45.0
ASK_S = 5.0
THREADS = 12
LOG_LINES = 5000


Objects: TypeAlias = list[dict[str, Any]]


class Reads(Protocol):
    """What a dump needs of the cluster façade."""

    def list(self, kind: str) -> Objects:
        """Return all objects of a kind."""

    def events(self) -> Objects:
        """Return the namespace's events, oldest first."""

    def logs(self, pod: str, container: str, *, previous: bool = False, tail: int | None = None) -> str:
        """Return a container's log."""


class Asks(Protocol):
    """What a dump needs of the system under test."""

    def ask(self, seat: str, *commands: str, seconds: float) -> list[Any]:
        """Return an instance's replies to commands."""


def dump(cluster: Reads, sut: Asks, directory: Path, *, seconds: float = LIMIT_S) -> list[Path]:
    """Save the state of the deployment into `directory` within about `seconds`; return what is worth a link.

    The pieces are fetched side by side; one that fails or is late costs only itself. Raises ArtifactError when the
    directory cannot be written.
    """
    deadline = time.monotonic() + seconds
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dump")
    try:
        pods = threads.submit(cluster.list, "Pod")
        pieces = _of_kubernetes(cluster, threads)
        wait([pods], timeout=seconds / 2)
        for pod in pods.result() if _succeeded(pods) else []:
            pieces |= _of_pod(cluster, sut, threads, pod)
        wait(list(pieces.values()), timeout=max(deadline - time.monotonic(), 0))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    problems = {name: _save(directory / name, piece, seconds) for name, piece in pieces.items()}
    index = write_text(directory / "index.txt", _index(problems))
    instances = sorted((directory / "instances").glob("*.txt"))
    return [
        index,
        *(directory / name for name in ("events.txt", "objects", "logs") if (directory / name).exists()),
        *instances,
    ]


def _of_kubernetes(cluster: Reads, threads: ThreadPoolExecutor) -> dict[str, Future[str]]:
    pieces = {"events.txt": threads.submit(lambda: _events(cluster.events()))}
    for kind in KINDS:
        pieces[f"objects/{kind}.yaml"] = threads.submit(_objects_of, cluster, kind)
    return pieces


def _of_pod(cluster: Reads, sut: Asks, threads: ThreadPoolExecutor, pod: dict[str, Any]) -> dict[str, Future[str]]:
    name = pod["metadata"]["name"]
    pieces = {}
    if any(owner["name"] in STATEFUL_SETS for owner in pod["metadata"].get("ownerReferences", [])):
        pieces[f"instances/{file_name(name)}.txt"] = threads.submit(_instance, sut, name)
    for container, restarted in _containers(pod):
        target = f"logs/{file_name(name)}-{file_name(container)}"
        pieces[f"{target}.log"] = threads.submit(partial(cluster.logs, name, container, tail=LOG_LINES))
        if restarted:
            last = partial(cluster.logs, name, container, previous=True, tail=LOG_LINES)
            pieces[f"{target}.previous.log"] = threads.submit(last)
    return pieces


def _containers(pod: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield each container's name and whether it has restarted, so that it has a log of the run before."""
    status = pod.get("status", {})
    statuses = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    restarts = {one["name"]: one.get("restartCount", 0) for one in statuses}
    for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
        yield container["name"], restarts.get(container["name"], 0) > 0


def _instance(sut: Asks, seat: str) -> str:
    questions = SENTINEL_QUESTIONS if kind_of(seat).stateful_set == SENTINEL_SET else REDIS_QUESTIONS
    answers = sut.ask(seat, *questions, seconds=ASK_S)
    return "\n".join(f"# {asked}\n{_reply(asked, answer)}\n" for asked, answer in zip(questions, answers, strict=True))


def _reply(asked: str, answer: object) -> str:
    if asked == "CONFIG GET *" and isinstance(answer, list):
        shown = zip(answer[::2], answer[1::2], strict=False)
        return "\n".join(
            f"{key} {'(not saved)' if key in SECRET_SETTINGS and value else value}" for key, value in shown
        )
    return answer if isinstance(answer, str) else json.dumps(answer, indent=1)


def _objects_of(cluster: Reads, kind: str) -> str:
    found = cluster.list(kind)
    for one in found:
        one["metadata"].pop("managedFields", None)
    return yaml.safe_dump_all(found, sort_keys=False, default_flow_style=False) if found else "# none\n"


def _events(found: Objects) -> str:
    return "".join(f"{_event(event)}\n" for event in found) or "no events\n"


def _event(event: Mapping[str, Any]) -> str:
    about, series = event.get("involvedObject", {}), event.get("series") or {}
    at = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "-"
    count = series.get("count") or event.get("count") or 1
    times = f" (x{count})" if count > 1 else ""
    return (
        f"{at}  {event.get('type', '-'):8} {about.get('kind', '-')}/{about.get('name', '-')}"
        f"  {event.get('reason', '-')}: {str(event.get('message', '')).strip()}{times}"
    )


def _succeeded(piece: Future[Any]) -> bool:
    return piece.done() and not piece.cancelled() and piece.exception() is None


def _save(path: Path, piece: Future[str], seconds: float) -> str:
    """Write one piece, or why there is none; return that reason, empty if all is well."""
    if _succeeded(piece):
        write_text(path, piece.result())
        return ""
    if piece.cancelled() or not piece.done():
        reason = f"not there within the {seconds:g} s of this dump"
    else:
        reason = f"{type(piece.exception()).__name__}: {piece.exception()}"
    write_text(path, f"could not be saved: {reason}\n")
    return reason


def _index(problems: Mapping[str, str]) -> str:
    lines = [
        f"{'saved ' if not why else 'FAILED'}  {name}{f'  {why}' if why else ''}"
        for name, why in sorted(problems.items())
    ]
    saved = sum(not why for why in problems.values())
    return f"{saved} of {len(problems)} pieces saved\n\n" + "\n".join(lines) + "\n"
