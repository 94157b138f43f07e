"""The primary's process dies and is back before anybody calls it down: nothing is to be handed over."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import CpuStarved, OutOfMemory, ProcessKilled

pytestmark = pytest.mark.drill


@pytest.mark.core
def test_primary_killed_in_place_is_back_before_it_is_missed(drill: Drill) -> None:
    """The primary's process, killed in place, is back before down-after: it stays primary, its AOF has every write."""
    drill.renew_pods_that_restarted()
    old = drill.primary

    with drill.writing():
        drill.await_writes_that_the_aof_must_have()
        with drill.felled(ProcessKilled(old)):
            drill.await_writes()
            drill.keeps_its_primary_for_as_long_as_detection_could_take(old)
        drill.await_steady()

    assert drill.kind == "reboot", drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.only_writes_that_the_aof_may_lack_are_lost(), drill.explain()
    assert drill.now.primaries == (old,), drill.explain()


def test_primary_killed_for_its_memory_is_back_before_it_is_missed(drill: Drill) -> None:
    """The primary, killed by the kernel for its memory, is back before down-after and has what its AOF must have."""
    drill.renew_pods_that_restarted()
    old = drill.primary

    with drill.writing():
        drill.await_writes_that_the_aof_must_have()
        with drill.felled(OutOfMemory(old)):
            drill.await_writes()
            drill.keeps_its_primary_for_as_long_as_detection_could_take(old)
        drill.await_steady()

    assert drill.kind == "reboot", drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.only_writes_that_the_aof_may_lack_are_lost(), drill.explain()
    assert drill.now.primaries == (old,), drill.explain()


def test_primary_starved_of_cpu_is_not_replaced(drill: Drill) -> None:
    """A primary with a twentieth of a CPU is slow and not down: nobody replaces or restarts it, nothing is lost."""
    old = drill.primary

    with drill.writing():
        with drill.felled(CpuStarved(old)):
            drill.keeps_its_primary_for_as_long_as_detection_could_take(old)
        drill.await_writes()
        drill.await_steady()

    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.nobody_was_restarted(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (old,), drill.explain()
