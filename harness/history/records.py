"""The records of a history: what each line of a journal says, as values.

Instants are microseconds since the history's origin on the witness's clock; `at_s`, `began_s`, ... give seconds. The
fields are those of ``docs/history-format.md``, in its order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

FORMAT = "redis-e2e-history"
VERSION = 2
MICRO = 1_000_000

#: Record types and their fields; the same table stands in every header (a unit test holds both sides together).
FIELDS: Mapping[str, tuple[str, ...]] = {
    "instance": ("number", "name", "address"),
    "identity": ("instance", "at", "run_id", "version"),
    "w": ("writer", "sequence", "invoked", "took", "outcome", "instance", "error"),
    "r": ("reader", "invoked", "took", "outcome", "instance", "writer", "expected", "seen", "error"),
    "role": ("instance", "invoked", "took", "role", "offset", "link", "detail"),
    "service": ("service", "invoked", "took", "instance", "role", "error"),
    "dns": ("host", "at", "took", "addresses", "error"),
    "event": ("sentinel", "at", "event", "payload"),
    "view": ("sentinel", "at", "primary", "epoch", "flags"),
    "listening": ("sentinel", "at", "state", "detail"),
    "health": ("at", "lag", "cpu", "rss", "throttled"),
    "fault": ("name", "action", "sent", "returned", "uncertainty"),
    "sweep": ("instance", "at", "took", "role", "offset", "caught_up", "named", "error"),
    "kept": ("instance", "writer", "ranges"),
    "alien": ("instance", "key", "field", "value"),
    "digest": ("instance", "at", "took", "keys", "digest"),
    "end": ("at", "reason", "counts"),
}

OK, FAIL, INFO = "o", "f", "i"


class WriterInfo(NamedTuple):
    """A writer as the header describes it; its number in records is its place there."""

    group: str
    target: str
    rate: float
    wait: int


class ReaderInfo(NamedTuple):
    """A reader as the header describes it; its number in records is its place there."""

    group: str
    target: str
    rate: float


class Instance(NamedTuple):
    """A Redis seat, a Sentinel or another address that somebody talked to."""

    number: int
    name: str
    address: str


class Identity(NamedTuple):
    """Which process answers on a seat, as seen when a sampler connected."""

    instance: int
    at: int
    run_id: str
    version: str


class Write(NamedTuple):
    """One op: ok (``o``), fail (``f``, certainly not applied) or info (``i``, may have been applied)."""

    writer: int
    sequence: int
    invoked: int
    took: int
    outcome: str
    instance: int
    error: str

    @property
    def completed(self) -> int:
        """When its outcome was known, in microseconds."""
        return self.invoked + self.took


class RoleSample(NamedTuple):
    """One answer to ROLE: ``primary``, ``replica``, ``refusing`` (an error reply) or ``unreachable``.

    For a primary `link` is the number of its replicas and `detail` their offsets; for a replica `link` is the state of
    its connection and `detail` its primary's address.
    """

    instance: int
    invoked: int
    took: int
    role: str
    offset: int | None
    link: Any
    detail: Any

    @property
    def completed(self) -> int:
        """When the answer arrived, in microseconds."""
        return self.invoked + self.took


class Read(NamedTuple):
    """One read: how far the instance had got with one writer's writes.

    `expected` is the highest sequence of `writer` that was acknowledged when the read began, `seen` the highest one
    found; -1 stands for none. The read is stale if it saw less than it could expect.
    """

    reader: int
    invoked: int
    took: int
    outcome: str
    instance: int
    writer: int
    expected: int
    seen: int
    error: str

    @property
    def completed(self) -> int:
        """When its outcome was known, in microseconds."""
        return self.invoked + self.took


class ServiceSample(NamedTuple):
    """Where a new connection through a Kubernetes Service led: an instance (-1: nowhere), and the role it claimed."""

    service: str
    invoked: int
    took: int
    instance: int
    role: str | None
    error: str | None

    @property
    def completed(self) -> int:
        """When the answer arrived, in microseconds."""
        return self.invoked + self.took


class DnsAnswer(NamedTuple):
    """What a name resolved to, recorded when it changed; `addresses` is None when it did not resolve."""

    host: str
    at: int
    took: int
    addresses: list[str] | None
    error: str | None


class SentinelEvent(NamedTuple):
    """An event of one Sentinel, stamped on receipt."""

    sentinel: int
    at: int
    event: str
    payload: str

    @property
    def at_s(self) -> float:
        """Seconds since the origin."""
        return self.at / MICRO


class View(NamedTuple):
    """Whom a Sentinel names, recorded when it changed; None when it stopped answering."""

    sentinel: int
    at: int
    primary: str | None
    epoch: int | None
    flags: str | None


class Listening(NamedTuple):
    """The subscription to a Sentinel came ``up`` or went ``down``: in between its events are known."""

    sentinel: int
    at: int
    state: str
    detail: str | None


class Health(NamedTuple):
    """The witness itself: largest event-loop lag and CPU used since the last record, in microseconds.

    `rss` is its peak memory in KiB, `throttled` how long the kernel kept its container from running for want of CPU
    quota since the last record, in microseconds. A lag was over at `at`; one of 5 ms or more is recorded when it
    happens.
    """

    at: int
    lag: int
    cpu: int
    rss: int
    throttled: int


class FaultMark(NamedTuple):
    """A fault's bracket on the witness's clock: it was injected (or healed) between `sent` and `returned`.

    Each end may be off by `uncertainty`, the doubt about the offset of the two clocks. All in microseconds.
    """

    name: str
    action: str
    sent: int
    returned: int
    uncertainty: int

    @property
    def sent_s(self) -> float:
        """The earliest instant at which it can have begun, in seconds since the origin."""
        return self.sent / MICRO

    @property
    def returned_s(self) -> float:
        """When the runner knew that it was done, in seconds since the origin."""
        return self.returned / MICRO


class SeatSweep(NamedTuple):
    """The final sweep of one seat; `named` if the Sentinels named it primary, `error` if it could not be read."""

    instance: int
    at: int
    took: int
    role: str | None
    offset: int | None
    caught_up: bool
    named: bool
    error: str | None


class Kept(NamedTuple):
    """The writes of one writer that a seat holds: ranges of sequence numbers, both ends included."""

    instance: int
    writer: int
    ranges: list[list[int]]


class Alien(NamedTuple):
    """Content below the workload's keys that no writer of it put there."""

    instance: int
    key: str
    field: str
    value: str


class Digest(NamedTuple):
    """What one instance held at the end, all of it: number of keys and a digest that is equal for equal content."""

    instance: int
    at: int
    took: int
    keys: int
    digest: str


class End(NamedTuple):
    """The last line of a complete history: why it ended and how many records of each kind precede it."""

    at: int
    reason: str
    counts: dict[str, int]
