"""The bandwidth out of a pod, squeezed by a token bucket (tc-tbf(8)) in place of its device's queue."""

from __future__ import annotations

import json
from typing import Any

from injector.errors import InjectorError
from injector.filtered import network, present
from injector.node import Node, run
from injector.records import Record

#: A handle that nobody else uses marks the queue as the suite's.
HANDLE = "e2e:"
DEVICE = "eth0"
#: A packet that would wait longer than this in the queue is lost (milliseconds).
LONGEST_WAIT_MS = 4000


class Squeezed:
    """The plan: ``pod``, ``kbit`` (thousand bits a second)."""

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The network's inode."""
        if record.plan["kbit"] < 8:
            raise InjectorError("less than 8 kbit/s is no line")
        pid, inode = network(node, record)
        if queue(node, pid):
            raise InjectorError("the pod's bandwidth is squeezed already")
        return {"network": inode}

    def inject(self, node: Node, record: Record) -> None:
        """Put the bucket in."""
        rate = f"{record.plan['kbit']}kbit"
        bucket = ["tbf", "rate", rate, "burst", "4kb", "latency", f"{LONGEST_WAIT_MS}ms"]
        pid = present(node, record)
        run(node.in_network(pid, ["tc", "qdisc", "replace", "dev", DEVICE, "root", "handle", HANDLE, *bucket]))

    def undo(self, node: Node, record: Record) -> None:
        """Take it out, if the network still exists."""
        pid = node.networks().get(record.facts["network"])
        if pid is not None:
            remove(node, pid)

    def left(self, node: Node, record: Record) -> list[str]:
        """The bucket."""
        pid = node.networks().get(record.facts["network"])
        return [f"a bucket on {DEVICE}"] if pid is not None and queue(node, pid) else []

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """What the bucket has counted: bytes and packets passed, packets dropped, and that had to wait."""
        found = queue(node, present(node, record))
        names = ("bytes", "packets", "drops", "overlimits")
        return {"bucket": {name: found[name] for name in names if name in found}}


def queue(node: Node, pid: int) -> dict[str, Any]:
    """Return what tc says of the suite's bucket in a network; an empty object when there is none."""
    told = run(node.in_network(pid, ["tc", "-s", "-j", "qdisc", "show"]))
    found: list[dict[str, Any]] = json.loads(told or "[]")
    return next((each for each in found if each.get("handle") == HANDLE), {})


def remove(node: Node, pid: int) -> bool:
    """Delete the suite's bucket from a network; return whether there was one."""
    found = queue(node, pid)
    if found:
        run(node.in_network(pid, ["tc", "qdisc", "del", "dev", found["dev"], "root"]))
    return bool(found)
