"""What redis-cli prints, turned into values.

Several commands go through one `redis-cli --json` on standard input, because a call into a container costs 44 ms and a
command 0.1 ms. redis-cli prints INFO raw even with --json and errors as ``error:"…"`` (seen with 7.0.15), so each reply
is fenced by a PING with a message (a Sentinel has no ECHO).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from harness.errors import ObservationError

FENCE = "--- e2e fence ---"


class ErrorReply(str):
    """An error that the server answered with, for example ``NOAUTH Authentication required.``."""

    __slots__ = ()


def command_line(port: int, commands: Sequence[str], host: str = "127.0.0.1") -> list[str]:
    """Return the argument list that asks `commands` (in redis-cli's own quoting) and fences the replies."""
    script = (
        'for command in "$@"; do printf "%s\\n" "$command" \'PING "' + FENCE + "\"'; done"
        f" | redis-cli -2 --json -h {host} -p {port}"
    )
    return ["sh", "-c", script, "ask", *commands]


def parse(output: str, count: int) -> list[Any]:
    """Return `count` replies. Raises ObservationError when there are fewer: the connection broke in between."""
    blocks = output.split(f'"{FENCE}"')
    if len(blocks) <= count:
        last = blocks[-1].strip()
        raise ObservationError(f"{len(blocks) - 1} of {count} commands were answered; the last output was {last!r}")
    return [_value(block.strip()) for block in blocks[:count]]


def _value(text: str) -> Any:
    if text.startswith("error:"):
        return ErrorReply(json.loads(text.removeprefix("error:")))
    if text.startswith("(error)"):
        return ErrorReply(text.removeprefix("(error)").strip())
    try:
        return json.loads(text)
    except ValueError:
        return text


def pairs(flat: Any, asked: str) -> dict[str, str]:
    """Turn the flat list that CONFIG GET and SENTINEL MASTER answer (RESP2) into a dictionary."""
    if isinstance(flat, ErrorReply) or not isinstance(flat, list):
        raise ObservationError(f"{asked} was answered with {flat!r}")
    return {str(key): str(value) for key, value in zip(flat[::2], flat[1::2], strict=True)}


def info(text: Any, asked: str = "INFO") -> dict[str, str]:
    """Turn the text of INFO into a dictionary. Raises ObservationError for an error reply."""
    if isinstance(text, ErrorReply) or not isinstance(text, str) or ":" not in text:
        raise ObservationError(f"{asked} was answered with {text!r}")
    lines = (line.strip() for line in text.splitlines())
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
