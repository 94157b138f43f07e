"""Who said to be primary, and whom the Sentinels named, when."""

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
    """From `begin` to `end` (microseconds) most Sentinels named `seat`."""

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
    """Whom most of the Sentinels that were ever heard named, in order; nobody reigns while there is no majority."""
    sentinels = {view.sentinel for view in history.views}
    latest: dict[int, str | None] = {}
    found: list[Reign] = []
    for view in sorted(history.views, key=lambda view: view.at):
        latest[view.sentinel] = history.name_at(view.primary) if view.primary else None
        seat, votes = Counter(latest.values()).most_common(1)[0]
        ruler = seat if 2 * votes > len(sentinels) else None
        is_open = bool(found) and found[-1].end == _OPEN
        if is_open and found[-1].seat != ruler:
            found[-1].end = view.at
            is_open = False
        if ruler and not is_open:
            found.append(Reign(ruler, view.at, _OPEN))
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
