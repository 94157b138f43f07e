"""Makes the stored histories anew: ``python -m tests.unit.checkers.make_histories`` (see histories/README.md).

One good drill, and the same with one thing wrong in each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.unit.history.made import (
    NUMBER,
    Row,
    S,
    digests,
    file_of,
    in_order,
    named,
    read,
    samples,
    sweep,
    write,
)

FOLDER = Path(__file__).parent / "histories"
READERS = ("sentinel", "redis-2")
HELD = {0: [[0, 119]], 1: [[0, 59]]}

Rows = list[Row]


def good() -> Rows:
    """A planned hand-over at 3 s: writes every 50 ms, half a second without, the old primary refuses and is demoted."""
    aware = [write(n, 0.05 * (n + 1)) for n in range(60)]
    aware += [write(n, 0.5 + 0.05 * (n + 1), by="redis-1") for n in range(60, 120)]
    pinned = [write(n, 0.02 + 0.05 * (n + 1), writer=1) for n in range(60)]
    pinned += [write(60 + n, 3.06 + 0.1 * n, "f", writer=1, error="readonly") for n in range(10)]
    reads = [read(n, 0.05 * (n + 1) + 0.003) for n in range(0, 58, 2)]
    reads += [read(n, 0.5 + 0.05 * (n + 1) + 0.003, by="redis-1") for n in range(62, 118, 2)]
    reads += [read(max(0, n - 1), 0.05 * (n + 1) + 0.003, by="redis-2", reader=1, expected=n) for n in range(0, 58, 2)]
    roles = in_order(
        samples("redis-0", "primary", 0, 3.4),
        samples("redis-0", "replica", 3.5, 6.5),
        samples("redis-1", "replica", 0, 3.1),
        samples("redis-1", "primary", 3.2, 6.5),
        samples("redis-2", "replica", 0, 6.5),
    )
    mark = ["fault", "handed_over(redis-0)", "inject", 3 * S, 3 * S + 1000, 100]
    return [
        *in_time([*aware, *pinned, *reads, *roles, *named("redis-1", 3.3)]),
        *ends(HELD),
        *digests(redis_0="aa", redis_1="aa", redis_2="aa"),
        mark,
    ]


def in_time(rows: Rows) -> Rows:
    """Records in the order in which they became known, as a journal has them; the final sweep stays last."""
    invoked = {"w": 3, "r": 2, "role": 2}

    def known(row: Row) -> int:
        place = invoked.get(row[0])
        return int(row[place] + row[place + 1]) if place else int(row[2]) if row[0] == "view" else 50 * S

    return sorted(rows, key=known)


def ends(*held: dict[int, list[list[int]]]) -> Rows:
    """The sweep: all the same, or the last two differ from the first."""
    first, second, third = held * 3 if len(held) == 1 else held
    return [
        *sweep("redis-0", first, says="replica"),
        *sweep("redis-1", second),
        *sweep("redis-2", third, says="replica"),
    ]


def lost_write() -> Rows:
    """Write 0.59 was acknowledged by the old primary and is nowhere."""
    return swept_with(good(), {0: [[0, 58], [60, 119]], 1: [[0, 59]]})


def resurrected() -> Rows:
    """Write 1.60 was refused as certainly not applied, and is everywhere."""
    return swept_with(good(), {0: [[0, 119]], 1: [[0, 60]]})


def duplicated() -> Rows:
    """Write 0.70 was acknowledged, but its field had been there already."""
    return [[*row, "again"] if row[:3] == ["w", 0, 70] else row for row in good()]


def rolled_back() -> Rows:
    """The Sentinel-aware reader saw 0.56 on the old primary, and first only 0.50 on the new one."""
    return in_time([*good(), read(50, 3.58, by="redis-1", expected=59)])


def split_brain() -> Rows:
    """The old primary went on to acknowledge the pinned writer's writes for 0.3 s; they are lost."""
    rows = [row for row in good() if not (row[0] == "w" and row[1] == 1 and row[2] >= 60)]
    return in_time([*rows, *(write(60 + n, 3.56 + 0.1 * n, writer=1) for n in range(4))])


def stale() -> Rows:
    """The replica answers for two seconds with what it had at 0.5 s."""
    return [[*row[:8], min(row[8], 8)] if row[0] == "r" and row[1] == 1 else row for row in good()]


def outage() -> Rows:
    """Nothing was acknowledged to Sentinel-aware writers for 1.5 s: 0.60 to 0.79 met a refusal."""
    return [
        [*row[:5], "f", -1, "no-primary"] if row[0] == "w" and row[1] == 0 and 60 <= row[2] < 80 else row
        for row in swept_with(good(), {0: [[0, 59], [80, 119]], 1: [[0, 59]]})
    ]


def diverged() -> Rows:
    """One replica holds something else than the others, though it is in step."""
    return [[*row[:5], "bb"] if row[0] == "digest" and row[1] == NUMBER["redis-2"] else row for row in good()]


def vacuous() -> Rows:
    """Everybody was there, nobody succeeded: no write acknowledged, no read answered, nothing swept."""
    kept = [row for row in good() if row[0] not in {"kept", "sweep", "digest"}]
    return [
        [*row[:5], "f", -1, "refused"] if row[0] == "w" else [*row[:4], "f", -1, row[6], -1, -1, "refused"]
        if row[0] == "r" else row
        for row in kept
    ]  # fmt: skip


def swept_with(rows: Rows, held: dict[int, list[list[int]]]) -> Rows:
    """The same with another sweep."""
    return [*(row for row in rows if row[0] not in {"kept", "sweep"}), *ends(held)]


HISTORIES: tuple[Callable[[], Rows], ...] = (
    good, lost_write, resurrected, duplicated, rolled_back, split_brain, stale, outage, diverged, vacuous,
)  # fmt: skip

if __name__ == "__main__":
    for make in HISTORIES:
        file_of(FOLDER / f"{make.__name__}.jsonl", make(), readers=READERS, pinned=1)
