"""A rolling restart: every pod of a StatefulSet is replaced, one after the other, as an upgrade does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.cluster.readiness import Readiness, statefulset_is_rolled_out
from harness.faults.base import Bench

#: Three pods, each with its hand-over (some seconds), its start and its minReadySeconds.
ROLLED_OUT_S = 240.0
STARTED_S = 30.0


class RolledOut:
    """All pods of a StatefulSet are replaced by `rollout restart`; the state is reached when the last one is Ready."""

    def __init__(self, stateful_set: str) -> None:
        self.stateful_set = stateful_set
        self._uids: set[str] = set()

    @property
    def target(self) -> str:
        """The StatefulSet."""
        return f"StatefulSet {self.stateful_set}"

    @property
    def by_hand(self) -> str:
        """Wait for the rollout."""
        return f"kubectl rollout status statefulset/{self.stateful_set}"

    def prepare(self, bench: Bench) -> None:
        """Note the UIDs of all its pods."""
        self._uids = {pod["metadata"]["uid"] for pod in self._pods(bench)}

    def inject(self, bench: Bench) -> None:
        """Order the restart."""
        bench.sut.cluster.restart_rollout(self.stateful_set)

    def await_effect(self, bench: Bench) -> None:
        """Return when the first pod is replaced."""
        bench.sut.cluster.wait_for(
            "Pod",
            until=lambda pods: not self._uids <= {pod["metadata"]["uid"] for pod in pods},
            seconds=STARTED_S,
            what=f"the first replaced pod of {self.stateful_set}",
        )

    def heal(self, bench: Bench) -> None:
        """Nothing to undo: a rollout ends by itself."""

    def await_healed(self, bench: Bench) -> None:
        """Return when the rollout is complete and no pod is an old one."""
        bench.sut.cluster.wait_for(
            "StatefulSet",
            name=self.stateful_set,
            until=_is_rolled_out,
            seconds=ROLLED_OUT_S,
            what=f"the end of the rollout of {self.stateful_set}",
        )

    def _pods(self, bench: Bench) -> Sequence[dict[str, Any]]:
        pods = bench.sut.pod_objects().values()
        return [pod for pod in pods if pod["metadata"]["ownerReferences"][0]["name"] == self.stateful_set]


def _is_rolled_out(found: Sequence[dict[str, Any]]) -> Readiness:
    if not found:
        return Readiness(("the StatefulSet does not exist",))
    return statefulset_is_rolled_out(found[0])
