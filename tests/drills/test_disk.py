"""The disk says no: what clients are told, who takes over, and what is there once it says yes again."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import AofDamaged, AofTailCut, AofUnwritable, Bench, ConfigReadOnly, DiskFull, OnSmallVolume
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.drill


@pytest.mark.core
def test_disk_of_the_primary_unwritable(drill: Drill) -> None:
    """A primary that cannot write its AOF refuses writes with MISCONF and is replaced; nothing acknowledged is lost."""
    old = drill.primary

    with drill.writing():
        with drill.felled(AofUnwritable(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.clients_were_told("misconf"), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()


def test_disk_of_a_replica_full(drill: Drill) -> None:
    """A replica whose volume is really full takes nothing away from clients, and catches up once there is space."""
    seat = drill.replicas[0]

    with drill.felled(OnSmallVolume(seat)):
        drill.await_steady()
        with drill.writing():
            with drill.felled(DiskFull(seat)):
                drill.await_writes()
            drill.await_steady()

    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_disk_lost_the_end_of_a_replicas_aof(drill: Drill) -> None:
    """A replica whose AOF lost its end starts all the same and has everything again."""
    with drill.dataset() as data, drill.felled(AofTailCut(drill.replicas[0])):
        drill.await_steady()

        assert data.is_whole(), data.explain()


@pytest.mark.library
def test_disk_damaged_the_aof_of_the_primary(drill: Drill) -> None:
    """A primary whose AOF is damaged in the middle does not start and is replaced; undamaged, it follows with all."""
    old = drill.primary
    with drill.dataset() as data:
        with drill.felled(AofDamaged(old)):
            new = drill.primary_other_than(old)
        drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.now.primaries == (new,), drill.explain()


def test_disk_damaged_and_the_aof_repaired_as_documented(drill: Drill, bench: Bench) -> None:
    """The documented repair lets the old primary start with what is left, and it has all again from its successor."""
    old = drill.primary
    damaged = AofDamaged(old)
    with drill.dataset() as data:
        with drill.felled(damaged):
            new = drill.primary_other_than(old)
            damaged.repair(bench)
            drill.await_replica(old)
        drill.await_steady()

        assert data.is_whole(), data.explain()

    assert drill.now.primaries == (new,), drill.explain()


def test_disk_of_a_sentinel_read_only(drill: Drill) -> None:
    """A Sentinel that cannot write its state goes on, and clients notice nothing."""
    with drill.writing():
        with drill.felled(ConfigReadOnly(SENTINEL.seats()[0])):
            drill.await_writes()
        drill.await_steady()

    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
