"""Nodes are emptied or lost: budgets are honoured, the primary hands over, and nothing is lost."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import Bench, Drained, Evicted, NodeStopped, needs
from harness.providers import StopsNodes
from harness.sut.names import REDIS

pytestmark = pytest.mark.drill


def test_node_of_the_primary_drained(drill: Drill) -> None:
    """Draining the primary's node hands over to a replica: no acknowledged write is lost, the gap is 30 s at most."""
    old = drill.primary

    with drill.writing():
        with drill.felled(Drained(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.kind == "planned", drill.explain()
    assert drill.now.primaries == (new,), drill.explain()


def test_node_of_a_replica_drained(drill: Drill) -> None:
    """Draining a replica's node changes nothing for clients."""
    with drill.writing():
        with drill.felled(Drained(drill.replicas[0])):
            drill.await_writes()
        drill.await_steady()

    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_node_eviction_beyond_the_budget_is_refused(drill: Drill) -> None:
    """Of two replicas asked to leave at once the second is refused by the disruption budget, and writes go on."""
    eviction = Evicted(*drill.replicas)

    with drill.writing():
        with drill.felled(eviction):
            drill.await_writes()
        drill.await_steady()

    assert eviction.refused, drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()


def test_node_after_node_drained(drill: Drill) -> None:
    """Every node drained in turn: the Sentinels never lose their majority, and no acknowledged write is lost."""
    with drill.writing():
        for seat in REDIS.seats():
            with drill.felled(Drained(seat)):
                drill.await_writes()
            drill.await_steady()

    assert drill.sentinels_went_and_their_majority_stayed(), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()


def test_node_stopped_takes_one_redis_and_one_sentinel(drill: Drill, bench: Bench) -> None:
    """A replica's node without power takes one Redis and one Sentinel along: nobody is replaced, writes go on."""
    if refusal := needs(bench.provider, StopsNodes):
        pytest.skip(refusal)
    old = drill.primary

    with drill.writing():
        with drill.felled(NodeStopped(drill.replicas[0])):
            lost = drill.seats_without_an_answer()
            drill.keeps_its_primary_for_as_long_as_detection_could_take(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.is_one_of_each(lost), lost
    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (old,), drill.explain()
