"""The instants of a failover, gathered from all that a history holds: each with its name and who it is known from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from harness.checkers.unavailability import Unavailability
from harness.history.history import History
from harness.history.records import MICRO, OK, DnsAnswer, FaultMark, Read, SentinelEvent

#: What the leading Sentinel alone says, in the order of its state machine.
LEADERS = ("+odown", "+try-failover", "+elected-leader", "+failover-state-wait-promotion", "+promoted-slave")


class Mark(NamedTuple):
    """One instant: microseconds since the origin, what it is, by whom it is known."""

    at: int
    name: str
    by: str


def firsts(events: Iterable[SentinelEvent]) -> list[SentinelEvent]:
    """Each Sentinel's first of these events, in order."""
    seen: dict[int, SentinelEvent] = {}
    for event in events:
        seen.setdefault(event.sentinel, event)
    return list(seen.values())


def of_fault(fault: FaultMark | None) -> Iterator[Mark]:
    """The fault's bracket."""
    if fault:
        yield Mark(fault.sent, "fault sent", fault.name)
        yield Mark(fault.returned, "fault returned", fault.name)


def of_writes(window: Unavailability) -> Iterator[Mark]:
    """Both ends of the gap that writers met."""
    if window.window:
        yield Mark(round(window.window.begin * MICRO), "last ok write", window.window.last_by)
        if not window.window.is_open:
            yield Mark(round(window.window.end * MICRO), "first ok write", window.window.first_by or "")


def of_reads(history: History, begin: int) -> Iterator[Mark]:
    """Where the longest gap between answered reads of those that follow the Sentinels ended, if it began after `begin`.

    Reads that are pinned to a seat or a Service tell of that one only.
    """
    aware = {number for number, each in enumerate(history.readers) if each.target == "sentinel"}
    oks = sorted(
        (read for read in history.reads if read.outcome == OK and read.reader in aware), key=lambda read: read.completed
    )
    last = [max((read for read in oks if read.completed < begin), key=_completed, default=None)]
    after = [*(read for read in last if read), *(read for read in oks if read.completed >= begin)]
    gap = max(pairwise(after), key=lambda pair: pair[1].completed - pair[0].completed, default=None)
    if gap and gap[0].instance != gap[1].instance:
        yield Mark(gap[1].completed, "first ok read", history.instance_name(gap[1].instance))


def _completed(read: Read) -> int:
    return read.completed


def of_sentinels(history: History, events: Sequence[SentinelEvent], switches: list[SentinelEvent]) -> Iterator[Mark]:
    """What the Sentinels said. Every one says +sdown and +switch-master for itself, the leader says the latter last."""
    over = min((event.at for event in switches), default=1 << 62)
    downs = firsts(
        event
        for event in events
        if event.event == "+sdown" and event.payload.startswith("master ") and event.at <= over
    )
    yield from _first_and_last(history, downs, "+sdown")
    for name in LEADERS:
        first = next((event for event in events if event.event == name), None)
        if first:
            yield Mark(first.at, name, history.instance_name(first.sentinel))
    yield from _first_and_last(history, switches, "+switch-master")


def _first_and_last(history: History, events: list[SentinelEvent], name: str) -> Iterator[Mark]:
    if events:
        yield Mark(events[0].at, f"first {name}", history.instance_name(events[0].sentinel))
    if len(events) > 1:
        yield Mark(events[-1].at, f"last {name}", history.instance_name(events[-1].sentinel))


def of_services(history: History, begin: int, new_primary: str | None) -> Iterator[Mark]:
    """When each Service that once led to a primary led to the new one for good."""
    if new_primary is None:
        return
    followed: dict[str, int | None] = {}
    concerned: set[str] = set()
    for sample in history.services:
        leads = history.instance_name(sample.instance) == new_primary
        if sample.completed < begin:
            if sample.role == "primary" and not leads:
                concerned.add(sample.service)
        elif not leads:
            followed[sample.service] = None
        elif followed.get(sample.service) is None:
            followed[sample.service] = sample.completed
    for service, at in followed.items():
        if at is not None and service in concerned:
            yield Mark(at, "Service leads to the new primary", service)


def of_names(history: History, begin: int, seat: str | None) -> Iterator[Mark]:
    """When the name of `seat` was first answered with other addresses than at `begin`."""
    before: DnsAnswer | None = None
    for answer in history.dns:
        if not answer.addresses or _seat_of(history, answer.host) != seat:
            continue
        if answer.at < begin or before is None:
            before = answer
        elif answer.addresses != before.addresses:
            yield Mark(answer.at, "name leads to another address", seat or answer.host)
            return


def _seat_of(history: History, host: str) -> str:
    hosts = (each.name for each in history.instances.values() if host in {each.name, each.address.rpartition(":")[0]})
    return next(hosts, host)


def of_links(history: History, begin: int, switches: list[SentinelEvent], primary: str | None) -> Iterator[Mark]:
    """When every other seat had become, for good, a replica of `primary` with its link up."""
    begin = switches[0].at if switches else begin
    linked: dict[int, int | None] = {}
    for sample in history.roles:
        seat = history.instance_name(sample.instance)
        if seat == primary:
            continue
        is_linked = (
            sample.role == "replica" and sample.link == "connected" and history.name_at(sample.detail) == primary
        )
        if not is_linked:
            linked[sample.instance] = None
        elif linked.get(sample.instance) is None:
            linked[sample.instance] = sample.completed
    instants = {index: at for index, at in linked.items() if at is not None}
    if len(instants) < len(linked) or not instants:
        return
    last = max(instants, key=lambda index: instants[index])
    if instants[last] >= begin:
        yield Mark(instants[last], "replicas linked again", history.instance_name(last))
