"""What can be done to the nodes of a k3d cluster from outside: they are containers of the Docker engine."""

from __future__ import annotations

from collections.abc import Sequence

from harness.programs import run_program
from harness.providers.docker import checked, docker


class K3dNodes:
    """Stops, freezes and disconnects nodes by their names, which are those of their containers."""

    def __init__(self, cluster: str) -> None:
        self.cluster = cluster

    def stop_node(self, node: str) -> None:
        """Stop a node at once, as a power cut does."""
        docker("kill", node)

    def start_node(self, node: str) -> None:
        """Start it again; harmless when it runs. It keeps its data and its address."""
        docker("start", node)

    def pause_node(self, node: str) -> None:
        """Freeze every process of a node."""
        docker("pause", node)

    def unpause_node(self, node: str) -> None:
        """Let them go on; harmless when they do."""
        if docker("inspect", "--format", "{{.State.Paused}}", node).strip() == "true":
            docker("unpause", node)

    def disconnect_node(self, node: str) -> None:
        """Take a node off the cluster's network."""
        docker("network", "disconnect", self._network, node)

    def connect_node(self, node: str) -> None:
        """Put it back; harmless when it is on it. Its interface has a new name then, and routes take seconds."""
        networks = docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", node)
        if f'"{self._network}"' not in networks:
            docker("network", "connect", self._network, node)

    def run_on_node(self, node: str, argv: Sequence[str], *, seconds: float = 10.0) -> str:
        """Return what a command on the node wrote to stdout; ProviderError unless it ended with status 0."""
        return checked(run_program(["docker", "exec", node, *argv], seconds=seconds)).stdout

    @property
    def _network(self) -> str:
        return f"k3d-{self.cluster}"
