"""The dead man's timer: heals one fault when nobody else has by its deadline, whatever became of the runner.

It leaves the session and the cgroups of the injector's pod, so that it outlives both, and runs what it has in memory:
the pod's files may be gone by then.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from injector.cgroups import Cgroups
from injector.errors import InjectorError, Missing
from injector.node import Node, Process

#: A heal that fails (say, because a process is just starting) is tried again this often, for this long.
AGAIN_S = 1.0
TRIES = 60


def arm(node: Node, seconds: float, heal: Callable[[], object]) -> Process:
    """Start a timer that calls `heal` after `seconds`; return its process. Raises Missing if it cannot outlive us."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _detach(node, writer, seconds, heal)
    os.close(writer)
    with os.fdopen(reader) as told:
        said = told.read()
    os.waitpid(child, 0)
    if not said.isdigit():
        raise Missing(said or "the timer ended before it was armed")
    return node.process(int(said))


def disarm(node: Node, timer: Process | None) -> None:
    """End a timer; harmless when it is over."""
    if timer is not None and timer.pid != os.getpid() and node.is_alive(timer):
        os.kill(timer.pid, 9)


def _detach(node: Node, writer: int, seconds: float, heal: Callable[[], object]) -> None:
    """Become the timer. Never returns."""
    try:
        os.setsid()
        if os.fork():  # the second fork gives it to process 1 for good
            os._exit(0)
        Cgroups(node).leave(os.getpid())
        _close_all_but(writer)
        os.write(writer, str(os.getpid()).encode())
    except (OSError, InjectorError) as error:
        os.write(writer, f"the timer cannot be armed: {error}".encode())
        os._exit(1)
    os.close(writer)
    time.sleep(seconds)
    for _ in range(TRIES):
        try:
            heal()
        except (OSError, InjectorError):
            time.sleep(AGAIN_S)
        else:
            os._exit(0)
    os._exit(1)


def _close_all_but(kept: int) -> None:
    # The lock of the caller must not be held for as long as the timer runs, nor its outputs.
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for entry in list(Path("/proc/self/fd").iterdir()):
        number = int(entry.name)
        if number > 2 and number != kept:
            try:
                os.close(number)
            except OSError:
                continue
