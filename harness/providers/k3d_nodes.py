"""What can be done to the nodes of a k3d cluster from outside: they are containers of the Docker engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from harness.programs import run_program
from harness.providers.dead_man import Timers, arming
from harness.providers.docker import Container, checked, docker, remains_of

#: Marks our packet rules, so that they are found again and nobody else's are touched.
TAG = "e2e-disconnected"

#: Begins the names of timers that heal everything.
HEAL = "heal-"

#: `docker network disconnect` would do the same but for its way back: the interface returns under another name (eth1)
#: and without the routes to the other nodes' pods; 10-42 s were measured until the last one was there (faults.md).
#: Packets dropped in place leave interface, address and routes alone, and a node that is back is back at once.
DISCONNECT = f"""
set -e
for rule in "INPUT -i" "OUTPUT -o" "FORWARD -i" "FORWARD -o"; do
  iptables -w 5 -I $rule eth0 -m comment --comment {TAG} -j DROP
done
"""

#: Prints how many rules it removed.
CONNECT = f"""
rm -f /run/{TAG}.*
removed=0
for rule in "INPUT -i" "OUTPUT -o" "FORWARD -i" "FORWARD -o"; do
  while iptables -w 5 -D $rule eth0 -m comment --comment {TAG} -j DROP 2>/dev/null; do removed=$((removed + 1)); done
done
echo $removed
"""


class K3dNodes:
    """Stops, freezes and disconnects nodes by their names, which are those of their containers.

    `timers` is the folder for the marks of the dead man's timers.
    """

    def __init__(self, cluster: str, timers: Path) -> None:
        self.cluster = cluster
        self._timers = Timers(timers)

    def stop_node(self, node: str, *, at_most_s: float) -> None:
        """Stop a node at once, as a power cut does."""
        self._timers.arm(node, ["docker", "start", node], seconds=at_most_s)
        docker("kill", node)

    def start_node(self, node: str) -> None:
        """Start it again; harmless when it runs. It keeps its data and its address."""
        docker("start", node)
        self._timers.disarm(node)

    def pause_node(self, node: str, *, at_most_s: float) -> None:
        """Freeze every process of a node."""
        self._timers.arm(node, ["docker", "unpause", node], seconds=at_most_s)
        docker("pause", node)

    def unpause_node(self, node: str) -> None:
        """Let them go on; harmless when they do."""
        if _is_paused(node):
            docker("unpause", node)
        self._timers.disarm(node)

    def disconnect_node(self, node: str, *, at_most_s: float) -> None:
        """Drop every packet that enters or leaves a node, of its pods too; its timer waits on the node itself."""
        mark = f"/run/{TAG}.{uuid4().hex[:8]}"
        self.run_on_node(node, arming(at_most_s, mark, ["sh", "-c", CONNECT]))
        self.run_on_node(node, ["sh", "-c", DISCONNECT])

    def connect_node(self, node: str) -> None:
        """Let packets pass again; harmless when they do."""
        self.run_on_node(node, ["sh", "-c", CONNECT])

    def run_on_node(self, node: str, argv: Sequence[str], *, seconds: float = 10.0) -> str:
        """Return what a command on the node wrote to stdout; ProviderError unless it ended with status 0."""
        return checked(run_program(["docker", "exec", node, *argv], seconds=seconds)).stdout

    def mend_nodes(self) -> list[str]:
        """Start, thaw and connect every node; return one line for each that needed it. Servers come first."""
        self._timers.disarm(f"{HEAL}*")  # whoever mends heals the rest as well
        nodes = sorted(remains_of(self.cluster).nodes, key=lambda node: (not node.is_server, node.name))
        return [line for node in nodes for line in self._mended(node)]

    def _mended(self, node: Container) -> list[str]:
        told = []
        if node.paused:
            self.unpause_node(node.name)
            told.append(f"node {node.name} was left paused: it goes on")
        elif not node.running:
            self.start_node(node.name)
            told.append(f"node {node.name} was left stopped: started")
        self._timers.disarm(node.name)
        if self.run_on_node(node.name, ["sh", "-c", CONNECT]).strip() not in {"", "0"}:
            told.append(f"node {node.name} was left off the network: connected")
        return told


def _is_paused(node: str) -> bool:
    return docker("inspect", "--format", "{{.State.Paused}}", node).strip() == "true"
