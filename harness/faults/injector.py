"""The suite's hands inside the nodes: a privileged pod on each, with one shell held open.

A command over a held-open shell takes 1-4 ms, over a new exec 44 ms (faults.md §A).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.cluster import Cluster, Shell
from harness.cluster.readiness import daemonset_is_rolled_out
from harness.errors import InjectionFailed
from harness.images import ImageSet, substitute
from harness.settings import PROJECT

MANIFEST = PROJECT / "injector" / "daemonset.yaml"
NAMESPACE = "redis-e2e"
NAME = "injector"
STARTED_S = 60.0
COMMAND_S = 10.0

#: Prints the process that is PID 1 of the container with the id given as $1. Found by the container's id in the cgroup
#: path, never by its name: cgroup v1 and v2, cgroupfs and systemd all have the id there.
MAIN_PROCESS = """
for group in $(grep -l -- "$1" /proc/[0-9]*/cgroup 2>/dev/null); do
  process=${group#/proc/}; process=${process%/cgroup}
  [ "$(awk '/^NSpid:/ {print $NF}' "/proc/$process/status" 2>/dev/null)" = 1 ] && echo "$process"
done
true
"""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a pod as its node numbers it."""

    seat: str
    node: str
    pid: int


class Injector:
    """Injects process faults on the nodes of one cluster; shells are opened on first use and closed by `close`."""

    def __init__(self, cluster: Cluster) -> None:
        self._sut_cluster = cluster
        self._cluster = cluster.in_namespace(NAMESPACE)
        self._shells: dict[str, Shell] = {}

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

    def found(self, seat: str, container: str) -> Process:
        """Return the main process of `container` on `seat`, to be signalled later. Raises InjectionFailed."""
        pod = self._sut_cluster.get("Pod", seat)
        return Process(seat, pod["spec"]["nodeName"], self.main_process(pod, container))

    def kill(self, process: Process) -> None:
        """Send SIGKILL to `process` from its node; 1-4 ms. Raises InjectionFailed."""
        done = self._on(process.node).run(f"kill -KILL {process.pid}", seconds=COMMAND_S)
        if done.status != 0:
            raise InjectionFailed(
                f"kill -KILL {process.pid} for {process.seat} ended with {done.status}: {done.stderr}"
            )

    def main_process(self, pod: dict[str, Any], container: str) -> int:
        """Return the process id, on the node, of the main process of a pod's container. Raises InjectionFailed."""
        seat, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
        statuses = pod["status"].get("containerStatuses", [])
        identity = next((each.get("containerID", "") for each in statuses if each["name"] == container), "")
        if not identity:
            raise InjectionFailed(f"container {container} of {seat} is not running: {statuses}")
        script = f"set -- {shlex.quote(identity.rpartition('/')[2])}\n{MAIN_PROCESS}"
        found = self._on(node).run(script, seconds=COMMAND_S).stdout.split()
        if len(found) != 1:
            raise InjectionFailed(f"{len(found)} processes on {node} are PID 1 of container {container} of {seat}")
        return int(found[0])

    def close(self) -> None:
        """Close the shells."""
        for shell in self._shells.values():
            shell.close()
        self._shells.clear()

    def _on(self, node: str) -> Shell:
        if node not in self._shells:
            pods = self._cluster.list("Pod", selector=f"app.kubernetes.io/name={NAME}", fields=f"spec.nodeName={node}")
            running = [pod["metadata"]["name"] for pod in pods if pod["status"].get("phase") == "Running"]
            if not running:
                raise InjectionFailed(f"no injector runs on node {node}")
            self._shells[node] = self._cluster.shell(running[0], NAME)
        return self._shells[node]
