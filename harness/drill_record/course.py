"""What happened in a drill as the stretches and instants that are drawn: from a history and its anatomy."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

from harness.checkers import SplitBrain, windows
from harness.checkers import Window as Gap
from harness.checkers.selection import by_client
from harness.checkers.spans import inside, kept_by
from harness.history import History
from harness.history.columns import Ints
from harness.history.records import MICRO, OK, FaultMark
from harness.report.record import (
    Attempt,
    FaultBracket,
    Loss,
    NameChange,
    OpsBucket,
    Overlap,
    RoleSpan,
    SentinelEvent,
    ServiceSpan,
    Tilt,
    ViewSpan,
    Window,
    WitnessHealth,
)
from harness.timeline import Anatomy

#: Width of a column of the picture, in seconds.
BUCKET_S = 0.1

#: Shorter gaps between acknowledged ops are the usual pauses of a busy machine.
WINDOW_S = 0.5

AWARE = "sentinel"


def brackets(history: History) -> list[FaultBracket]:
    """Return the faults as the history has them, on its clock."""
    found = []
    for mark in history.faults:
        if mark.action == "inject":
            name, _, target = mark.name.partition("(")
            effect, heal = _following(history, mark, "effect"), _following(history, mark, "heal")
            found.append(
                FaultBracket(
                    name,
                    target.rstrip(")"),
                    injected_at=mark.sent / MICRO,
                    returned_at=mark.returned / MICRO,
                    effect_at=effect.sent / MICRO if effect else None,
                    healed_at=heal.sent / MICRO if heal else None,
                )
            )
    return found


def _following(history: History, mark: FaultMark, action: str) -> FaultMark | None:
    """The same fault's next mark: one of the same name may have been there before, and over."""
    later = (each for each in history.faults if each.name == mark.name and each.sent >= mark.sent)
    return next((each for each in later if each.action == action), None)


def windows_of(history: History) -> list[Window]:
    """Return the windows of the clients that are judged, writes and reads, and of those who write through a Service."""
    found = [_window(each, "write") for each in windows(history, longer_than=WINDOW_S)]
    if history.readers:
        found += [_window(each, "read") for each in windows(history, longer_than=WINDOW_S, kind="read")]
    for group in sorted({each.group for each in history.writers if each.target in _services(history)}):
        found += [_window(each, "write", group) for each in windows(history, longer_than=WINDOW_S, group=group)]
    return found


def _window(found: Gap, kind: str, group: str = "") -> Window:
    return Window(
        kind,
        found.begin,
        None if found.is_open else found.end,
        found.duration,
        found.resolution,
        [f"{number} {error}" for error, number in sorted(found.errors.items())],
        group,
    )


def events(history: History) -> list[SentinelEvent]:
    """Return what the Sentinels said."""
    return [
        SentinelEvent(event.at_s, history.instance_name(event.sentinel), event.event, event.payload)
        for event in history.events
    ]


def roles(history: History) -> dict[str, list[RoleSpan]]:
    """Return, by seat, the stretches of samples that say the same."""
    spans: dict[str, list[RoleSpan]] = defaultdict(list)
    for sample in history.roles:
        seat, at = history.instance_name(sample.instance), sample.completed / MICRO
        last = spans[seat][-1] if spans[seat] else None
        if last is not None:
            spans[seat][-1] = RoleSpan(last.start, at, last.role)
        if last is None or last.role != sample.role:
            spans[seat].append(RoleSpan(at, at, sample.role))
    return dict(sorted(spans.items()))


def services(history: History) -> dict[str, list[ServiceSpan]]:
    """Return, by Service, the stretches in which new connections led to the same instance."""
    spans: dict[str, list[ServiceSpan]] = defaultdict(list)
    for sample in history.services:
        seat = history.instance_name(sample.instance) if sample.instance >= 0 else None
        at, role = sample.completed / MICRO, sample.role or ""
        last = spans[sample.service][-1] if spans[sample.service] else None
        if last is not None:
            spans[sample.service][-1] = ServiceSpan(last.start, at, last.seat, last.role)
        if last is None or (last.seat, last.role) != (seat, role):
            spans[sample.service].append(ServiceSpan(at, at, seat, role))
    return dict(sorted(spans.items()))


def views(history: History) -> dict[str, list[ViewSpan]]:
    """Return, by Sentinel, the stretches in which it named the same primary with the same flags."""
    by_sentinel = defaultdict(list)
    for view in history.views:
        by_sentinel[view.sentinel].append(view)
    ended = history.duration_s
    return {
        history.instance_name(sentinel): [
            ViewSpan(
                view.at / MICRO,
                after.at / MICRO if after else ended,
                history.name_at(view.primary) if view.primary else None,
                view.flags or "",
            )
            for view, after in pairwise([*found, None])
            if view is not None
        ]
        for sentinel, found in sorted(by_sentinel.items())
    }


def names(history: History) -> list[NameChange]:
    """Return every change of what a name resolved to; what it resolved to at first is no change."""
    seen: set[str] = set()
    changes = []
    for answer in history.dns:
        if answer.host in seen:
            changes.append(NameChange(answer.at / MICRO, answer.host, answer.addresses or (), answer.error or ""))
        seen.add(answer.host)
    return changes


def judged_ops(history: History) -> list[OpsBucket]:
    """Return how many writes of the Sentinel-aware clients ended in each BUCKET_S, by outcome."""
    aware = {number for number, each in enumerate(history.writers) if each.target == AWARE}
    return _buckets(history, aware or set(range(len(history.writers))))


def other_ops(history: History) -> dict[str, list[OpsBucket]]:
    """Return the same for everybody else, by what they are called together."""
    lanes: dict[str, set[int]] = defaultdict(set)
    for number, each in enumerate(history.writers):
        if each.target != AWARE:
            lanes[each.group if each.target in _services(history) else "pinned writers"].add(number)
    found = {name: _buckets(history, numbers) for name, numbers in lanes.items()}
    readers: dict[str, set[int]] = defaultdict(set)
    for number, reader in enumerate(history.readers):
        readers["reads from the primary" if reader.target == AWARE else "reads from each seat"].add(number)
    found |= {name: _read_buckets(history, numbers) for name, numbers in readers.items()}
    return {name: buckets for name, buckets in found.items() if buckets}


def _buckets(history: History, writers: set[int]) -> list[OpsBucket]:
    writes = history.writes
    columns = zip(writes.completed, writes.outcome, writes.writer, strict=True)
    return _counted((completed, chr(outcome)) for completed, outcome, writer in columns if writer in writers)


def _read_buckets(history: History, readers: set[int]) -> list[OpsBucket]:
    return _counted((read.completed, read.outcome) for read in history.reads if read.reader in readers)


def _counted(ops: Iterable[tuple[int, str]]) -> list[OpsBucket]:
    """Empty stretches stay empty columns."""
    width = int(BUCKET_S * MICRO)
    counts = Counter((completed // width, outcome) for completed, outcome in ops)
    columns = sorted({column for column, _ in counts})
    if not columns:
        return []
    return [
        OpsBucket(column * BUCKET_S, counts[column, OK], counts[column, "f"], counts[column, "i"])
        for column in range(columns[0], columns[-1] + 1)
    ]


def attempts(anatomy: Anatomy) -> list[Attempt]:
    """Return who tried to replace the primary, and how it ended."""
    return [Attempt(each.leader, each.began, each.ended, each.outcome) for each in anatomy.tries]


def tilts(anatomy: Anatomy) -> list[Tilt]:
    """Return when each Sentinel distrusted its clock; one that was so from the beginning, from the beginning."""
    return [Tilt(each.sentinel, each.began or 0.0, each.ended) for each in anatomy.tilts]


def overlaps(split: SplitBrain) -> list[Overlap]:
    """Return the stretches of two primaries in which the stale one acknowledged something."""
    return [
        Overlap(each.rightful, each.stale, each.begin, each.end, each.acknowledged.get(each.stale, 0))
        for each in split.overlaps
        if each.acknowledged.get(each.stale, 0)
    ]


def losses(history: History) -> list[Loss]:
    """Return what each seat lacks of the acknowledged writes of each group of writers: how many, acknowledged when."""
    found: dict[tuple[str, int], list[Ints]] = defaultdict(list)
    writes = history.writes
    for sweep in history.sweeps:
        held = {} if sweep.error else kept_by(history, sweep.instance)
        for writer, indices in by_client(writes, writes.writer, writes.is_ok):
            gone = indices[~inside(writes.view(writes.sequence)[indices], held.get(writer, []))]
            if len(gone) and not sweep.error:
                found[history.writers[writer].group, sweep.instance].append(writes.view(writes.completed)[gone])
    return [
        Loss(
            group,
            history.instance_name(instance),
            sum(map(len, when)),
            min(int(each.min()) for each in when) / MICRO,
            max(int(each.max()) for each in when) / MICRO,
        )
        for (group, instance), when in sorted(found.items())
    ]


def health(history: History, anatomy: Anatomy) -> WitnessHealth:
    """Return how well the witness could see."""
    window = anatomy.window.window
    return WitnessHealth(
        max((each.lag for each in history.health), default=0) / MICRO,
        sum(each.throttled for each in history.health) / MICRO,
        window.resolution if window else 0.0,
    )


def _services(history: History) -> set[str]:
    return {each.service for each in history.services}
