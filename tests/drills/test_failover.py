"""Check 12 of 12: losing the primary stops writes for no longer than promised, and another instance takes over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.drill import Drill
from harness.faults import (
    Bench,
    ClientsPaused,
    Fault,
    Isolated,
    KilledTwice,
    NodeDisconnected,
    NodePaused,
    NodeStopped,
    Paused,
    SeatEmpty,
    needs,
)
from harness.providers import DisconnectsNodes, PausesNodes, StopsNodes
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.drill

#: Longer than detection and election, so that the primary is missed and another one is there when it goes on.
PAUSED_S = 20.0

#: Ways to lose the primary beside those below, by name: what the provider must be able to do, and the fault.
WAYS: dict[str, tuple[type[object], Callable[[str], Fault]]] = {
    "killed_twice_in_a_row": (object, KilledTwice),
    "frozen_with_its_probes": (object, lambda seat: Paused(seat, by="freezer")),
    "isolated": (object, Isolated),
    "all_its_clients_paused": (object, lambda seat: ClientsPaused(seat, seconds=PAUSED_S)),
    "its_node_paused": (PausesNodes, NodePaused),
    "its_node_stopped": (StopsNodes, NodeStopped),
    "its_node_off_the_network": (DisconnectsNodes, NodeDisconnected),
}


@pytest.mark.core
def test_failover_when_the_primary_pod_is_deleted_and_its_seat_stays_empty(drill: Drill) -> None:
    """Deleting the primary's pod hands over to a replica: writes stand still for at most 30 s and none is lost."""
    old = drill.primary

    with drill.writing():
        with drill.felled(SeatEmpty(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.no_write_is_altered(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "planned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


@pytest.mark.core
def test_failover_when_the_primary_is_killed_with_its_pod(drill: Drill) -> None:
    """A primary killed without a word is replaced by the Sentinels: writes stand still for at most 30 s."""
    old = drill.primary

    with drill.writing():
        with drill.felled(SeatEmpty(old, abruptly=True)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "unplanned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


@pytest.mark.core
def test_failover_when_the_primary_is_paused_and_resumed(drill: Drill) -> None:
    """A frozen primary is replaced; resumed, it takes no write beside its successor, whom it follows in the end."""
    old = drill.primary

    with drill.writing():
        with drill.felled(Paused(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "unplanned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


@pytest.mark.parametrize("way", WAYS)
def test_failover_whatever_fells_the_primary(drill: Drill, bench: Bench, way: str) -> None:
    """Whatever fells the primary, another one takes over within the promise, alone, and the old one follows it."""
    capability, fault = WAYS[way]
    if refusal := needs(bench.provider, capability):
        pytest.skip(refusal)
    old = drill.primary

    with drill.writing():
        with drill.felled(fault(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "unplanned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


def test_failover_with_one_sentinel_cut_off(drill: Drill) -> None:
    """Two of three Sentinels replace a frozen primary; the third one, back, names the new one too."""
    old = drill.primary

    with drill.writing():
        with drill.felled(Isolated(SENTINEL.seats()[0])), drill.felled(Paused(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()


def test_failover_twice_in_a_row(drill: Drill) -> None:
    """A new primary that is lost as soon as all is steady is replaced as well: a completed failover delays no other."""
    first = drill.primary

    with drill.writing():
        with drill.felled(Paused(first)):
            second = drill.primary_other_than(first)
        drill.await_steady()
        with drill.felled(Paused(second)):
            third = drill.primary_other_than(second)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (third,), drill.explain()
