"""A rolling update: every pod of a StatefulSet is replaced, one after the other, as an upgrade does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from harness.cluster.readiness import Readiness, statefulset_is_rolled_out
from harness.faults.base import Bench

#: Three pods, each with its hand-over (some seconds), its start and its minReadySeconds.
ROLLED_OUT_S = 240.0
STARTED_S = 30.0


@dataclass(frozen=True, slots=True)
class Step:
    """One replaced pod, by the control plane's clock, to the second."""

    seat: str
    created: datetime
    ready: datetime

    def __str__(self) -> str:
        return f"{self.seat} created {self.created:%H:%M:%S}, Ready {(self.ready - self.created).seconds} s later"


class RolledOut:
    """The template of a StatefulSet gets another annotation, so all its pods are replaced; reached with the last one.

    It is what ``kubectl rollout restart`` does and, for the pods, what every other change of a template does. `steps`
    has them in order afterwards. Their times are those that Kubernetes wrote down, so no step is missed for want of
    somebody watching.
    """

    def __init__(self, stateful_set: str) -> None:
        self.stateful_set = stateful_set
        self.steps: tuple[Step, ...] = ()
        self._uids: set[str] = set()
        self._revision = ""

    @property
    def target(self) -> str:
        """The StatefulSet."""
        return f"StatefulSet {self.stateful_set}"

    @property
    def by_hand(self) -> str:
        """Wait for the rollout."""
        return f"kubectl rollout status statefulset/{self.stateful_set}"

    def prepare(self, bench: Bench) -> None:
        """Note the UIDs of all its pods and the revision that they run."""
        self._uids = {pod["metadata"]["uid"] for pod in self._pods(bench)}
        self._revision = bench.sut.stateful_set(self.stateful_set)["status"].get("updateRevision", "")

    def inject(self, bench: Bench) -> None:
        """Change the template."""
        bench.sut.cluster.restart_rollout(self.stateful_set)

    def await_effect(self, bench: Bench) -> None:
        """Return when the first pod is replaced by one of another revision."""
        bench.sut.cluster.wait_for(
            "Pod",
            until=self._has_begun,
            seconds=STARTED_S,
            what=f"the first replaced pod of {self.stateful_set}",
        )

    def _has_begun(self, pods: Sequence[dict[str, Any]]) -> bool:
        return any(
            _set_of(pod) == self.stateful_set
            and pod["metadata"]["uid"] not in self._uids
            and pod["metadata"].get("labels", {}).get("controller-revision-hash") != self._revision
            for pod in pods
        )

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: a rollout ends by itself, and its annotation means nothing to anybody."""

    def await_healed(self, bench: Bench) -> None:
        """Return when the rollout is complete and no pod is an old one."""
        bench.sut.cluster.wait_for(
            "StatefulSet",
            name=self.stateful_set,
            until=_is_rolled_out,
            seconds=ROLLED_OUT_S,
            what=f"the end of the rollout of {self.stateful_set}",
        )
        steps = [_step(pod) for pod in self._pods(bench) if pod["metadata"]["uid"] not in self._uids]
        self.steps = tuple(sorted((step for step in steps if step), key=lambda step: step.created))

    def _pods(self, bench: Bench) -> Sequence[dict[str, Any]]:
        return [pod for pod in bench.sut.pod_objects().values() if _set_of(pod) == self.stateful_set]


def _set_of(pod: dict[str, Any]) -> str:
    owners = pod["metadata"].get("ownerReferences", [])
    return next((str(each["name"]) for each in owners if each["kind"] == "StatefulSet"), "")


def _step(pod: dict[str, Any]) -> Step | None:
    conditions = pod["status"].get("conditions", [])
    ready = next((each for each in conditions if each["type"] == "Ready" and each["status"] == "True"), None)
    if ready is None:
        return None
    stamps = (pod["metadata"]["creationTimestamp"], ready["lastTransitionTime"])
    created, since = (datetime.fromisoformat(stamp) for stamp in stamps)
    return Step(pod["metadata"]["name"], created, since)


def _is_rolled_out(found: Sequence[dict[str, Any]]) -> Readiness:
    if not found:
        return Readiness(("the StatefulSet does not exist",))
    return statefulset_is_rolled_out(found[0])
