"""The anatomy of a failover: its phases on one clock, from the last write before it to the last replica linked again.

Which events there are, who emits them and in which order was read in Redis's sentinel.c (7.2.5): the leading Sentinel
alone says +try-failover, +elected-leader and +promoted-slave, every Sentinel says +sdown and +switch-master for itself,
and the leader says +switch-master *last*, after the replicas are reconfigured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from harness.checkers.unavailability import Unavailability, unavailability
from harness.history.history import History
from harness.history.records import MICRO, FaultMark, SentinelEvent

PLANNED, UNPLANNED, NONE = "planned", "unplanned", "none"

#: Events after which a failover was given up; Sentinel then waits for twice the failover-timeout before the next one.
ABORTS = (
    "-failover-abort-not-elected",
    "-failover-abort-no-good-slave",
    "-failover-abort-slave-timeout",
    "-failover-abort-x-sdown",
)
#: Other events worth a remark when they occur.
REMARKABLE = ("+tilt", "-tilt", "+reboot", "+failover-end-for-timeout", "+convert-to-slave", "+sentinel-invalid-addr")


@dataclass(frozen=True, slots=True)
class Phase:
    """One instant of a failover, in seconds: since the origin, since the fault was sent, since the phase before."""

    name: str
    at: float
    since_fault: float | None
    took: float
    by: str


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What happened after a fault.

    `kind` is ``planned`` (a hand-over: nobody was found down), ``unplanned`` (the Sentinels found the primary down), or
    ``none`` (nobody was promoted). `rebooted` if a Sentinel saw the primary come back in its place as a new process.
    Primaries are seat names. Of several promotions (a rollout) the phases are the first one's, `new_primary` the last.
    """

    kind: str
    old_primary: str | None
    new_primary: str | None
    phases: tuple[Phase, ...]
    attempts: int
    promotions: int
    remarks: tuple[str, ...]
    window: Unavailability
    uncertainty: float
    rebooted: bool

    def phase(self, name: str) -> Phase | None:
        """The phase of that name, if it happened."""
        return next((each for each in self.phases if each.name == name), None)

    def as_table(self) -> str:
        """The phases for a terminal."""
        rows = [("phase", "after fault", "took", "by")]
        for each in self.phases:
            after = f"{each.since_fault:+9.3f} s" if each.since_fault is not None else f"@{each.at:9.3f} s"
            rows.append((each.name, after, f"{each.took:8.3f} s", each.by))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ["  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]).rstrip()
                 for row in rows]  # fmt: skip
        return "\n".join([self.headline(), *lines, *(f"! {remark}" for remark in self.remarks)])

    def headline(self) -> str:
        """One line: what kind of failover, from whom to whom, and the gap clients saw."""
        moved = (
            f"{self.old_primary} -> {self.new_primary}" if self.new_primary else f"{self.old_primary} stayed primary"
        )
        moved += " and came back as a new process" if self.rebooted and not self.new_primary else ""
        attempts = f", {self.attempts} attempts" if self.attempts > 1 else ""
        attempts += f", {self.promotions} promotions" if self.promotions > 1 else ""
        doubt = f", clocks agree to {self.uncertainty * 1000:.1f} ms" if self.uncertainty else ""
        gap = f"{self.window.duration:.3f} s" if self.window.window else "not measurable"
        return f"failover: {self.kind} ({moved}{attempts}); write gap {gap}{doubt}"


def anatomy(history: History, fault: FaultMark | None = None) -> Anatomy:
    """Take a failover apart. `fault` defaults to the first injected fault in the history, or to its beginning."""
    fault = fault or history.fault()
    begin = (fault.sent - fault.uncertainty) if fault else 0
    events = [event for event in history.events if event.at >= begin]
    switches = _firsts(event for event in events if event.event == "+switch-master")
    window = unavailability(history, since=fault)
    old, new = _moved(history, events, begin)
    marks = [
        *_fault_marks(fault),
        *_write_marks(window),
        *_sentinel_marks(history, events, switches),
        *_link_marks(history, begin, switches, new or old),
    ]
    return Anatomy(
        kind=_kind(events),
        old_primary=old,
        new_primary=new,
        phases=tuple(_phases(marks, fault)),
        attempts=sum(event.event == "+try-failover" for event in events),
        promotions=_promotions(events),
        remarks=tuple(_remarks(history, events, fault)),
        window=window,
        uncertainty=fault.uncertainty / MICRO if fault else 0.0,
        rebooted=any(event.event == "+reboot" and event.payload.startswith("master ") for event in events),
    )


_Mark = tuple[int, str, str]  # microseconds, name, by whom


def _kind(events: list[SentinelEvent]) -> str:
    """A forced failover (SENTINEL FAILOVER) starts without anybody having been found down.

    Somebody was promoted if a Sentinel switched, or if the leader saw the promotion and the recording ended before the
    others heard of it.
    """
    names = [event.event for event in events]
    if not {"+switch-master", "+promoted-slave"} & set(names):
        return NONE
    first = next(name for name in names if name in {"+odown", "+try-failover", "+promoted-slave", "+switch-master"})
    return UNPLANNED if first == "+odown" else PLANNED


def _promotions(events: list[SentinelEvent]) -> int:
    """How often somebody was promoted: each Sentinel says so once."""
    return max(Counter(event.sentinel for event in events if event.event == "+switch-master").values(), default=0)


def _moved(history: History, events: list[SentinelEvent], begin: int) -> tuple[str | None, str | None]:
    """The seats that were primary before and after all of it."""
    moves = [_move(event) for event in events if event.event in {"+switch-master", "+promoted-slave"}]
    if moves:
        return history.name_at(moves[0][0]), history.name_at(moves[-1][1])
    named = [view.primary for view in history.views if view.primary and view.at <= begin] or [
        view.primary for view in history.views if view.primary
    ]
    return (history.name_at(named[-1]) if named else None), None


def _move(event: SentinelEvent) -> tuple[str, str]:
    """From whom to whom, as addresses; the payloads are described in the Sentinel documentation."""
    words = event.payload.split()
    if event.event == "+promoted-slave":  # slave <name> <ip> <port> @ <master name> <ip> <port>
        return f"{words[6]}:{words[7]}", f"{words[2]}:{words[3]}"
    return f"{words[1]}:{words[2]}", f"{words[3]}:{words[4]}"  # <master name> <old ip> <old port> <new ip> <new port>


def _firsts(events: Iterable[SentinelEvent]) -> list[SentinelEvent]:
    """Each Sentinel's first of these events, in order."""
    seen: dict[int, SentinelEvent] = {}
    for event in events:
        seen.setdefault(event.sentinel, event)
    return list(seen.values())


def _fault_marks(fault: FaultMark | None) -> Iterator[_Mark]:
    if fault:
        yield fault.sent, "fault sent", fault.name
        yield fault.returned, "fault returned", fault.name


def _write_marks(window: Unavailability) -> Iterator[_Mark]:
    if window.window:
        yield round(window.window.begin * MICRO), "last ok write", window.window.last_by
        if not window.window.is_open:
            yield round(window.window.end * MICRO), "first ok write", window.window.first_by or ""


def _sentinel_marks(history: History, events: list[SentinelEvent], switches: list[SentinelEvent]) -> Iterator[_Mark]:
    over = min((event.at for event in switches), default=1 << 62)
    downs = _firsts(
        event
        for event in events
        if event.event == "+sdown" and event.payload.startswith("master ") and event.at <= over
    )
    yield from _first_and_last(history, downs, "+sdown")
    for name in ("+odown", "+try-failover", "+elected-leader", "+promoted-slave"):
        first = next((event for event in events if event.event == name), None)
        if first:
            yield first.at, name, history.instance_name(first.sentinel)
    yield from _first_and_last(history, switches, "+switch-master")


def _first_and_last(history: History, events: list[SentinelEvent], name: str) -> Iterator[_Mark]:
    if events:
        yield events[0].at, f"first {name}", history.instance_name(events[0].sentinel)
    if len(events) > 1:
        yield events[-1].at, f"last {name}", history.instance_name(events[-1].sentinel)


def _link_marks(history: History, begin: int, switches: list[SentinelEvent], primary: str | None) -> Iterator[_Mark]:
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
        yield instants[last], "replicas linked again", history.instance_name(last)


def _phases(marks: list[_Mark], fault: FaultMark | None) -> Iterator[Phase]:
    before: int | None = None
    for at, name, by in sorted(marks, key=lambda mark: mark[0]):
        since = (at - fault.sent) / MICRO if fault else None
        yield Phase(name, at / MICRO, since, (at - before) / MICRO if before is not None else 0.0, by)
        before = at


def _remarks(history: History, events: list[SentinelEvent], fault: FaultMark | None) -> Iterator[str]:
    """Each Sentinel's first of each remarkable event, with how often it came again."""
    zero = fault.sent if fault else 0
    times = Counter((event.sentinel, event.event) for event in events)
    for event in events:
        number = times.pop((event.sentinel, event.event), 0)
        who = f"{(event.at - zero) / MICRO:+.3f} s {history.instance_name(event.sentinel)}: {event.event}"
        again = f" ({number} times)" if number > 1 else ""
        if number and event.event in ABORTS:
            yield f"{who}{again}: attempt given up, no new one before twice the failover-timeout"
        elif number and event.event in REMARKABLE:
            yield f"{who} {event.payload}".rstrip() + again
    for each in history.listening:
        if each.state == "down" and each.at >= zero:
            who = f"{(each.at - zero) / MICRO:+.3f} s {history.instance_name(each.sentinel)}"
            yield f"{who}: could not be listened to ({each.detail}), events may be missing"
