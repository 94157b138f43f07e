"""Packets held back by our own answer to the kernel: the messages, the line, and two real networks."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from injector import faults, nfqueue
from injector.errors import InjectorError
from injector.nfqueue import ACCEPT, DROP, Line
from tests.unit.injector.conftest import MadeUp, soon
from tests.unit.injector.test_filtered import pod, saved

Start = Callable[[str, list[str]], "subprocess.Popen[str]"]

__all__ = ["pod"]


def question(packet: int, extra: bytes = b"") -> bytes:
    """A message as the kernel sends it: the packet's header among other attributes."""
    header = nfqueue.attribute(nfqueue.PACKET_HEADER, struct.pack("!IHB", packet, 0x0800, 3))
    return nfqueue.message(nfqueue.PACKET, 7, extra + header)


def test_every_packet_of_a_datagram_is_found() -> None:
    """Several messages may come at once, with attributes of any length before the one that counts."""
    odd = nfqueue.attribute(3, b"abcde")

    assert list(nfqueue.packets(question(1) + question(2, odd) + question(3))) == [1, 2, 3]


@pytest.mark.parametrize("data", [b"", b"\0" * 16, question(1)[:10]])
def test_half_a_message_is_no_packet(data: bytes) -> None:
    """Nor an endless loop."""
    assert list(nfqueue.packets(data)) == []


def test_a_verdict_is_laid_out_as_the_kernel_reads_it() -> None:
    """nlmsghdr, nfgenmsg with the queue's number in network order, one attribute with verdict and id."""
    sent = nfqueue.verdict(7, 9, ACCEPT)

    assert len(sent) == 16 + 4 + 12
    assert struct.unpack("=IHHII", sent[:16]) == (32, 0x0301, 1, 0, 0)
    assert sent[18:20] == b"\0\x07"
    assert struct.unpack("=HH", sent[20:24]) == (12, 2)
    assert struct.unpack("!II", sent[24:]) == (1, 9)


def test_an_acknowledgement_says_what_was_wrong() -> None:
    """Negative errno in the kernel's message."""
    refusal = struct.pack("=IHHII", 36, nfqueue.NLMSG_ERROR, 0, 0, 0) + struct.pack("=i", -16) + bytes(16)

    assert nfqueue.error_of(refusal) == 16
    assert nfqueue.error_of(refusal.replace(struct.pack("=i", -16), bytes(4))) == 0


def test_packets_come_through_late_and_in_order() -> None:
    """Jitter never lets one overtake another."""
    line = Line(delay=0.1, jitter=0.09, loss=0.0, random=random.Random(1))
    for packet in range(50):
        line.take(packet, now=packet / 1000)

    assert list(line.due(0.0)) == []
    through = list(line.due(10.0))
    assert through == [(packet, ACCEPT) for packet in range(50)]
    assert line.met == 50


def test_nothing_is_due_before_its_time() -> None:
    """The pause is what is left, or as long as asked for when nothing waits."""
    line = Line(delay=0.1, jitter=0.0, loss=0.0)
    assert line.pause(0.0, 0.5) == 0.5
    line.take(1, now=5.0)

    assert line.pause(5.0, 0.5) == pytest.approx(0.1)
    assert line.pause(6.0, 0.5) == 0.0
    assert list(line.due(5.05)) == []
    assert list(line.due(5.11)) == [(1, ACCEPT)]


def test_the_share_that_was_asked_for_is_lost() -> None:
    """About three in ten, counted."""
    line = Line(delay=0.0, jitter=0.0, loss=0.3, random=random.Random(7))
    for packet in range(2000):
        line.take(packet, now=0.0)

    lost = [decision for _, decision in line.due(1.0) if decision == DROP]
    assert line.lost == len(lost)
    assert 500 < line.lost < 700


def round_trip(network: str) -> float:
    """Seconds that an answer takes on a connection that is there already."""
    asks = (
        "import socket, time; s = socket.create_connection(('10.99.0.2', 6379), 5); s.sendall(b'x'); s.recv(9); "
        "t = time.monotonic(); s.sendall(b'x'); s.recv(9); print(time.monotonic() - t)"
    )
    argv = ["nsenter", f"--net=/run/netns/{network}", "--", sys.executable, "-c", asks]
    return float(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=20).stdout)


def test_a_pod_answers_late_and_then_quickly_again(pod: MadeUp, networks: tuple[str, str]) -> None:
    """100 ms each way out of the pod, and nothing of it afterwards."""
    assert round_trip(networks[0]) < 0.09
    plan = pod.plan("queued", delay_ms=100, jitter_ms=0, loss=0)

    faults.inject(pod.node, plan)

    assert round_trip(networks[0]) >= 0.1
    assert soon(lambda: faults.look(pod.node, plan["id"])["met"] > 0)
    faults.heal(pod.node, plan["id"])
    assert round_trip(networks[0]) < 0.09
    assert "chaos" not in saved(networks[1])


def test_packets_pass_when_the_program_has_ended(pod: MadeUp, networks: tuple[str, str]) -> None:
    """The rule alone does nothing: the fault cannot outlive its program, whose life is the timer's."""
    plan = pod.plan("queued", delay_ms=100, jitter_ms=0, loss=0)
    faults.inject(pod.node, plan)
    record = faults.load(pod.node, plan["id"])
    assert record is not None

    subprocess.run(["kill", "-KILL", str(record.facts["daemon"]["pid"])], check=True)

    assert soon(lambda: round_trip(networks[0]) < 0.09)
    assert not faults.look(pod.node, plan["id"])["alive"]


def test_the_program_ends_with_its_time(pod: MadeUp, networks: tuple[str, str]) -> None:
    """And lets what it holds pass."""
    faults.inject(pod.node, pod.plan("queued", seconds=1.0, delay_ms=50, jitter_ms=0, loss=0))
    started = time.monotonic()

    assert soon(lambda: "chaos" not in saved(networks[1]))
    assert time.monotonic() - started < 5.0


def test_a_line_without_a_fault_is_none(made_up: MadeUp) -> None:
    """Neither delay nor loss: refused before anything is started."""
    with pytest.raises(InjectorError, match="neither a delay nor a loss"):
        faults.inject(made_up.node, made_up.plan("queued", delay_ms=0, jitter_ms=5, loss=0))
