from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from harness.checkers import lost_writes, split_brain
from harness.history import History
from harness.workload import Writers
from tests.unit.instruments.scene import await_acks, felled, own_count, running_scene

#: A returned primary is demoted when it has said so for four publish periods (sentinel.c): about two seconds here.
PUBLISH_MS = 500
UNPACED = 0


class SplitBrain(NamedTuple):
    """The stale primaries, for how many seconds in all, and how much they acknowledged meanwhile."""

    stale: set[str]
    duration: float
    acknowledged: int


def split_brain_of(history: History) -> SplitBrain:
    """What the checker says, which must bark."""
    found = split_brain(history, at_most=0.0)
    assert found.valid is False, found.explain()
    return SplitBrain(
        {each.stale for each in found.overlaps},
        sum(each.duration for each in found.overlaps),
        sum(each.acknowledged[each.stale] for each in found.overlaps),
    )


def test_pinned_writer_on_a_paused_and_resumed_primary_loses_exactly_what_is_counted(tmp_path: Path) -> None:
    """SIGSTOP, a promotion, SIGCONT: thousands of writes lost by the pinned writer, none by the one that asks."""
    groups = [
        Writers(name="aware", connections=2, rate=200),
        Writers(name="pinned", target="redis-0", connections=4, rate=UNPACED),
    ]
    with running_scene(tmp_path) as scene:
        for sentinel in scene.topology.sentinels.values():
            sentinel.client().execute_command("SENTINEL", "DEBUG", "publish-period", PUBLISH_MS)
        old = scene.topology.redises["redis-0"]
        with scene.recording("stale", writers=groups) as recording:
            paused = felled(recording, f"paused({old.name})", old.pause)
            await_acks(recording, paused)
            resumed = time.monotonic()
            old.resume()
            scene.await_demotion(old.name)
            demoted = time.monotonic()
        history = recording.history
        new = scene.topology.named_primary()
        counted = own_count(recording.path, new)

    lost, aware = lost_writes(history, group="pinned"), lost_writes(history)
    split = split_brain_of(history)

    assert counted.missing.keys() == {"pinned"}, counted
    assert counted.missing["pinned"] > 1000, counted
    assert lost.valid is False, lost.explain()
    assert lost.lost[new.name] == counted.missing["pinned"], lost.explain()
    assert lost.by_group == {"aware": 0, "pinned": counted.missing["pinned"]}, lost.explain()
    assert aware.valid is True, aware.explain()
    assert split.stale == {old.name}
    assert 3 * PUBLISH_MS / 1000 < split.duration < demoted - resumed, (split, demoted - resumed)
    # Both claims are proven from sample to sample; what was acknowledged at the edges lies outside.
    assert 0.5 * counted.missing["pinned"] < split.acknowledged <= counted.missing["pinned"], (split, counted)
