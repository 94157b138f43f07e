"""A digest of all that one instance holds, equal for equal content on any instance.

It is made of values as clients read them, each in an order of its own (sets, hashes and sorted sets sorted, lists and
streams as they are), not of DUMP: that shows the encoding, which differs between instances with the same content. Keys
with a time to live are left out, for they go at different instants. Of a stream its entries count, not its consumers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from witness.links import Argument, Link

#: Beyond that it would take too long to read everything: then there is no digest.
MAX_KEYS = 200_000
SCAN_COUNT = 1000
#: Values read in one go.
BATCH = 200
UNKNOWN = ""

_READ: dict[bytes, tuple[bytes, ...]] = {
    b"string": (b"GET",),
    b"list": (b"LRANGE", b"0", b"-1"),
    b"set": (b"SMEMBERS",),
    b"hash": (b"HGETALL",),
    b"zset": (b"ZRANGE", b"0", b"-1", b"WITHSCORES"),
    b"stream": (b"XRANGE", b"-", b"+"),
}
_NO_EXPIRY = -1


class KeyspaceDigest:
    """Keys are added in any order, each once however often SCAN returns it. The link must not decode replies."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._sum = 0
        self._is_known = True

    @property
    def keys(self) -> int:
        """How many keys without a time to live there are."""
        return len(self._seen)

    @property
    def value(self) -> str:
        """32 hexadecimal digits; empty if a key was of a type that nobody can compare."""
        return f"{self._sum:032x}" if self._is_known else UNKNOWN

    def add(self, key: bytes, kind: bytes, reply: Any) -> None:
        """Add one key with its value as the command of its type returned it."""
        if key in self._seen:
            return
        self._seen.add(key)
        state = hashlib.blake2b(digest_size=16)
        _feed(state, [key, kind, *_canonical(kind, reply)])
        # Added up, so that no order matters; two keys never have the same digest, so nothing cancels out.
        self._sum = (self._sum + int.from_bytes(state.digest(), "big")) % (1 << 128)

    async def add_others(self, link: Link) -> None:
        """Add every key of database 0 that was not added yet. Raises what reading raises."""
        cursor: bytes = b"0"
        while True:
            cursor, page = await link.call("SCAN", cursor, "COUNT", SCAN_COUNT)
            new = sorted(set(page) - self._seen)
            for start in range(0, len(new), BATCH):
                await self._add_batch(link, new[start : start + BATCH])
            if cursor == b"0":
                return

    async def _add_batch(self, link: Link, keys: Sequence[bytes]) -> None:
        about = await _replies(link, [(command, key) for key in keys for command in (b"TYPE", b"PTTL")])
        lasting = [
            (key, kind) for key, kind, ttl in zip(keys, about[::2], about[1::2], strict=True) if ttl == _NO_EXPIRY
        ]
        if not all(kind in _READ for _, kind in lasting):
            self._is_known = False
        if not self._is_known:
            self._seen.update(key for key, _ in lasting)  # counted all the same
            return
        commands = [(_READ[kind][0], key, *_READ[kind][1:]) for key, kind in lasting]
        for (key, kind), reply in zip(lasting, await _replies(link, commands), strict=True):
            self.add(key, kind, reply)


async def _replies(link: Link, commands: Sequence[Sequence[Argument]]) -> list[Any]:
    replies = await link.calls(commands)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def _canonical(kind: bytes, reply: Any) -> Iterable[Any]:
    if kind == b"set":
        return sorted(reply)
    if kind == b"hash":
        return sorted(zip(reply[::2], reply[1::2], strict=True))
    if kind == b"zset":  # the score as a number: how it is written depends on the encoding
        return sorted((member, float(score).hex().encode()) for member, score in zip(*[iter(reply)] * 2, strict=True))
    return reply if isinstance(reply, list) else [reply]


def _feed(state: Any, parts: Iterable[Any]) -> None:
    """Each part with its length before it, so that no two values look alike; lists within lists as they are nested."""
    for part in parts:
        if isinstance(part, list | tuple):
            state.update(b"(%d" % len(part))
            _feed(state, part)
        else:
            text = part if isinstance(part, bytes) else repr(part).encode()
            state.update(b"%d:" % len(text))
            state.update(text)
