"""Times at which two instances both claimed to be primary, from the ROLE samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from harness.checkers.verdict import Verdict
from harness.history.history import History
from harness.history.records import MICRO, OK, RoleSample

#: A seat counts as watched if its samples cover this share of the recording.
MIN_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """A seat said primary from `begin` to `end` (microseconds) in every sample: proven for that time."""

    seat: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two claims at once; seconds since the origin. `acknowledged` counts the writes each acknowledged meanwhile.

    `rightful` is the one that most Sentinels named when it ended, `stale` the other.
    """

    rightful: str
    stale: str
    begin: float
    end: float
    acknowledged: dict[str, int]

    @property
    def duration(self) -> float:
        """Seconds for which both claims are proven."""
        return self.end - self.begin

    def describe(self) -> str:
        """One line."""
        acks = ", ".join(f"{seat} {number}" for seat, number in sorted(self.acknowledged.items()))
        return (
            f"{self.rightful} and {self.stale} (stale) both said primary for {self.duration:.3f} s "
            f"({self.begin:.3f}..{self.end:.3f} s); acknowledged meanwhile: {acks}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPrimaries(Verdict):
    """The overlapping claims, longest proven time in `longest` seconds."""

    overlaps: tuple[Overlap, ...]

    @property
    def longest(self) -> float:
        """The longest overlap in seconds; 0 without one."""
        return max((each.duration for each in self.overlaps), default=0.0)


def two_primaries(history: History, *, at_most: float = 0.0) -> TwoPrimaries:
    """Whether never two instances claimed to be primary at the same time for more than `at_most` seconds.

    In a planned hand-over the old primary says so until it is demoted or gone, so `at_most` must allow for that.
    A claim is proven from the first to the last of consecutive samples that said primary, on one connection; an overlap
    shorter than the sampling period may go unseen. Unknown if a seat was not sampled.
    """
    claims = _claims(history)
    overlaps = tuple(
        _overlap(history, first, second)
        for place, first in enumerate(claims)
        for second in claims[place + 1 :]
        if first.seat != second.seat and max(first.begin, second.begin) < min(first.end, second.end)
    )
    unseen = _unseen(history)
    longest = max((each.duration for each in overlaps), default=0.0)
    valid: bool | None = longest <= at_most if overlaps else True
    summary = (
        f"{len(overlaps)} overlaps of two primaries, the longest {longest:.3f} s" if overlaps else "never two primaries"
    )
    if valid and (unseen or not claims):
        valid, summary = None, "no seat claimed to be primary" if not unseen else f"not sampled: {', '.join(unseen)}"
    if valid and not history.is_complete:
        valid, summary = None, f"{summary} so far: {history.why_incomplete}"
    evidence = tuple(each.describe() for each in overlaps)
    return TwoPrimaries(checker="two_primaries", valid=valid, summary=summary, evidence=evidence, overlaps=overlaps)


def _claims(history: History) -> list[Claim]:
    """Every unbroken stretch of samples in which a seat said primary, by its beginning."""
    claims: list[Claim] = []
    running: dict[int, Claim] = {}
    for sample in history.roles:
        claim = running.get(sample.instance)
        if sample.role != "primary":
            running.pop(sample.instance, None)
        elif claim is None:
            new = Claim(history.instance_name(sample.instance), sample.completed, sample.completed)
            running[sample.instance] = new
            claims.append(new)
        else:
            longer = Claim(claim.seat, claim.begin, max(claim.end, sample.invoked))
            running[sample.instance] = longer
            claims[_last_index(claims, claim)] = longer
    return sorted(claims, key=lambda claim: claim.begin)


def _last_index(claims: list[Claim], wanted: Claim) -> int:
    return next(index for index in range(len(claims) - 1, -1, -1) if claims[index] is wanted)


def _overlap(history: History, first: Claim, second: Claim) -> Overlap:
    begin, end = max(first.begin, second.begin), min(first.end, second.end)
    writes = history.writes
    acknowledged = {first.seat: 0, second.seat: 0}
    for index in writes.between(begin, end):
        if writes.outcome[index] == ord(OK):
            name = history.instance_name(writes.instance[index])
            if name in acknowledged:
                acknowledged[name] += 1
    rightful, stale = first.seat, second.seat
    if _named(history, end) == stale:
        rightful, stale = stale, rightful
    return Overlap(rightful, stale, begin / MICRO, end / MICRO, acknowledged)


def _named(history: History, at_us: int) -> str | None:
    """The seat that most Sentinels named at an instant."""
    latest = {view.sentinel: view.primary for view in history.views if view.at <= at_us}
    votes = Counter(primary for primary in latest.values() if primary)
    return history.name_at(votes.most_common(1)[0][0]) if votes else None


def _unseen(history: History) -> list[str]:
    """Seats (whatever was sampled or swept) with too few samples to say anything."""
    counts: dict[int, int] = {sweep.instance: 0 for sweep in history.sweeps}
    for sample in history.roles:
        counts[sample.instance] = counts.get(sample.instance, 0) + _is_answer(sample)
    return sorted(history.instance_name(index) for index, number in counts.items() if number < MIN_SAMPLES)


def _is_answer(sample: RoleSample) -> int:
    return int(sample.role in {"primary", "replica"})
