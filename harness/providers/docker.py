"""Questions to the Docker engine about the containers of a k3d cluster, and the few orders that k3d has no word for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ProviderError, ToolMissing
from harness.programs import Ran, run_program

#: k3d marks all it makes with these (its pkg/types: LabelClusterName, LabelRole).
CLUSTER_LABEL = "k3d.cluster"
ROLE_LABEL = "k3d.role"
NODE_ROLES = ("server", "agent")
ANSWERS_S = 20.0
NEEDED_BYTES = 5 * 10**9


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a cluster."""

    name: str
    running: bool
    labels: Mapping[str, str]
    paused: bool = False

    @property
    def is_node(self) -> bool:
        """Whether it is a node of the cluster, not one of k3d's helpers."""
        return self.labels.get(ROLE_LABEL) in NODE_ROLES

    @property
    def is_server(self) -> bool:
        """Whether it carries the API server."""
        return self.labels.get(ROLE_LABEL) == "server"


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is of a cluster on the engine."""

    containers: tuple[Container, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.containers or self.networks or self.volumes)

    def __str__(self) -> str:
        named = [f"container {c.name}" for c in self.containers] + [f"network {n}" for n in self.networks]
        return ", ".join(named + [f"volume {v}" for v in self.volumes]) or "nothing"

    @property
    def nodes(self) -> tuple[Container, ...]:
        """The containers that are nodes."""
        return tuple(container for container in self.containers if container.is_node)


def engine_answers() -> bool:
    """Whether there is an engine."""
    try:
        engine_version()
    except (ProviderError, ToolMissing):
        return False
    return True


def engine_version() -> str:
    """Return the engine's version; ProviderError in one line when it does not answer."""
    ran = run_program(["docker", "version", "--format", "{{.Server.Version}}"], seconds=ANSWERS_S)
    if not ran.ok:
        raise ProviderError(f"the Docker engine does not answer: {ran.telling()}")
    return ran.stdout.strip()


def require_room() -> None:
    """Raise ProviderError when the engine's disk has too little room for a cluster and its images."""
    root = Path(docker("info", "--format", "{{.DockerRootDir}}").strip())
    if not root.is_dir():
        return  # the engine is elsewhere, or in a virtual machine: its disk cannot be seen from here
    free = shutil.disk_usage(root).free
    if free < NEEDED_BYTES:
        raise ProviderError(
            f"only {free / 1e9:.1f} GB are free where Docker keeps its data ({root}), a cluster needs "
            f"{NEEDED_BYTES / 1e9:.0f} GB: free some (docker system prune)"
        )


def remains_of(cluster: str) -> Remains:
    """Return everything the engine holds under a cluster's name, whosever it is."""
    label = f"label={CLUSTER_LABEL}={cluster}"
    ids = docker("ps", "--all", "--quiet", "--filter", label).split()
    networks = docker("network", "ls", "--filter", f"name=^k3d-{cluster}$", "--format", "{{.Name}}").split()
    volumes = docker("volume", "ls", "--filter", label, "--format", "{{.Name}}").split()
    return Remains(_inspected(ids), tuple(networks), tuple(volumes))


def docker(*arguments: str, seconds: float = ANSWERS_S) -> str:
    """Run docker and return what it wrote; ProviderError with its own words when it failed."""
    return checked(run_program(["docker", *arguments], seconds=seconds)).stdout


def checked(ran: Ran) -> Ran:
    """Return `ran`; ProviderError unless it ended with status 0."""
    if not ran.ok:
        raise ProviderError(f"{' '.join(ran.argv[:3])}: {ran.telling('Error', 'error')}")
    return ran


def _inspected(ids: Sequence[str]) -> tuple[Container, ...]:
    if not ids:
        return ()
    # One that goes away between listing and inspecting makes docker fail although the others are told.
    ran = run_program(["docker", "inspect", "--type", "container", *ids], seconds=ANSWERS_S)
    found = json.loads(ran.stdout or "[]")
    return tuple(
        Container(
            name=one["Name"].lstrip("/"),
            running=bool(one["State"]["Running"]) and not one["State"]["Paused"],
            labels=one["Config"]["Labels"] or {},
            paused=bool(one["State"]["Paused"]),
        )
        for one in found
    )
