"""The one table that turns what a client met into ok, fail or info.

``o`` ok: acknowledged. ``f`` fail: certainly not applied, either never sent or refused by the server. ``i`` info: may
or may not have been applied. Whatever is not certain is info: a wrong *fail* would hide a write that came true later, a
wrong *ok* would invent a loss.
"""

from __future__ import annotations

import asyncio
import socket
from typing import NamedTuple

from redis import exceptions as redis_errors

OK = "o"
FAIL = "f"
INFO = "i"


class Outcome(NamedTuple):
    """How an op ended: its code and the class of error (empty when ok)."""

    code: str
    error: str


ACKNOWLEDGED = Outcome(OK, "")
ACKNOWLEDGED_AGAIN = Outcome(OK, "again")  # and its field was there already: applied twice
NO_PRIMARY = Outcome(FAIL, "no-primary")  # the Sentinels name nobody
NOT_PRIMARY = Outcome(FAIL, "not-primary")  # whom they name says replica
MOVED_BEFORE_SENDING = Outcome(FAIL, "primary-moved")
MOVED_AFTER_SENDING = Outcome(INFO, "primary-moved")
STOPPED_AFTER_SENDING = Outcome(INFO, "stopped")
TOO_FEW_REPLICAS = Outcome(INFO, "too-few-replicas")  # applied, but not at the durability asked for

#: Replies that refuse a command, so that it is certainly not applied. The code is the reply's first word.
REFUSALS = frozenset(
    {
        "BUSY", "CLUSTERDOWN", "ERR", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH", "NOGOODSLAVE", "NOPERM",
        "NOREPLICAS", "OOM", "READONLY", "TRYAGAIN", "WRONGPASS", "WRONGTYPE",
    }
)  # fmt: skip

#: What can happen without a reply, most specific first. Each class of redis-py's stands before its base.
_SILENCES: tuple[tuple[type[BaseException], str], ...] = (
    (redis_errors.TimeoutError, "timeout"),
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (ConnectionResetError, "reset"),
    (BrokenPipeError, "reset"),
    (asyncio.IncompleteReadError, "reset"),
    (redis_errors.ConnectionError, "reset"),
    (socket.gaierror, "unresolved"),
    (OSError, "unreachable"),
    (redis_errors.RedisError, "protocol"),
)

#: Everything that talking to an instance may raise; anything else is a bug of the witness and must not be swallowed.
CLIENT_ERRORS = (redis_errors.RedisError, OSError, TimeoutError, asyncio.IncompleteReadError)


def reply_code(error: BaseException) -> str | None:
    """The first word of an error *reply* (READONLY, LOADING...), or None if `error` is not a reply of the server.

    redis-py makes a LOADING or NOAUTH reply a subclass of its ConnectionError, so the class alone does not tell a
    refusal from a broken connection; `status_code` (set by its reply parser only) does.
    """
    code = getattr(error, "status_code", None)
    if code:
        return str(code)
    if isinstance(error, redis_errors.ResponseError):
        first = str(error).split(" ", 1)[0]
        return first if first.isupper() else "ERR"
    return None


def before_sending(error: BaseException) -> Outcome:
    """The outcome of an op whose command was never sent: a fail, whatever went wrong."""
    code = reply_code(error)
    return Outcome(FAIL, code.lower() if code else silence(error))


def after_sending(error: BaseException) -> Outcome:
    """The outcome of an op whose command may have reached the server."""
    code = reply_code(error)
    if code is None:
        return Outcome(INFO, silence(error))
    return Outcome(FAIL if code in REFUSALS else INFO, code.lower())


def silence(error: BaseException) -> str:
    """The class of an error that is no reply: timeout, refused, reset, unreachable..."""
    cause: BaseException | None = error
    while cause is not None:  # redis-py wraps the operating system's error and keeps it as the cause or the context
        if isinstance(cause, ConnectionRefusedError):
            return "refused"
        cause = cause.__cause__ or cause.__context__
    if "Connect call failed" in str(error) or "Error 111" in str(error):
        return "refused"
    return next((label for kind, label in _SILENCES if isinstance(error, kind)), "unknown")
