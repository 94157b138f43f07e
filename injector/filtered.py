"""Packets dropped in one network namespace, by rules in chains of the fault's own.

A chain per direction: faults on the same pod do not see each other's rules, an exception of one (RETURN) is none of the
other, and healing deletes what has this fault's name and nothing else. Rules outlive a container's restart and go with
the pod's sandbox.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

from injector.cgroups import Cgroups
from injector.errors import InjectorError, Missing
from injector.node import Node, run
from injector.records import Record

TAG = "chaos-"
HOOKS = {"in": "INPUT", "out": "OUTPUT"}
#: iptables waits this long for whoever holds its lock (seconds).
LOCK_S = "5"
COUNTED = re.compile(r"^\[(\d+):\d+\] -A (\S+) (.*)$")


class Filtered:
    """Rules in the network of a pod, or of the node itself.

    The plan: ``pod`` (None: the node), ``spare`` (addresses that are never concerned), ``drop`` (for each direction a
    list of matches, each a list of iptables words; an empty one matches everything).
    """

    def facts(self, node: Node, record: Record) -> dict[str, Any]:
        """The network's inode."""
        check(record.plan)
        return {"network": network(node, record)[1]}

    def inject(self, node: Node, record: Record) -> None:
        """Fill the chains, then jump to them: no packet meets half of the rules."""
        pid = present(node, record)
        for words in rules(record.id, record.plan):
            iptables(node, pid, words)

    def undo(self, node: Node, record: Record) -> None:
        """Delete the chains, if their network still exists."""
        pid = node.networks().get(record.facts["network"])
        if pid is not None:
            delete_tagged(node, pid, record.id)

    def left(self, node: Node, record: Record) -> list[str]:
        """The rules that are still there."""
        pid = node.networks().get(record.facts["network"])
        return [] if pid is None else [f"rule {rule}" for rule in tagged(node, pid, record.id)]

    def look(self, node: Node, record: Record) -> dict[str, Any]:
        """How many packets the dropping rules have met, by direction."""
        return {"dropped": counted(node, present(node, record), record.id)}


def check(plan: dict[str, Any]) -> None:
    """Raise InjectorError for a plan that would drop nothing."""
    if not any(plan["drop"].get(way) for way in HOOKS) or set(plan["drop"]) - set(HOOKS):
        raise InjectorError(f"nothing is to be dropped: {plan['drop']}")


def network(node: Node, record: Record) -> tuple[int, int]:
    """Return a process in the network that the plan names, and the network's inode. Raises Missing."""
    pod = record.plan.get("pod")
    return (os.getpid(), node.network_of(os.getpid())) if pod is None else Cgroups(node).network(pod)


def present(node: Node, record: Record) -> int:
    """Return a process of the network that the fault was planned for. Raises Missing when it is gone."""
    pid = node.networks().get(record.facts["network"])
    if pid is None:
        raise Missing(f"{record.about}: the pod and its network are gone")
    return pid


def rules(identity: str, plan: dict[str, Any]) -> list[list[str]]:
    """Return the arguments of each iptables call that the plan needs, in order."""
    calls: list[list[str]] = []
    jumps: list[list[str]] = []
    for way, hook in HOOKS.items():
        matches = plan["drop"].get(way)
        if not matches:
            continue
        chain, peer, device = f"{TAG}{identity}-{way}", "-s" if way == "in" else "-d", "-i" if way == "in" else "-o"
        calls.append(["-N", chain])
        calls += [["-A", chain, peer, address, "-j", "RETURN"] for address in plan.get("spare", ())]
        calls += [["-A", chain, *match, "-j", "DROP"] for match in matches]
        jumps.append(["-I", hook, "!", device, "lo", *comment(identity), "-j", chain])
    return calls + jumps


def comment(identity: str) -> list[str]:
    """Return the words that mark a rule as the fault's."""
    return ["-m", "comment", "--comment", f"{TAG}{identity}"]


def iptables(node: Node, pid: int, words: Sequence[str]) -> str:
    """Run iptables in the network of a process. Raises CommandFailed."""
    return run(node.in_network(pid, ["iptables", "-w", LOCK_S, *words]))


def tagged(node: Node, pid: int, identity: str = "") -> list[str]:
    """Return the rules and chains of one fault, or of any, that a network has, as iptables-save writes them."""
    saved = run(node.in_network(pid, ["iptables-save"]))
    mark = re.compile(rf"{TAG}{identity or '[0-9a-z]+'}\b")
    return [line for line in saved.splitlines() if line.startswith(("-A", ":")) and mark.search(line)]


def delete_tagged(node: Node, pid: int, identity: str = "") -> list[str]:
    """Delete the rules and chains of one fault, or of any, and return them: first jumps, then what they lead to."""
    found = tagged(node, pid, identity)
    for words in deletions(found):
        iptables(node, pid, words)
    return found


def deletions(saved: Iterable[str]) -> list[list[str]]:
    """Return the arguments of the calls that delete what was found."""
    lines = list(saved)
    chains = [line[1:].split()[0] for line in lines if line.startswith(":")]
    inside = tuple(f"-A {chain} " for chain in chains)
    jumps = [line for line in lines if line.startswith("-A") and not line.startswith(inside or ("\0",))]
    calls = [["-D", *_words(line)[1:]] for line in jumps]
    for chain in chains:
        calls += [["-F", chain], ["-X", chain]]
    return calls


def counted(node: Node, pid: int, identity: str) -> dict[str, int]:
    """Return how many packets were dropped by a fault's chains, by direction."""
    saved = run(node.in_network(pid, ["iptables-save", "-c"]))
    met = dict.fromkeys(HOOKS, 0)
    for line in saved.splitlines():
        found = COUNTED.match(line)
        if found and found[2].startswith(f"{TAG}{identity}-") and found[3].endswith("-j DROP"):
            met[found[2].rpartition("-")[2]] += int(found[1])
    return met


def _words(rule: str) -> list[str]:
    return [word.strip('"') for word in rule.split()]
