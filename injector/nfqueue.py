"""Answers the kernel's question on each queued packet: when it may pass, or that it is lost.

Speaks nfnetlink_queue over a plain netlink socket: linux/netfilter/nfnetlink.h and nfnetlink_queue.h have the layout,
libnetfilter_queue's documentation the order of the requests. Packets do not overtake each other, as on a wire.
"""

from __future__ import annotations

import argparse
import errno
import json
import random
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

NETLINK_NETFILTER = 12
SO_RCVBUFFORCE = 33
RECEIVE_BUFFER = 8 << 20

# nlmsghdr and nfgenmsg; message types are the subsystem's number and the message's own.
HEADER = struct.Struct("=IHHII")
ADDRESSED = struct.Struct("!BBH")
ATTRIBUTE = struct.Struct("=HH")
SUBSYSTEM = 3 << 8
PACKET, VERDICT, CONFIG = SUBSYSTEM | 0, SUBSYSTEM | 1, SUBSYSTEM | 2
NLMSG_ERROR = 2
REQUEST, REQUEST_WITH_ANSWER = 1, 5
KIND_OF_ATTRIBUTE = 0x3FFF  # the two highest bits are flags

# Attributes of a configuration, of a packet and of a verdict.
COMMAND, COPYING, LONGEST, MASK, FLAGS = 1, 2, 3, 4, 5
BIND = 1
COPY_META = 1
PASS_WHEN_FULL, UNSEGMENTED = 1, 4
PACKET_HEADER, VERDICT_HEADER = 1, 2
DROP, ACCEPT = 0, 1
QUEUE_LENGTH = 65535

#: How often what was counted is written for others to read (seconds).
TOLD_EVERY_S = 0.5


def attribute(kind: int, data: bytes) -> bytes:
    """Return one attribute, padded to four bytes."""
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(data), kind) + data + bytes(-len(data) % 4)


def message(kind: int, queue: int, body: bytes, flags: int = REQUEST) -> bytes:
    """Return one request about a queue."""
    rest = ADDRESSED.pack(socket.AF_UNSPEC, 0, queue) + body
    return HEADER.pack(HEADER.size + len(rest), kind, flags, 0, 0) + rest


def configuration(queue: int) -> list[bytes]:
    """Return the requests that bind a queue: metadata is enough, and packets pass when nobody keeps up."""
    bodies = [
        attribute(COMMAND, struct.pack("!BxH", BIND, socket.AF_INET)),
        attribute(COPYING, struct.pack("!IB", 0, COPY_META)),
        attribute(LONGEST, struct.pack("!I", QUEUE_LENGTH)),
        attribute(FLAGS, struct.pack("!I", PASS_WHEN_FULL | UNSEGMENTED))
        + attribute(MASK, struct.pack("!I", PASS_WHEN_FULL | UNSEGMENTED)),
    ]
    return [message(CONFIG, queue, body, REQUEST_WITH_ANSWER) for body in bodies]


def verdict(queue: int, packet: int, decision: int) -> bytes:
    """Return the answer on one packet."""
    return message(VERDICT, queue, attribute(VERDICT_HEADER, struct.pack("!II", decision, packet)))


def packets(data: bytes) -> Iterator[int]:
    """Yield the id of every packet that a datagram from the kernel asks about."""
    for kind, body in _messages(data):
        if kind == PACKET:
            for name, content in _attributes(body[ADDRESSED.size :]):
                if name == PACKET_HEADER:
                    yield struct.unpack_from("!I", content)[0]


def error_of(data: bytes) -> int:
    """Return the errno of an acknowledgement; 0 is success."""
    for kind, body in _messages(data):
        if kind == NLMSG_ERROR:
            return -int(struct.unpack_from("=i", body)[0])
    return 0


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + HEADER.size <= len(data):
        length, kind, _, _, _ = HEADER.unpack_from(data, at)
        if length < HEADER.size:
            return
        yield kind, data[at + HEADER.size : at + length]
        at += (length + 3) & ~3


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + ATTRIBUTE.size <= len(data):
        length, kind = ATTRIBUTE.unpack_from(data, at)
        if length < ATTRIBUTE.size:
            return
        yield kind & KIND_OF_ATTRIBUTE, data[at + ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3


@dataclass(slots=True)
class Line:
    """A bad line: when each packet gets through it. Delays and times in seconds."""

    delay: float
    jitter: float
    loss: float
    random: random.Random = field(default_factory=random.Random)
    waiting: deque[tuple[float, int, int]] = field(default_factory=deque)
    met: int = 0
    lost: int = 0
    last: float = 0.0

    def take(self, packet: int, now: float) -> None:
        """Accept a packet for later."""
        self.met += 1
        decision = DROP if self.random.random() < self.loss else ACCEPT
        self.lost += decision == DROP
        due = now + max(0.0, self.delay + self.random.uniform(-self.jitter, self.jitter))
        self.last = max(self.last, due)
        self.waiting.append((self.last, packet, decision))

    def due(self, now: float) -> Iterator[tuple[int, int]]:
        """Yield each packet whose time has come, with the decision on it."""
        while self.waiting and self.waiting[0][0] <= now:
            _, packet, decision = self.waiting.popleft()
            yield packet, decision

    def pause(self, now: float, longest: float) -> float:
        """Return how long nothing is due."""
        return max(0.0, min(longest, self.waiting[0][0] - now)) if self.waiting else longest


def bound(queue: int) -> socket.socket:
    """Return a socket to which the kernel sends the packets of a queue. Raises OSError."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    kernel.bind((0, 0))
    kernel.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    for request in configuration(queue):
        kernel.send(request)
        refused = error_of(kernel.recv(4096))
        if refused:
            raise OSError(refused, f"queue {queue} cannot be bound: {errno.errorcode.get(refused, refused)}")
    kernel.setblocking(False)
    return kernel


def serve(kernel: socket.socket, queue: int, line: Line, seconds: float, status: Path) -> None:
    """Answer for so many seconds, then let everything pass."""
    end = time.monotonic() + seconds
    told = 0.0
    while (now := time.monotonic()) < end:
        if now - told > TOLD_EVERY_S:
            told = now
            _tell(status, line)
        if select.select([kernel], [], [], line.pause(now, min(TOLD_EVERY_S, end - now)))[0]:
            for packet in _arrived(kernel):
                line.take(packet, time.monotonic())
        for packet, decision in line.due(time.monotonic()):
            kernel.send(verdict(queue, packet, decision))
    for _, packet, _ in line.waiting:
        kernel.send(verdict(queue, packet, ACCEPT))


def _arrived(kernel: socket.socket) -> Iterator[int]:
    while True:
        try:
            data = kernel.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # some notices were dropped; those packets passed, as asked for
                raise
            continue
        yield from packets(data)


def _tell(status: Path, line: Line) -> None:
    fresh = status.with_suffix(".fresh")
    try:
        fresh.write_text(json.dumps({"met": line.met, "lost": line.lost}))
        fresh.replace(status)
    except FileNotFoundError:
        return  # the fault was healed and forgotten this very moment


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python3 -m injector.nfqueue", description=__doc__)
    parser.add_argument("--fault", required=True, help="the fault's id, to be found by")
    parser.add_argument("--queue", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, required=True)
    parser.add_argument("--jitter-ms", type=float, required=True)
    parser.add_argument("--loss", type=float, required=True, help="share of the packets, 0 to 1")
    parser.add_argument("--seconds", type=float, required=True, help="how long it lives")
    parser.add_argument("--status", type=Path, required=True)
    given = parser.parse_args()
    kernel = bound(given.queue)
    print("ready", flush=True)
    line = Line(given.delay_ms / 1000, given.jitter_ms / 1000, given.loss)
    serve(kernel, given.queue, line, given.seconds, given.status)


if __name__ == "__main__":
    main()
