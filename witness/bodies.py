"""What may be asked of the witness: request bodies, validated once at the door.

Every rule broken ends in :class:`BadRequest` with one line that names the field; nothing behind the door checks again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

#: Everything that the witness writes or deletes is below this prefix: it can never touch somebody's own keys.
KEY_ROOT = "e2e:"

MAX_CONNECTIONS = 256
MAX_RATE = 1_000_000
#: The target of clients that follow the Sentinels.
SENTINEL = "sentinel"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class BadRequest(ValueError):
    """The request's body breaks a rule; the message is the one line that says which."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where an instance listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The instances under test: Redis seats and Sentinels by name, and how to log in."""

    seats: Mapping[str, Address]
    sentinels: Mapping[str, Address]
    master_name: str
    password: str | None
    sentinel_password: str | None

    def name_of(self, address: Address) -> str | None:
        """The seat that listens at `address`, if it is one of ours."""
        return next((name for name, known in self.seats.items() if known == address), None)


@dataclass(frozen=True, slots=True)
class WriterGroup:
    """Writers of one kind: `connections` of them share `rate` writes per second (0 = as fast as they can).

    `target` is ``sentinel`` (ask the Sentinels at every reconnect), a seat's or a Service's name, or ``host:port``.
    With `wait_replicas` > 0 each write is followed by ``WAIT`` and counts as acknowledged only if enough replicas did.
    """

    name: str
    target: str
    connections: int
    rate: float
    wait_replicas: int
    wait_timeout_s: float


@dataclass(frozen=True, slots=True)
class ReaderGroup:
    """Readers of one kind: `connections` of them share `rate` reads per second; `target` as for writers."""

    name: str
    target: str
    connections: int
    rate: float


@dataclass(frozen=True, slots=True)
class WorkloadSpec:
    """One workload; durations in seconds, sizes in bytes. `services`: Kubernetes Services to be watched, by name."""

    name: str
    deployment: Deployment
    writers: tuple[WriterGroup, ...]
    readers: tuple[ReaderGroup, ...]
    services: Mapping[str, Address]
    timeout_s: float
    reconnect_s: float
    sample_s: float
    max_seconds: float
    max_journal_bytes: int

    def pinned(self, target: str) -> Address | None:
        """Where clients with this target connect to; None for those that follow the Sentinels."""
        if target == SENTINEL:
            return None
        return self.deployment.seats.get(target) or self.services.get(target) or address(target, "target")

    def described(self, target: str) -> str:
        """The target as a journal may show it: by name, for addresses are nobody's business there."""
        where = self.pinned(target)
        if where is None:
            return SENTINEL
        service = next((name for name, known in self.services.items() if known == where), None)
        return self.deployment.name_of(where) or service or "address"


_Group = TypeVar("_Group", WriterGroup, ReaderGroup)


class _Fields:
    """A JSON object being taken apart: every field is asked for by name and type, unknown ones are refused."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise BadRequest(f"{where}: expected a JSON object, got {_shown(value)}")
        self._left = dict(value)
        self._where = where

    def take(self, name: str, default: Any = ...) -> Any:
        if name in self._left:
            return self._left.pop(name)
        if default is ...:
            raise BadRequest(f"{self._where}: field {name!r} is missing")
        return default

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise BadRequest(f"{self._where}: {name!r} must be a number from {low:g} to {high:g}, got {_shown(value)}")
        return float(value)

    def whole(self, name: str, default: Any, low: int, high: int) -> int:
        value = self.take(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise BadRequest(
                f"{self._where}: {name!r} must be a whole number from {low} to {high}, got {_shown(value)}"
            )
        return value

    def text(self, name: str, default: Any = ...) -> str:
        value = self.take(name, default)
        if not isinstance(value, str) or not value:
            raise BadRequest(f"{self._where}: {name!r} must be a non-empty string, got {_shown(value)}")
        return value

    def secret(self, name: str) -> str | None:
        value = self.take(name, None)
        if value is not None and not isinstance(value, str):
            raise BadRequest(f"{self._where}: {name!r} must be a string or null")
        return value or None

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.take(name, default)
        if not isinstance(value, bool):
            raise BadRequest(f"{self._where}: {name!r} must be true or false, got {_shown(value)}")
        return value

    def done(self) -> None:
        if self._left:
            raise BadRequest(f"{self._where}: unknown field {min(self._left)!r}")


def decoded(body: bytes) -> Any:
    """The JSON value in `body`; an empty body is an empty object."""
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except ValueError as exc:
        raise BadRequest(f"body: not JSON: {exc}") from None


def fields(value: Any, where: str = "body") -> _Fields:
    """Start taking `value` apart."""
    return _Fields(value, where)


def address(text: Any, where: str) -> Address:
    """``host:port`` as an :class:`Address`."""
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadRequest(f"{where}: expected host:port, got {_shown(text)}")
    return Address(host, int(port))


def deployment(value: Any) -> Deployment:
    """The ``deployment`` object that every request carries."""
    given = fields(value, "deployment")
    parsed = Deployment(
        seats=_addresses(given.take("seats"), "deployment.seats"),
        sentinels=_addresses(given.take("sentinels"), "deployment.sentinels"),
        master_name=given.text("master_name", "mymaster"),
        password=given.secret("password"),
        sentinel_password=given.secret("sentinel_password"),
    )
    given.done()
    return parsed


def workload(value: Any) -> WorkloadSpec:
    """The body of ``POST /workloads``."""
    given = fields(value)
    name = given.text("name", "workload")
    if not _NAME.fullmatch(name):
        raise BadRequest(f"body: 'name' may hold letters, digits, dot, dash and underscore (100 at most), got {name!r}")
    spec = WorkloadSpec(
        name=name,
        deployment=deployment(given.take("deployment")),
        writers=_groups(given.take("writers", [{}]), "writers", _writer_group),
        readers=_groups(given.take("readers", []), "readers", _reader_group),
        services=_services(given.take("services", {})),
        timeout_s=given.number("timeout_s", 0.5, 0.01, 60),
        reconnect_s=given.number("reconnect_s", 0.02, 0.001, 10),
        sample_s=given.number("sample_s", 0.1, 0.01, 60),
        max_seconds=given.number("max_seconds", 900, 1, 7 * 86400),
        max_journal_bytes=given.whole("max_journal_bytes", 256 << 20, 64 << 10, 4 << 30),
    )
    given.done()
    _check_targets(spec)
    return spec


def _check_targets(spec: WorkloadSpec) -> None:
    known = {SENTINEL, *spec.deployment.seats, *spec.services}
    if taken := {SENTINEL, *spec.deployment.seats} & spec.services.keys():
        raise BadRequest(f"services: {min(taken)!r} is the name of something else already")
    for kind, groups in (("writers", spec.writers), ("readers", spec.readers)):
        for group in groups:
            if group.target not in known:
                where = (
                    f"{kind} {group.name!r}: target must be 'sentinel', a seat's name, a Service's name or host:port"
                )
                address(group.target, where)


def key_prefix(value: Any) -> str:
    """A key prefix that the witness may delete or verify: below ``e2e:`` and longer than that."""
    if not isinstance(value, str) or not value.startswith(KEY_ROOT) or len(value) <= len(KEY_ROOT):
        raise BadRequest(
            f"body: 'prefix' must begin with {KEY_ROOT!r} and name something below it, got {_shown(value)}"
        )
    if any(letter in value for letter in "*?[]\\"):
        raise BadRequest(f"body: 'prefix' is literal, it may not hold pattern characters, got {value!r}")
    return value


def _addresses(value: Any, where: str) -> dict[str, Address]:
    if not isinstance(value, dict) or not value:
        raise BadRequest(
            f"{where}: expected an object of name to host:port with at least one entry, got {_shown(value)}"
        )
    return {name: address(text, f"{where}.{name}") for name, text in value.items()}


def _services(value: Any) -> dict[str, Address]:
    return _addresses(value, "services") if value != {} else {}


def _groups(value: Any, where: str, group: Callable[[_Fields, int], _Group]) -> tuple[_Group, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise BadRequest(f"{where}: expected a list of groups, got {_shown(value)}")
    groups = []
    for index, each in enumerate(value):
        given = fields(each, f"{where}[{index}]")
        groups.append(group(given, index))
        given.done()
    names = [group.name for group in groups]
    if len(set(names)) != len(names):
        raise BadRequest(f"{where}: names must differ, got {', '.join(names)}")
    return tuple(groups)


def _writer_group(given: _Fields, index: int) -> WriterGroup:
    return WriterGroup(
        name=given.text("name", "writer" if index == 0 else f"writer{index}"),
        target=given.text("target", SENTINEL),
        connections=given.whole("connections", 8, 1, MAX_CONNECTIONS),
        rate=given.number("rate", 1000, 0, MAX_RATE),
        wait_replicas=given.whole("wait_replicas", 0, 0, 16),
        wait_timeout_s=given.number("wait_timeout_s", 0.2, 0.001, 60),
    )


def _reader_group(given: _Fields, index: int) -> ReaderGroup:
    return ReaderGroup(
        name=given.text("name", "reader" if index == 0 else f"reader{index}"),
        target=given.text("target", SENTINEL),
        connections=given.whole("connections", 1, 1, MAX_CONNECTIONS),
        rate=given.number("rate", 50, 0, MAX_RATE),
    )


def _shown(value: Any) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 60 else text[:57] + "..."
