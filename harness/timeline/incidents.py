"""Promotions kept apart, Sentinels in TILT, and instances that came back in their place as a new process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.history.history import History
from harness.history.records import MICRO, SentinelEvent


@dataclass(frozen=True, slots=True)
class Promotion:
    """One change of primary; seats, and seconds since the origin.

    `promoted` is when the leader saw it (None: unheard), the switches are the first and last Sentinel's; `switched`
    counts the Sentinels that followed.
    """

    old: str
    new: str
    promoted: float | None
    first_switch: float | None
    last_switch: float | None
    switched: int

    def describe(self, zero: float = 0.0) -> str:
        """One line; instants counted from `zero`."""
        at = self.promoted if self.promoted is not None else self.first_switch
        return f"{self.old} -> {self.new} at {(at or 0.0) - zero:+.3f} s, followed by {self.switched} Sentinels"


@dataclass(frozen=True, slots=True)
class Tilt:
    """A Sentinel that does nothing, for its clock jumped or it stood still (sentinel.c, sentinelCheckTiltCondition).

    Seconds since the origin. `began` is None if its beginning was not heard (the Sentinel stood still for so long that
    the witness gave the connection up), `ended` if the recording ended before it did. `entered` counts how often it
    was entered anew, each time for the whole period.
    """

    sentinel: str
    began: float | None
    ended: float | None
    entered: int

    @property
    def duration(self) -> float | None:
        """Its length in seconds; None if one of its ends was not heard."""
        return None if self.began is None or self.ended is None else self.ended - self.began

    def describe(self, zero: float = 0.0) -> str:
        """One line; instants counted from `zero`."""
        begin = "unheard" if self.began is None else f"{self.began - zero:+.3f} s"
        end = "the end of the recording" if self.ended is None else f"{self.ended - zero:+.3f} s"
        long = "" if self.duration is None else f" for {self.duration:.3f} s"
        again = f" ({self.entered} times)" if self.entered > 1 else ""
        return f"{self.sentinel}: TILT, took no action{long}, from {begin} to {end}{again}"


@dataclass(frozen=True, slots=True)
class Reboot:
    """An instance that answers as another process than before, without having been replaced; seconds."""

    seat: str
    is_primary: bool
    first: float
    seen_by: tuple[str, ...]

    def describe(self, zero: float = 0.0) -> str:
        """One line; instants counted from `zero`."""
        what = "the primary" if self.is_primary else "a replica"
        return (
            f"{self.first - zero:+.3f} s +reboot: {self.seat}, {what}, is a new process, say {', '.join(self.seen_by)}"
        )


def promotions(history: History, events: Sequence[SentinelEvent]) -> tuple[Promotion, ...]:
    """Every promotion that these events (in order) tell of.

    Each Sentinel says once that it switched, so a second mention by the same one is another promotion, whatever the
    addresses.
    """
    rounds: list[_Round] = []
    for event in events:
        if event.event not in {"+switch-master", "+promoted-slave"}:
            continue
        move = move_of(event)
        for known in rounds:
            if known.takes(event, move):
                break
        else:
            known = _Round(move)
            rounds.append(known)
        known.heard(event)
    return tuple(each.told(history) for each in rounds)


def move_of(event: SentinelEvent) -> tuple[str, str]:
    """From whom to whom, as addresses; the payloads are described in the Sentinel documentation."""
    words = event.payload.split()
    if event.event == "+promoted-slave":  # slave <name> <ip> <port> @ <master name> <ip> <port>
        return f"{words[6]}:{words[7]}", f"{words[2]}:{words[3]}"
    return f"{words[1]}:{words[2]}", f"{words[3]}:{words[4]}"  # <master name> <old ip> <old port> <new ip> <new port>


@dataclass(slots=True)
class _Round:
    move: tuple[str, str]
    promoted: int | None = None
    switches: dict[int, int] = field(default_factory=dict)

    def takes(self, event: SentinelEvent, move: tuple[str, str]) -> bool:
        if move != self.move:
            return False
        return self.promoted is None if event.event == "+promoted-slave" else event.sentinel not in self.switches

    def heard(self, event: SentinelEvent) -> None:
        if event.event == "+promoted-slave":
            self.promoted = event.at
        else:
            self.switches[event.sentinel] = event.at

    def told(self, history: History) -> Promotion:
        times = [at / MICRO for at in self.switches.values()]
        promoted = None if self.promoted is None else self.promoted / MICRO
        old, new = (history.name_at(address) for address in self.move)
        return Promotion(old, new, promoted, min(times, default=None), max(times, default=None), len(times))


def tilts(history: History, events: Sequence[SentinelEvent]) -> tuple[Tilt, ...]:
    """Each Sentinel's intervals of TILT, from ``+tilt`` to ``-tilt``."""
    found: list[tuple[int, int | None, int | None, int]] = []
    running: dict[int, tuple[int, int]] = {}
    for event in events:
        if event.event == "+tilt":
            began, times = running.get(event.sentinel, (event.at, 0))
            running[event.sentinel] = (began, times + 1)
        elif event.event == "-tilt":
            began_at, times = running.pop(event.sentinel, (None, 1))
            found.append((event.sentinel, began_at, event.at, times))
    found += [(sentinel, began, None, times) for sentinel, (began, times) in running.items()]
    told = [
        Tilt(history.instance_name(each), None if began is None else began / MICRO, end and end / MICRO, times)
        for each, began, end, times in found
    ]
    return tuple(sorted(told, key=lambda tilt: (tilt.began or 0.0, tilt.sentinel)))


def reboots(history: History, events: Sequence[SentinelEvent]) -> tuple[Reboot, ...]:
    """Each instance that a Sentinel saw come back with another run id."""
    by_seat: dict[tuple[str, bool], list[SentinelEvent]] = {}
    for event in events:
        if event.event == "+reboot":
            by_seat.setdefault(_rebooted(history, event.payload), []).append(event)
    return tuple(
        Reboot(seat, is_primary, said[0].at / MICRO, tuple(dict.fromkeys(_names(history, said))))
        for (seat, is_primary), said in by_seat.items()
    )


def _rebooted(history: History, payload: str) -> tuple[str, bool]:
    words = payload.split()  # master <name> <ip> <port>, or slave <name> <ip> <port> @ ...
    seat = history.name_at(f"{words[2]}:{words[3]}") if len(words) > 3 else payload
    return seat, words[:1] == ["master"]


def _names(history: History, events: Sequence[SentinelEvent]) -> Iterator[str]:
    return (history.instance_name(event.sentinel) for event in events)
