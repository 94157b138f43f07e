"""Everything of ours on this node, found and undone: what is on record, and what is not any more."""

from __future__ import annotations

import os
import signal

from injector import faults, squeezed
from injector.daemon import is_ours
from injector.errors import InjectorError, StillBroken
from injector.filtered import delete_tagged
from injector.node import Node
from injector.records import everything, locked


def sweep(node: Node) -> list[str]:
    """Heal every fault and remove every stray; return a line for each. Raises StillBroken when something is left."""
    troubles: list[str] = []
    try:
        lines = faults.heal_all(node)
    except StillBroken as error:
        lines, troubles = [], [str(error)]
    with locked(node):
        # What a record knows and could not undo is not stray.
        known = {record.id for record in everything(node)}
        lines += _programs(node, known)
        for network, pid in node.networks().items() if not known else ():
            try:
                lines += _network(node, pid)
            except InjectorError as error:
                if network in node.networks():  # else it ended while it was looked at
                    troubles.append(str(error))
    if troubles:
        raise StillBroken("; ".join([*lines, *troubles]))
    return lines


def _network(node: Node, pid: int) -> list[str]:
    whose = " ".join(node.command_line(pid))[:60] or f"process {pid}"
    lines = [f"stray rule in the network of {whose}: {rule}" for rule in delete_tagged(node, pid)]
    if squeezed.remove(node, pid):
        lines.append(f"stray bucket in the network of {whose}: removed")
    return lines


def _programs(node: Node, known: set[str]) -> list[str]:
    lines = []
    for pid in list(node.pids()):
        words = node.command_line(pid)
        if is_ours(words) and not known & set(words):
            os.kill(pid, signal.SIGKILL)
            lines.append(f"stray program: {' '.join(words[1:5])}: ended")
    return lines
