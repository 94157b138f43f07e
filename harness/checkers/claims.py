"""Who said to be primary, and whom the Sentinels had elected, when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from harness.history.history import History

#: A seat counts as watched if it answered ROLE so often.
MIN_SAMPLES = 3
_OPEN = 1 << 62


@dataclass(slots=True)
class Claim:
    """A seat said primary from `begin` to `end` (microseconds) in every sample: proven for that time."""

    seat: str
    begin: int
    end: int


@dataclass(slots=True)
class Reign:
    """From `begin` to `end` (microseconds) `seat` was the primary that the Sentinels had elected."""

    seat: str
    begin: int
    end: int


def claims(history: History) -> list[Claim]:
    """Every unbroken stretch of samples in which a seat said primary, by its beginning.

    A claim is proven from the first to the last of consecutive samples that said so.
    """
    found: list[Claim] = []
    running: dict[int, Claim] = {}
    for sample in history.roles:
        claim = running.get(sample.instance)
        if sample.role != "primary":
            running.pop(sample.instance, None)
        elif claim is None:
            running[sample.instance] = Claim(history.instance_name(sample.instance), sample.completed, sample.completed)
            found.append(running[sample.instance])
        else:
            claim.end = max(claim.end, sample.invoked)
    return sorted(found, key=lambda claim: claim.begin)


def reigns(history: History) -> list[Reign]:
    """Who was rightful, in order: the one named with the highest config epoch so far, by most who name with that one.

    An epoch is won by a majority of the Sentinels, and the higher one prevails (Sentinel documentation, "configuration
    epochs"); so the first who tells of a new primary is right already, and a Sentinel that lags behind or falls silent
    ends nobody's reign.
    """
    latest: dict[int, tuple[int, str]] = {}
    found: list[Reign] = []
    highest = -1
    for view in sorted(history.views, key=lambda view: view.at):
        latest.pop(view.sentinel, None)
        if not view.primary:
            continue
        epoch = -1 if view.epoch is None else view.epoch
        latest[view.sentinel] = (epoch, history.name_at(view.primary))
        highest = max(highest, epoch)
        votes = Counter(seat for with_epoch, seat in latest.values() if with_epoch == highest)
        if not votes:
            continue
        seat, number = votes.most_common(1)[0]
        if 2 * number > votes.total() and (not found or found[-1].seat != seat):
            if found:
                found[-1].end = view.at
            found.append(Reign(seat, view.at, _OPEN))
    return found


def period_us(history: History, seat: str) -> int:
    """The usual distance of two samples of a seat, in microseconds; 0 if there are not two."""
    instants = [sample.invoked for sample in history.roles if history.instance_name(sample.instance) == seat]
    distances = [later - earlier for earlier, later in pairwise(instants)]
    return median_low(distances) if distances else 0


def unseen(history: History) -> list[str]:
    """Seats (whatever was sampled or swept) with too few samples to say anything."""
    counts: dict[int, int] = {sweep.instance: 0 for sweep in history.sweeps}
    for sample in history.roles:
        counts[sample.instance] = counts.get(sample.instance, 0) + int(sample.role in {"primary", "replica"})
    return sorted(history.instance_name(index) for index, number in counts.items() if number < MIN_SAMPLES)
