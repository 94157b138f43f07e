"""A pod's line is squeezed and its connections are cut, in two real networks."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from injector import faults
from injector.errors import InjectorError
from injector.sweep import sweep
from tests.unit.injector.conftest import MadeUp, soon
from tests.unit.injector.test_filtered import pod

Start = Callable[[str, list[str]], "subprocess.Popen[str]"]

__all__ = ["pod"]

# Holds a connection that is answered once, then says how it ended.
HOLDS = (
    "import socket; s = socket.create_connection(('10.99.0.2', 6379), 5); s.sendall(b'x'); s.recv(9)\n"
    "print('held', flush=True)\n"
    "try: print('closed' if not s.recv(9) else 'answered')\n"
    "except ConnectionResetError: print('reset')\n"
)


def seconds_for_an_answer(network: str, questions: int = 4000) -> float:
    """Ask for some 20 kB of answers and wait for all of them."""
    asks = (
        "import socket, time; s = socket.create_connection(('10.99.0.2', 6379), 5); t = time.monotonic(); n = 0\n"
        f"for _ in range({questions}):\n"
        "    s.sendall(b'x' * 64); n += len(s.recv(64))\n"
        "print(time.monotonic() - t)"
    )
    argv = ["nsenter", f"--net=/run/netns/{network}", "--", sys.executable, "-c", asks]
    return float(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_a_line_is_squeezed_and_wide_again(pod: MadeUp, networks: tuple[str, str]) -> None:
    """Hundreds of packets through 64 kbit/s take seconds; nothing of the bucket stays."""
    plan = pod.plan("squeezed", kbit=64)
    told = faults.inject(pod.node, plan)

    assert seconds_for_an_answer(networks[0], questions=200) > 0.8
    assert told["bucket"]["packets"] >= 0
    with pytest.raises(InjectorError, match="squeezed already"):
        faults.inject(pod.node, pod.plan("squeezed", kbit=64))

    faults.heal(pod.node, plan["id"])
    assert seconds_for_an_answer(networks[0], questions=200) < 0.8


def test_a_bucket_that_nobody_has_on_record_is_swept(pod: MadeUp) -> None:
    """It is known by its handle."""
    plan = pod.plan("squeezed", kbit=64)
    faults.inject(pod.node, plan)
    record = faults.load(pod.node, plan["id"])
    assert record is not None
    faults.timer.disarm(pod.node, record.timer)
    record.forget(pod.node)

    assert [line for line in sweep(pod.node) if line.startswith("stray bucket")]
    assert sweep(pod.node) == []


def test_established_connections_are_cut(pod: MadeUp, networks: tuple[str, str], inside: Start) -> None:
    """Whoever held one learns of it at once."""
    client = inside(networks[0], [sys.executable, "-c", HOLDS])
    assert client.stdout is not None
    assert client.stdout.readline().strip() == "held"
    started = time.monotonic()

    told = faults.inject(pod.node, pod.plan("cut", port=6379))

    assert told["cut"] >= 1
    assert client.stdout.readline().strip() in ("reset", "closed")
    assert time.monotonic() - started < 5


def test_where_nobody_is_connected_nothing_is_cut(pod: MadeUp) -> None:
    """It would be a fault that nobody feels."""

    def refused() -> str:
        try:
            faults.inject(pod.node, pod.plan("cut", port=6379))
        except InjectorError as error:
            return str(error)
        return ""

    assert "nothing would be cut" in soon(refused)
