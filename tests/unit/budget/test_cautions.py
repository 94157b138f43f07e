"""Each caution where the configuration warrants it, and only there."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from harness.budget import Configuration, budget, cautions

#: Nothing to be said about it: fast retries, fenced, persistent, handed over, three Sentinels of which two decide.
SOUND = Configuration(
    down_after=1.0,
    failover_timeout=5.0,
    parallel_syncs=1,
    quorum=2,
    sentinels=3,
    sentinels_due=3,
    replicas=2,
    tilt_period=5.0,
    min_replicas_to_write=1,
    repl_timeout=20.0,
    diskless_sync_delay=0.0,
    has_pre_stop=True,
    grace=60.0,
)


def names(**changed: Any) -> list[str]:
    """The cautions on the sound configuration with something changed."""
    return [each.name for each in cautions(budget(dataclasses.replace(SOUND, **changed)), 30.0)]


def test_sound_configuration_warrants_none() -> None:
    assert names() == []


CASES = [
    ({"failover_timeout": 30.0}, ["retry"]),
    ({"tilt_period": 30.0}, ["tilt"]),
    ({"quorum": 4}, ["quorum-unreachable", "no-spare-sentinel"]),
    ({"quorum": 3}, ["quorum-above-majority", "no-spare-sentinel"]),
    ({"quorum": 1}, ["quorum-below-majority"]),
    ({"sentinels": 4, "sentinels_due": 4, "quorum": 3}, ["even"]),
    ({"sentinels": 2, "sentinels_due": 2}, ["even", "no-spare-sentinel"]),
    ({"sentinels": 5, "quorum": 3}, ["ghosts"]),
    ({"min_replicas_to_write": 0}, ["no-fence"]),
    ({"min_replicas_to_write": 2}, ["fence-too-high"]),
    ({"is_persistent": False}, ["wiped"]),
    ({"repl_timeout": 60.0}, ["repl-timeout"]),
    ({"diskless_sync_delay": 5.0}, ["sync-delay"]),
    ({"down_after": 5.0}, ["reboot"]),
    ({"has_pre_stop": False}, ["no-hand-over"]),
    ({"grace": 30.0}, ["grace"]),
    ({"disagreements": ("quorum is not the same everywhere",)}, ["disagreement"]),
]


@pytest.mark.parametrize(("changed", "expected"), CASES, ids=[expected[0] for _, expected in CASES])
def test_each_detail_has_its_caution(changed: dict[str, Any], expected: list[str]) -> None:
    assert names(**changed) == expected


def test_cliff_is_told_with_its_figures() -> None:
    """With the report's settings a first attempt that fails costs 60 s more than the promised 30."""
    found = cautions(budget(dataclasses.replace(SOUND, down_after=5.0, failover_timeout=30.0)), 30.0)

    assert "2 x failover-timeout = 60 s later: 65.0 to" in found[0].text
