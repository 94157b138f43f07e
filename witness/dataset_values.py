"""The deterministic data set of the survival drills: same seed and count, same keys and values, on any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

STRING, HASH, LIST, SET, ZSET = "string", "hash", "list", "set", "zset"
TYPES = (STRING, HASH, LIST, SET, ZSET)
#: String sizes in bytes: empty, embedded, raw, and larger than one network packet.
SIZES = (0, 1, 44, 45, 512, 4096, 16_384)
#: Every third key expires, but in a week: a time to live must survive a restart as well as the value.
TTL_S = 7 * 86400


@dataclass(frozen=True, slots=True)
class Item:
    """One key: its Redis type, its value in comparable form, and whether it has a time to live."""

    key: str
    kind: str
    value: Any
    expires: bool

    def write_commands(self) -> list[tuple[str | int | float, ...]]:
        """The commands that put it there, idempotent: whatever the key held before is gone."""
        key = self.key
        commands: list[tuple[str | int | float, ...]] = [("DEL", key)]
        match self.kind:
            case "string":
                commands = [("SET", key, self.value)]
            case "hash":
                commands.append(("HSET", key, *(part for pair in self.value.items() for part in pair)))
            case "list":
                commands.append(("RPUSH", key, *self.value))
            case "set":
                commands.append(("SADD", key, *self.value))
            case _:
                commands.append(("ZADD", key, *(part for member, score in self.value for part in (score, member))))
        if self.expires:
            commands.append(("EXPIRE", key, TTL_S))
        return commands

    def read_commands(self) -> list[tuple[str | int, ...]]:
        """The commands whose replies :meth:`difference` judges: the value, then the time to live."""
        match self.kind:
            case "string":
                read: tuple[str | int, ...] = ("GET", self.key)
            case "hash":
                read = ("HGETALL", self.key)
            case "list":
                read = ("LRANGE", self.key, 0, -1)
            case "set":
                read = ("SMEMBERS", self.key)
            case _:
                read = ("ZRANGE", self.key, 0, -1, "WITHSCORES")
        return [read, ("PTTL", self.key)]

    def difference(self, reply: Any, ttl_ms: Any) -> str | None:
        """None if the replies are what was written, ``missing``, or what differs, in a few words."""
        if ttl_ms == -2:
            return "missing"
        if isinstance(reply, Exception):
            return f"is not a {self.kind}: {reply}"[:100]
        found = self._comparable(reply)
        if found != self.value:
            return f"{self.kind} differs: {_shown(found)} instead of {_shown(self.value)}"
        if self.expires != (ttl_ms >= 0):
            return "lost its time to live" if self.expires else "got a time to live"
        return None

    def _comparable(self, reply: Any) -> Any:
        match self.kind:
            case "hash":
                return dict(zip(reply[::2], reply[1::2], strict=True))
            case "set":
                return sorted(reply)
            case "zset":
                return [(member, float(score)) for member, score in zip(reply[::2], reply[1::2], strict=True)]
            case _:
                return reply


def items(prefix: str, seed: int, count: int) -> Iterator[Item]:
    """The first `count` items of the data set `seed`, all below `prefix`."""
    for number in range(count):
        kind = TYPES[number % len(TYPES)]
        token = hashlib.blake2b(f"{seed}:{number}".encode(), digest_size=16).hexdigest()
        yield Item(f"{prefix}{number}", kind, _value(kind, token, number), expires=number % 3 == 0)


def _value(kind: str, token: str, number: int) -> Any:
    parts = 1 + int(token[:2], 16) % 8
    match kind:
        case "string":
            size = SIZES[number // len(TYPES) % len(SIZES)]
            return (token * (size // len(token) + 1))[:size]
        case "hash":
            return {f"f{part}": f"{token}.{part}" for part in range(parts)}
        case "list":
            return [f"{token}.{part}" for part in range(parts)]
        case "set":
            return sorted(f"{token}.{part}" for part in range(parts))
        case _:
            return [(f"{token}.{part}", float(part) + 0.5) for part in range(parts)]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}... ({len(text)} long)"
