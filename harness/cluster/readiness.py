"""Predicates on objects, each saying why it does not hold. They look at what is given and ask nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.cluster.kinds import Object, called

#: Waiting reasons that mean progress; every other one is worth telling.
UNREMARKABLE = ("ContainerCreating", "PodInitializing")


@dataclass(frozen=True, slots=True)
class Readiness:
    """True when nothing speaks against it."""

    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return not self.reasons

    def __str__(self) -> str:
        return "; ".join(self.reasons) or "ready"


def is_ready(pod: Object) -> Readiness:
    """Whether the pod runs, is Ready and is not on its way out."""
    name = pod["metadata"]["name"]
    status = pod.get("status") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return Readiness((f"{name} is being deleted",))
    if _condition(pod, "Ready") == "True":
        return Readiness()
    troubles = container_troubles(pod)
    if troubles:
        return Readiness(tuple(f"{name}: {trouble}" for trouble in troubles))
    unscheduled = [c for c in status.get("conditions") or [] if c["type"] == "PodScheduled" and c["status"] == "False"]
    if unscheduled:
        return Readiness((f"{name} is not scheduled: {unscheduled[0].get('message', 'no reason given')}",))
    return Readiness((f"{name} is {status.get('phase', 'without a status')}, not Ready",))


def container_troubles(pod: Object) -> list[str]:
    """Say of each container that is not ready what holds it up: ``container redis waits: ImagePullBackOff: …``."""
    status = pod.get("status") or {}
    told = []
    for container in (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or []):
        name, state = container["name"], container.get("state") or {}
        if "waiting" in state and state["waiting"].get("reason") not in UNREMARKABLE:
            waiting = state["waiting"]
            told.append(f"container {name} waits: {waiting.get('reason')}: {waiting.get('message', '')}".rstrip(": "))
        elif "terminated" in state and state["terminated"].get("exitCode"):
            ended = state["terminated"]
            told.append(f"container {name} ended with status {ended['exitCode']} ({ended.get('reason', '')})")
        elif "running" in state and not container.get("ready"):
            restarts = container.get("restartCount", 0)
            told.append(f"container {name} runs but is not ready" + (f" ({restarts} restarts)" if restarts else ""))
    return told


def statefulset_is_rolled_out(statefulset: Object) -> Readiness:
    """Whether every replica wanted runs the newest revision and is available."""
    wanted, status = statefulset["spec"].get("replicas", 1), statefulset.get("status") or {}
    newest = "updatedReplicas" if status.get("currentRevision") != status.get("updateRevision") else "replicas"
    counts = {"of the newest revision": newest, "ready": "readyReplicas", "available": "availableReplicas"}
    return _rolled_out(statefulset, wanted, counts)


def deployment_is_rolled_out(deployment: Object) -> Readiness:
    """Whether every replica wanted runs the newest template and is available."""
    counts = {"of the newest revision": "updatedReplicas", "ready": "readyReplicas", "available": "availableReplicas"}
    return _rolled_out(deployment, deployment["spec"].get("replicas", 1), counts)


def daemonset_is_rolled_out(daemonset: Object) -> Readiness:
    """Whether every node that should run one runs the newest template and is available."""
    status = daemonset.get("status") or {}
    counts = {
        "of the newest revision": "updatedNumberScheduled",
        "ready": "numberReady",
        "available": "numberAvailable",
    }
    return _rolled_out(daemonset, status.get("desiredNumberScheduled", 0), counts)


def is_rolled_out(controller: Object) -> Readiness:
    """Whether a StatefulSet, Deployment or DaemonSet is rolled out."""
    predicates: dict[str, Callable[[Object], Readiness]] = {
        "StatefulSet": statefulset_is_rolled_out,
        "Deployment": deployment_is_rolled_out,
        "DaemonSet": daemonset_is_rolled_out,
    }
    return predicates[controller["kind"]](controller)


def node_is_ready(node: Object) -> Readiness:
    """Whether the node is Ready and takes pods."""
    if _condition(node, "Ready") != "True":
        return Readiness((f"{called(node)} is not Ready",))
    return Readiness()


def every(
    predicate: Callable[[Object], Readiness], *, names: Iterable[str] = (), count: int | None = None
) -> Callable[[Sequence[Object]], Readiness]:
    """Make a predicate of one object one of many: it holds for all, and `names` or `count` of them are there."""
    wanted = sorted(names)

    def holds_for_every(objects: Sequence[Object]) -> Readiness:
        there = {item["metadata"]["name"] for item in objects}
        reasons = [f"{name} does not exist" for name in wanted if name not in there]
        if count is not None and len(objects) != count:
            reasons.append(f"there are {len(objects)} of {count}")
        for item in objects:
            if not wanted or item["metadata"]["name"] in wanted:
                reasons += predicate(item).reasons
        return Readiness(tuple(reasons))

    return holds_for_every


def _rolled_out(controller: Object, wanted: int, counts: dict[str, str]) -> Readiness:
    status = controller.get("status") or {}
    if status.get("observedGeneration", 0) < controller["metadata"].get("generation", 0):
        return Readiness((f"{called(controller)}: its controller has not seen the newest version yet",))
    short = [
        f"{status.get(field, 0)}/{wanted} {meaning}"
        for meaning, field in counts.items()
        if status.get(field, 0) != wanted
    ]
    return Readiness((f"{called(controller)}: {', '.join(short)}",) if short else ())


def _condition(item: Object, kind: str) -> str:
    conditions = (item.get("status") or {}).get("conditions") or []
    return next((str(c["status"]) for c in conditions if c["type"] == kind), "Unknown")
