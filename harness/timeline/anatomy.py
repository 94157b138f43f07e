"""The anatomy of a failover: its phases on one clock, from the last write before it to the last replica linked again.

Which events there are, who emits them and in which order was read in Redis's sentinel.c (7.2.5): the leading Sentinel
alone says +try-failover, +elected-leader and +promoted-slave, every Sentinel says +sdown and +switch-master for itself,
and the leader says +switch-master *last*, after the replicas are reconfigured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.checkers.unavailability import Unavailability, unavailability
from harness.history.history import History
from harness.history.records import MICRO, FaultMark, SentinelEvent
from harness.timeline import marks
from harness.timeline.attempts import ABORTS, LEADER_LOST, PROMOTED, Attempt, attempts
from harness.timeline.incidents import Promotion, Reboot, Tilt, move_of, promotions, reboots, tilts
from harness.timeline.marks import Mark

PLANNED, UNPLANNED, NONE = "planned", "unplanned", "none"

#: Other events worth a remark when they occur.
REMARKABLE = ("+failover-end-for-timeout", "+convert-to-slave", "+sentinel-invalid-addr")


@dataclass(frozen=True, slots=True)
class Phase:
    """One instant of a failover, in seconds: since the origin, since the fault was sent, since the phase before.

    The fault took effect somewhere in its bracket and two clocks are involved, so the phase began at least `least` and
    at most `most` seconds after it; None without a fault.
    """

    name: str
    at: float
    since_fault: float | None
    took: float
    by: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Anatomy:
    """What happened after a fault.

    `kind` is ``planned`` (a hand-over: nobody was found down), ``unplanned`` (the Sentinels found the primary down), or
    ``none`` (nobody was promoted). `rebooted` if a Sentinel saw the primary come back in its place as a new process.
    Primaries are seat names. Of several promotions (a rollout) the phases are the first one's, `new_primary` the last;
    `promoted` keeps them apart. `uncertainty` is the doubt about the two clocks' offset and `bracket` the time between
    sending the fault and its return, both in seconds. `zero` is the instant that lines of text count from.
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
    tries: tuple[Attempt, ...] = ()
    promoted: tuple[Promotion, ...] = ()
    tilts: tuple[Tilt, ...] = ()
    reboots: tuple[Reboot, ...] = ()
    bracket: float = 0.0
    zero: float = 0.0

    def phase(self, name: str) -> Phase | None:
        """The phase of that name, if it happened."""
        return next((each for each in self.phases if each.name == name), None)

    @property
    def second_attempt_after(self) -> float | None:
        """Seconds from the beginning of the first attempt to that of the second; None without a second."""
        return self.tries[1].after_first if len(self.tries) > 1 else None

    def as_table(self) -> str:
        """The phases for a terminal, then attempts, promotions if several, and remarks."""
        rows = [("phase", "after fault", "took", "by")]
        for each in self.phases:
            after = f"{each.since_fault:+9.3f} s" if each.since_fault is not None else f"@{each.at:9.3f} s"
            rows.append((each.name, after, f"{each.took:8.3f} s", each.by))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = ["  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]).rstrip()
                 for row in rows]  # fmt: skip
        lines += [each.describe(self.zero) for each in self.tries]
        lines += [each.describe(self.zero) for each in self.promoted if len(self.promoted) > 1]
        return "\n".join([self.headline(), *lines, *(f"! {remark}" for remark in self.remarks)])

    def headline(self) -> str:
        """One line: what kind of failover, from whom to whom, and the gap clients saw."""
        moved = (
            f"{self.old_primary} -> {self.new_primary}" if self.new_primary else f"{self.old_primary} stayed primary"
        )
        moved += " and came back as a new process" if self.rebooted and not self.new_primary else ""
        number = f", {self.attempts} attempts" if self.attempts > 1 else ""
        number += f", {self.promotions} promotions" if self.promotions > 1 else ""
        doubt = f", the fault took effect within {self.bracket * 1000:.1f} ms" if self.bracket else ""
        doubt += f", clocks agree to {self.uncertainty * 1000:.1f} ms" if self.uncertainty else ""
        gap = f"{self.window.duration:.3f} s" if self.window.window else "not measurable"
        return f"failover: {self.kind} ({moved}{number}); write gap {gap}{doubt}"


def anatomy(history: History, fault: FaultMark | None = None) -> Anatomy:
    """Take a failover apart. `fault` defaults to the first injected fault in the history, or to its beginning."""
    fault = fault or history.fault()
    begin = (fault.sent - fault.uncertainty) if fault else 0
    events = [event for event in history.events if event.at >= begin]
    switches = marks.firsts(event for event in events if event.event == "+switch-master")
    window = unavailability(history, since=fault)
    old, new = _moved(history, events, begin)
    found = [
        *marks.of_fault(fault),
        *marks.of_writes(window),
        *marks.of_reads(history, begin),
        *marks.of_sentinels(history, events, switches),
        *marks.of_services(history, begin, new),
        *marks.of_names(history, begin, old),
        *marks.of_links(history, begin, switches, new or old),
    ]
    tries, tilted, rebooted = attempts(history, events), tilts(history, events), reboots(history, events)
    zero = fault.sent_s if fault else 0.0
    return Anatomy(
        kind=_kind(events),
        old_primary=old,
        new_primary=new,
        phases=tuple(_phases(found, fault)),
        attempts=len(tries),
        promotions=_promotions(events),
        remarks=tuple(_remarks(history, events, (tries, tilted, rebooted), zero)),
        window=window,
        uncertainty=fault.uncertainty / MICRO if fault else 0.0,
        rebooted=any(each.is_primary for each in rebooted),
        tries=tries,
        promoted=promotions(history, events),
        tilts=tilted,
        reboots=rebooted,
        bracket=(fault.returned - fault.sent) / MICRO if fault else 0.0,
        zero=zero,
    )


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
    moves = [move_of(event) for event in events if event.event in {"+switch-master", "+promoted-slave"}]
    if moves:
        return history.name_at(moves[0][0]), history.name_at(moves[-1][1])
    named = [view.primary for view in history.views if view.primary and view.at <= begin] or [
        view.primary for view in history.views if view.primary
    ]
    return (history.name_at(named[-1]) if named else None), None


def _phases(found: list[Mark], fault: FaultMark | None) -> Iterator[Phase]:
    before: int | None = None
    for at, name, by in sorted(found, key=lambda mark: mark.at):
        since = least = most = None
        if fault:
            since = (at - fault.sent) / MICRO
            least = (at - fault.returned - fault.uncertainty) / MICRO
            most = (at - fault.sent + fault.uncertainty) / MICRO
        took = (at - before) / MICRO if before is not None else 0.0
        yield Phase(name, at / MICRO, since, took, by, least, most)
        before = at


_Structured = tuple[Sequence[Attempt], Sequence[Tilt], Sequence[Reboot]]


def _remarks(history: History, events: list[SentinelEvent], found: _Structured, zero: float) -> Iterator[str]:
    """What a person should notice: attempts that failed and those after them, TILT, reboots, events unheard."""
    tries, tilted, rebooted = found
    for each in tries:
        if each.number > 1:
            yield f"{each.leader} tried again {each.after_first:.3f} s after the first attempt"
        if each.outcome != PROMOTED:
            cliff = ": who took part starts no new one before twice the failover-timeout"
            yield f"attempt {each.number} by {each.leader}: {each.outcome}{cliff if _costs_time(each) else ''}"
    yield from (tilt.describe(zero) for tilt in tilted)
    yield from (reboot.describe(zero) for reboot in rebooted)
    times = Counter((event.sentinel, event.event) for event in events)
    for event in events:
        number = times.pop((event.sentinel, event.event), 0)
        if number and event.event in REMARKABLE:
            who = f"{event.at_s - zero:+.3f} s {history.instance_name(event.sentinel)}: {event.event}"
            yield f"{who} {event.payload}".rstrip() + (f" ({number} times)" if number > 1 else "")
    for heard in history.listening:
        if heard.state == "down" and heard.at / MICRO >= zero:
            who = f"{heard.at / MICRO - zero:+.3f} s {history.instance_name(heard.sentinel)}"
            yield f"{who}: could not be listened to ({heard.detail}), events may be missing"


def _costs_time(attempt: Attempt) -> bool:
    """Aborts and lost leaders leave the clock of sentinelStartFailoverIfNeeded set; a promotion clears it."""
    return attempt.outcome in ABORTS.values() or attempt.outcome == LEADER_LOST
