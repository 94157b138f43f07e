"""The outcome table: whatever a client meets is ok, fail or info, and certain only where it is certain."""

from __future__ import annotations

import asyncio

import hiredis
import pytest
from redis import exceptions as redis_errors
from redis._parsers.base import BaseParser

from harness.history import records
from witness import outcomes
from witness.outcomes import after_sending, before_sending


def reply(line: str) -> BaseException:
    """An error reply as redis-py's own parser makes it, which is what the witness meets."""
    error = BaseParser.parse_error(line)
    assert isinstance(error, BaseException)
    return error


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("READONLY You can't write against a read only replica.", "readonly"),
        ("LOADING Redis is loading the dataset in memory", "loading"),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "masterdown"),
        ("NOREPLICAS Not enough good replicas to write.", "noreplicas"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "misconf"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "oom"),
        ("NOAUTH Authentication required.", "noauth"),
        ("NOPERM this user has no permissions to run the 'hset' command", "noperm"),
        ("BUSY Redis is busy running a script.", "busy"),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", "wrongtype"),
        ("ERR value is not an integer or out of range", "err"),
    ],
)
def test_refusal_by_the_server_is_a_fail(line: str, error: str) -> None:
    """An error reply says that the command was not applied; LOADING and NOAUTH too, though redis-py says connection."""
    assert after_sending(reply(line)) == ("f", error)
    assert before_sending(reply(line)) == ("f", error)


@pytest.mark.parametrize(
    ("error", "label"),
    [
        (redis_errors.TimeoutError("Timeout reading from socket"), "timeout"),
        (TimeoutError(), "timeout"),
        (redis_errors.ConnectionError("Connection closed by server."), "reset"),
        (ConnectionResetError(104, "Connection reset by peer"), "reset"),
        (BrokenPipeError(32, "Broken pipe"), "reset"),
        (asyncio.IncompleteReadError(b"", 1), "reset"),
        (OSError(113, "No route to host"), "unreachable"),
        (redis_errors.InvalidResponse("Protocol error"), "protocol"),
    ],
)
def test_silence_after_sending_is_info(error: BaseException, label: str) -> None:
    """No reply after the command went out: it may have been applied, so the op's outcome is unknown."""
    assert after_sending(error) == ("i", label)
    assert before_sending(error) == ("f", label)


def test_unknown_reply_is_info() -> None:
    """A reply that the table does not know is not certain to mean a refusal."""
    assert after_sending(reply("UNHEARDOF of in any release")) == ("i", "unheardof")


def test_refused_connection_is_recognised_however_wrapped() -> None:
    """redis-py wraps the operating system's refusal; it is still called refused."""
    wrapped = redis_errors.ConnectionError("Error 111 connecting to 127.0.0.1:1. Connect call failed")
    wrapped.__cause__ = ConnectionRefusedError(111, "Connection refused")

    assert before_sending(wrapped) == ("f", "refused")
    assert before_sending(ConnectionRefusedError(111, "Connection refused")) == ("f", "refused")


def test_codes_are_those_of_the_history() -> None:
    """Witness and harness are separate programs with one vocabulary."""
    assert (outcomes.OK, outcomes.FAIL, outcomes.INFO) == (records.OK, records.FAIL, records.INFO)
    assert outcomes.TOO_FEW_REPLICAS.code == records.INFO


def test_client_has_a_fast_parser() -> None:
    """The witness's rate was measured with hiredis; without it redis-py falls back silently."""
    assert hiredis.Reader is not None
