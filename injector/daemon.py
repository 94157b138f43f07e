"""Programs of a fault that run beside it in a pod's network, outside of any pod's cgroups."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from injector.cgroups import Cgroups
from injector.errors import CommandFailed
from injector.node import Node, Process, until

#: Where `python3 -m injector` finds the program.
PROGRAM = Path(__file__).resolve().parents[1]
READY = "ready"
READY_S = 8.0


def started(node: Node, network: int, argv: Sequence[str], *, tag: str) -> Process:
    """Start a program in the network of a process; return it once it has said that it is ready.

    Its arguments hold the fault's id, by which a sweep finds it. Raises CommandFailed with its own words.
    """
    if tag not in argv:
        raise CommandFailed(f"a program without its fault's id would never be found again: {argv}")
    child = subprocess.Popen(
        node.in_network(network, argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=PROGRAM,
    )
    try:
        Cgroups(node).leave(child.pid)
        _await_ready(child)
        return node.process(child.pid)
    except BaseException:
        child.kill()
        raise


def _await_ready(child: subprocess.Popen[str]) -> None:
    if child.stdout is None or child.stderr is None:
        raise CommandFailed("a program without outputs cannot say that it is ready")
    readable, _, _ = select.select([child.stdout], [], [], READY_S)
    said = child.stdout.readline().strip() if readable else f"it was not ready after {READY_S:.0f} s"
    if said != READY:
        child.kill()
        raise CommandFailed(child.stderr.read().strip() or said)


def stopped(node: Node, daemon: Process | None, *, tag: str) -> None:
    """End a program, and any other of the same fault; harmless when it is over."""
    pids = {pid for pid in node.pids() if is_ours(node.command_line(pid), tag)}
    if daemon is not None and node.is_alive(daemon):
        pids.add(daemon.pid)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    if daemon is not None:
        until(lambda: not node.is_alive(daemon))


def is_ours(command_line: Sequence[str], tag: str = "") -> bool:
    """Whether the arguments are those of a program that a fault started; of this fault, if one is named."""
    if not any(word.startswith("injector.") for word in command_line) or "--fault" not in command_line:
        return False
    return not tag or tag in command_line
