"""Pods and containers in the cgroup tree: their processes and their limits, in version 1 and 2, with either driver.

A pod is found by its UID, a container by its id, never by a name: names come back under other pods.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from injector.errors import Missing
from injector.node import Node, Process

#: Version 1 has a tree per controller; any that every container is in will do to find processes.
COMMON = "pids"

#: Where the tree may be left to: version 2 allows no process beside children that have controllers.
#: k3d's entrypoint makes "init", systemd has "init.scope".
BESIDE_V2 = ("init", "init.scope", "")


@dataclass(frozen=True)
class Cgroups:
    """The cgroup tree of one node."""

    node: Node

    @cached_property
    def top(self) -> Path:
        """Where it is mounted."""
        return self.node.root / "sys/fs/cgroup"

    @cached_property
    def version(self) -> int:
        """1 or 2; the mixed form has its controllers in version 1."""
        return 2 if (self.top / "cgroup.controllers").exists() else 1

    def pod(self, uid: str, controller: str = COMMON) -> Path:
        """Return a pod's directory. Raises Missing."""
        tree = self.top if self.version == 2 else self.top / controller
        names = (f"pod{uid}", f"pod{uid.replace('-', '_')}")  # cgroupfs and systemd write it differently
        for kubepods in sorted(tree.glob("kubepods*")):
            for folder, children, _ in os.walk(kubepods):
                for child in children:
                    if any(name in child for name in names):
                        return Path(folder, child)
        raise Missing(f"pod {uid} is not on this node")

    def container(self, pod: str, container: str, controller: str = COMMON) -> Path:
        """Return a container's directory. Raises Missing."""
        parent = self.pod(pod, controller)
        for child in sorted(parent.iterdir()):
            if container in child.name and child.is_dir():
                return child
        raise Missing(f"container {container[:12]} of pod {pod} is not on this node")

    def main_process(self, pod: str, container: str) -> Process:
        """Return the process that is number 1 of the container's own PID namespace. Raises Missing."""
        for pid in _pids(self.container(pod, container)):
            if self.node.number_inside(pid) == 1:
                return self.node.process(pid)
        raise Missing(f"container {container[:12]} of pod {pod} has no process 1: is it running?")

    def network(self, pod: str) -> tuple[int, int]:
        """Return a process in the pod's network and the network's inode. Raises Missing, also for the node's own."""
        for pid in _pids(self.pod(pod)):
            inode = self.node.network_of(pid)
            # The injector itself has the node's network (hostNetwork).
            if inode == self.node.network_of(os.getpid()):
                raise Missing(f"pod {pod} has no network of its own, it uses the node's")
            return pid, inode
        raise Missing(f"pod {pod} has no process")

    def leave(self, pid: int) -> None:
        """Take a process out of its pod's cgroups, so that it does not end with the pod. Raises Missing."""
        if self.version == 2:
            places = [self.top / name / "cgroup.procs" for name in BESIDE_V2]
            left = any(_put(place, pid) for place in places)
        else:
            left = bool([place for place in self.top.glob("*/cgroup.procs") if _put(place, pid)])
        if not left:
            raise Missing(f"no cgroup under {self.top} takes process {pid}: it would end with its pod")


def _pids(folder: Path) -> list[int]:
    """Return the processes of a directory and of those below it."""
    found: list[int] = []
    for place, _, _ in os.walk(folder):
        try:
            found += [int(line) for line in Path(place, "cgroup.procs").read_text().split()]
        except OSError:
            continue
    return found


def _put(place: Path, pid: int) -> bool:
    try:
        with place.open("r+") as procs:
            procs.write(str(pid))
    except OSError:
        return False
    return True
