"""What an observer and a lookup say of what they meet."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from injector.lookup import HEADER, ask, question, verdict
from injector.probe import Probe


@contextmanager
def server(*, silent: bool = False, port: int = 0) -> Iterator[socket.socket]:
    """A server on loopback that answers whatever it is asked, or nothing."""
    listening = socket.create_server(("127.0.0.1", port))
    connections: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        try:
            while data := connection.recv(65536):
                if not silent:
                    connection.sendall(b"+" + data)
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening
    finally:
        listening.shutdown(socket.SHUT_RDWR)  # close alone would leave the blocked accept() accepting
        listening.close()
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()


def probe(listening: socket.socket, size: int = 0) -> Probe:
    made = Probe(("127.0.0.1", listening.getsockname()[1]), patience=0.2, size=size)
    made.connect()
    return made


def test_an_instance_that_answers_is_heard_on_both_ways() -> None:
    """With how long it took."""
    with server() as listening:
        seen = probe(listening)
        seen.round()

    assert (seen.held.outcome, seen.new.outcome) == ("ok", "ok")
    assert seen.new.milliseconds[0] < 200
    assert seen.losses == 0


def test_an_instance_that_accepts_and_is_silent_is_not_heard() -> None:
    """A stopped process: the kernel still accepts for it. The held connection is kept for a late answer."""
    with server(silent=True) as listening:
        seen = probe(listening)
        started = time.monotonic()
        seen.round()

    assert (seen.held.outcome, seen.new.outcome) == ("timeout", "timeout")
    assert time.monotonic() - started < 5
    assert seen.losses == 0


def test_an_instance_that_is_gone_refuses_and_its_connections_are_reset() -> None:
    """The two ways differ, and the loss of the held one is counted."""
    with server() as listening:
        seen = probe(listening)
        seen.round()
    seen.round()

    assert seen.held.outcome == "reset"
    assert seen.new.outcome == "refused"
    assert seen.losses == 1


def test_a_large_answer_is_awaited_whole() -> None:
    """A squeezed line is felt by what comes last."""
    with server() as listening:
        seen = probe(listening, size=200_000)
        seen.round()

    assert seen.told()["new"] == seen.new.told()
    assert (seen.held.outcome, seen.new.outcome) == ("ok", "ok")


def answered(identity: int, flags: int) -> bytes:
    return HEADER.pack(identity, flags, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (answered(7, 0x8180), "answered"),
        (answered(7, 0x8183), "answered"),
        (answered(7, 0x8182), "failed with code 2"),
        (answered(8, 0x8180), ""),
        (b"", ""),
    ],
    ids=["found", "no such name is an answer", "server failure", "somebody else's", "nothing"],
)
def test_what_a_name_server_said(data: bytes, said: str) -> None:
    """By the code in its header; what is not an answer to this question is none."""
    assert verdict(7, data) == said


def test_a_question_is_laid_out_as_the_standard_says() -> None:
    """One name, type A, class IN, recursion wanted."""
    assert question(1, "a.bc.") == bytes.fromhex("0001010000010000000000000161026263000001 0001".replace(" ", ""))


def test_a_name_server_that_is_not_there_is_told_from_one_that_is_silent() -> None:
    """Refused at once, or nothing in time."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        assert ask("127.0.0.1", "a.b", 0.1, port)[0] == "timeout"

    assert ask("127.0.0.1", "a.b", 0.5, port)[0].startswith("refused")
