"""The suite's hands inside the nodes: a privileged pod on each, with one shell held open, and the program `injector`.

A command over a held-open shell takes 1-4 ms, over a new exec 44 ms (faults.md §A); starting the program adds the start
of a Python interpreter. What the program may do, and how it is undone, is in injector/.
"""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from harness import wait
from harness.cluster import Cluster, Shell
from harness.cluster.readiness import daemonset_is_rolled_out
from harness.errors import ExecFailed, HarnessError, InjectionFailed
from harness.images import ImageSet, substitute
from harness.settings import PROJECT
from harness.sut.names import kind_of

MANIFEST = PROJECT / "injector" / "daemonset.yaml"
NAMESPACE = "redis-e2e"
NAME = "injector"
PROGRAM = "cd /app && python3 -m injector"
#: The node's root directory as the injector's pod sees it (injector/node.py says why).
NODE_ROOT = "/proc/1/root"
STARTED_S = 60.0
#: A quick command that has not ended by then hangs in a connection whose kubelet was killed.
COMMAND_S = 6.0
#: Moving a volume's data, starting an observer, sweeping every network of a node.
LONG_S = 30.0
#: A shell is there again 3.1 s after the kubelet or the API server was killed; a pod that was deleted takes longer.
RECONNECT_S = 25.0
AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a pod as its node numbers it."""

    seat: str
    node: str
    pid: int


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a fault hits: this very pod and container, never their successors of the same name."""

    seat: str
    node: str
    pod: str
    """UID of the pod."""
    container: str
    """Id of the container."""
    address: str
    host: str
    """Address of the node."""


class Injector:
    """Injects and heals on the nodes of one cluster; shells are opened on first use and closed by `close`.

    Threads may share it. A broken connection, a killed kubelet or a replaced injector pod is waited out: every verb
    may be repeated, so what is not known to have been done is done again.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._sut_cluster = cluster
        self._cluster = cluster.in_namespace(NAMESPACE)
        self._shells: dict[str, Shell] = {}
        self._opening = threading.Lock()

    @classmethod
    def deployed(cls, cluster: Cluster, images: ImageSet, manifest: Path = MANIFEST) -> Injector:
        """Return an injector whose pods run on every node. Raises WaitTimeout with what keeps them from running."""
        objects = [each for each in yaml.safe_load_all(manifest.read_text()) if each]
        injector = cls(cluster)
        injector._cluster.apply(substitute(objects, images))
        injector._cluster.wait_for(
            "DaemonSet",
            name=NAME,
            until=lambda found: bool(found) and daemonset_is_rolled_out(found[0]),
            seconds=STARTED_S,
            what="the injector on every node",
        )
        return injector

    # Where

    def spot(self, seat: str, container: str | None = None) -> Spot:
        """Return where the pod on `seat` is now. Raises InjectionFailed when its container does not run."""
        pod = self._sut_cluster.get("Pod", seat)
        name = container or kind_of(seat).container
        status = pod["status"]
        running = container_id(pod, name)
        if not running:
            states = [each.get("state") for each in status.get("containerStatuses", []) if each["name"] == name]
            raise InjectionFailed(f"container {name} of {seat} is not running: {states}")
        return Spot(
            seat=seat,
            node=pod["spec"]["nodeName"],
            pod=pod["metadata"]["uid"],
            container=running,
            address=status["podIP"],
            host=status.get("hostIP", ""),
        )

    def nodes(self) -> list[str]:
        """Return the nodes on which an injector runs; none when the suite has deployed no injector."""
        pods = self._cluster.list("Pod", selector=f"app.kubernetes.io/name={NAME}")
        return sorted(pod["spec"]["nodeName"] for pod in pods if pod["status"].get("phase") == "Running")

    # The program's verbs

    def inject(self, node: str, plan: Mapping[str, Any]) -> dict[str, Any]:
        """Inject on a node what the plan says, under its timer. Raises InjectionFailed with the program's words."""
        return dict(self._told(node, "inject", json.dumps(plan), seconds=LONG_S))

    def heal(self, node: str, identity: str) -> str:
        """Undo a fault; return the line that says so, empty when it was over. Raises InjectionFailed."""
        return str(self._told(node, "heal", identity, seconds=LONG_S)["healed"])

    def look(self, node: str, identity: str) -> dict[str, Any]:
        """Return what is to be seen of a fault on its node; nothing when it is over. Raises InjectionFailed."""
        return dict(self._told(node, "look", identity))

    def lookup(self, spot: Spot, server: str, name: str, *, patience_s: float = 1.0) -> str:
        """Return how a question to a name server, asked in a pod's network, went: answered, denied or timeout."""
        plan = {"pod": spot.pod, "server": server, "name": name, "patience_ms": 1000 * patience_s}
        return str(self._told(spot.node, "lookup", json.dumps(plan), seconds=COMMAND_S + patience_s)["outcome"])

    def repair(self, node: str, identity: str) -> str:
        """Repair the append-only file that a fault damaged; return what was said. Raises InjectionFailed."""
        return str(self._told(node, "repair", identity, seconds=LONG_S)["said"])

    def listed(self, node: str) -> list[dict[str, Any]]:
        """Return the faults that a node has on record."""
        return list(self._told(node, "list"))

    def sweep(self, node: str) -> list[str]:
        """Undo everything of the suite's on a node; return a line for each thing. Raises InjectionFailed."""
        return list(self._told(node, "sweep", seconds=LONG_S))

    def every_node(self, verb: Any) -> dict[str, Any]:
        """Call `verb(node)` for each node side by side; return the answers by node."""
        nodes = self.nodes()
        return dict(zip(nodes, self._cluster.gather([partial(verb, node) for node in nodes]), strict=True))

    # The quickest of all, for its bracket

    def found(self, seat: str, container: str) -> Process:
        """Return the main process of `container` on `seat`, to be signalled later. Raises InjectionFailed."""
        spot = self.spot(seat, container)
        plan = {"pod": spot.pod, "container": spot.container}
        return Process(seat, spot.node, int(self._told(spot.node, "find", json.dumps(plan))["pid"]))

    def kill(self, process: Process) -> None:
        """Send SIGKILL to `process` from its node; 1-4 ms. Raises InjectionFailed."""
        self._signal(process, "KILL")

    def freeze(self, process: Process) -> None:
        """Send SIGSTOP to a `process` that is killed next (a pause to be healed: `stopped`). Raises InjectionFailed."""
        self._signal(process, "STOP")

    def _signal(self, process: Process, name: str) -> None:
        done = self._on(process.node).run(f"kill -{name} {process.pid}", seconds=COMMAND_S)
        if done.status != 0:
            raise InjectionFailed(f"kill -{name} {process.pid} for {process.seat} ended {done.status}: {done.stderr}")

    def bereave(self, process: Process, folder: str) -> None:
        """Stop `process`, empty the directory `folder` of its node, kill it: by one command, some 10 ms.

        Stopped first, for a server that goes on would write new files. Killed also if the directory could not be
        emptied; that raises InjectionFailed with what is left in it.
        """
        where = shlex.quote(f"{NODE_ROOT}{folder}")
        done = self._on(process.node).run(
            f"kill -STOP {process.pid} && find {where} -mindepth 1 -delete; find {where} -mindepth 1; "
            f"kill -KILL {process.pid}",
            seconds=COMMAND_S,
        )
        if done.status != 0 or done.stdout.strip() or done.stderr.strip():
            left = f"{done.stdout} {done.stderr}".strip()
            raise InjectionFailed(f"{folder} of {process.seat} could not be emptied ({done.status}): {left}")

    def close(self) -> None:
        """Close the shells."""
        for shell in self._shells.values():
            shell.close()
        self._shells.clear()

    def _told(self, node: str, *words: str, seconds: float = COMMAND_S) -> Any:
        """Return the program's answer, over a new shell if the old one broke."""
        script = f"{PROGRAM} {shlex.join(words)}"
        deadline = time.monotonic() + wait.stretched(RECONNECT_S)
        while True:
            try:
                done = self._on(node).run(script, seconds=seconds)
                break
            except HarnessError as error:
                self._forget(node)
                if time.monotonic() > deadline:
                    raise InjectionFailed(f"{node} cannot be told to {words[0]}: {error}") from error
                wait.pause_until(time.monotonic() + AGAIN_S)
        if done.status != 0:
            raise InjectionFailed(f"{node}: {done.stderr.strip() or f'exit status {done.status}'}")
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise InjectionFailed(f"{node}: {words[0]} was answered by {done.stdout!r}") from error

    def _on(self, node: str) -> Shell:
        with self._opening:
            if node not in self._shells:
                fields = f"spec.nodeName={node}"
                pods = self._cluster.list("Pod", selector=f"app.kubernetes.io/name={NAME}", fields=fields)
                running = [pod["metadata"]["name"] for pod in pods if _runs(pod)]
                if not running:
                    raise ExecFailed(f"no injector runs on node {node}")
                self._shells[node] = self._cluster.shell(running[0], NAME)
            return self._shells[node]

    def _forget(self, node: str) -> None:
        with self._opening:
            shell = self._shells.pop(node, None)
        if shell is not None:
            shell.close()


def _runs(pod: Mapping[str, Any]) -> bool:
    return pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")


def container_id(pod: Mapping[str, Any], container: str) -> str:
    """Return the id of a container as its runtime has it; empty when it does not run, as Kubernetes knows."""
    for status in pod["status"].get("containerStatuses", []):
        if status["name"] == container and "running" in status.get("state", {}):
            return str(status.get("containerID", "")).rpartition("/")[2]
    return ""
