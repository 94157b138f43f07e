"""Parts of the deployment cannot hear each other: who is primary, what is taken on the wrong side, what is lost."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import Configured, CutOff, Isolated
from harness.witness_pod import NAME as WITNESS

pytestmark = pytest.mark.drill

MIN_REPLICAS = "min-replicas-to-write"


@pytest.mark.core
def test_partition_primary_alone_with_a_client(drill: Drill) -> None:
    """A primary cut off with a client on its side takes writes for min-replicas-max-lag at most; only they are lost."""
    old = drill.primary

    with drill.writing():
        with drill.felled(Isolated(old, but=[WITNESS])):
            new = drill.primary_other_than(old)
            drill.stale_primary_refuses_writes(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.a_stale_primary_takes_writes_for_at_most(drill.allowed_lag_s), drill.explain()
    assert drill.only_what_was_acknowledged_alone_is_lost(old), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert old in drill.now.replicas, drill.explain()


def test_partition_primary_alone_without_min_replicas_takes_writes_until_it_ends(drill: Drill) -> None:
    """Without min-replicas-to-write a primary cut off with a client takes writes for as long as that lasts: all lost.

    What the drill above shows, with nothing changed but the setting: it is what bounds the harm, and the checkers see
    the harm where it is.
    """
    old = drill.primary
    one, other = drill.replicas

    with drill.writing():
        with (
            drill.felled(Configured(old, MIN_REPLICAS, 0)),
            drill.felled(Configured(one, MIN_REPLICAS, 0)),
            drill.felled(Configured(other, MIN_REPLICAS, 0)),
            drill.felled(Isolated(old, but=[WITNESS])),
        ):
            new = drill.primary_other_than(old)
            drill.goes_on_taking_writes(old)
        drill.await_writes()
        drill.await_steady()

    assert drill.a_stale_primary_took_writes_for_at_least(drill.allowed_lag_s), drill.explain()
    assert drill.two_primaries_from_the_replacement_to_the_healing_of("isolated"), drill.explain()
    assert drill.exactly_what_was_taken_alone_is_lost("isolated"), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
    assert drill.configuration_is_as_before(), drill.explain()


def test_partition_primary_cut_off_from_everybody(drill: Drill) -> None:
    """A primary that nobody hears is replaced; heard again it takes writes for min-replicas-max-lag at most.

    It does not know yet that its replicas have left: their goodbyes were lost with everything else.
    """
    old = drill.primary

    with drill.writing():
        with drill.felled(Isolated(old)):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.is_within_budget(), drill.explain()
    assert drill.a_stale_primary_takes_writes_for_at_most(drill.allowed_lag_s), drill.explain()
    assert drill.only_what_a_stale_primary_took_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()


def test_partition_primary_cut_off_from_the_sentinels_alone(drill: Drill) -> None:
    """A primary that only the Sentinels do not hear is replaced; its replicas leave it, so it takes no more writes."""
    old = drill.primary

    with drill.writing():
        with drill.felled(CutOff(old, from_="sentinels")):
            new = drill.primary_other_than(old)
            drill.await_writes()
        drill.await_steady()

    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.a_stale_primary_takes_writes_for_at_most(drill.allowed_lag_s), drill.explain()
    assert drill.only_what_a_stale_primary_took_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()


def test_partition_primary_cut_off_from_its_replicas(drill: Drill) -> None:
    """A primary without its replicas refuses writes after min-replicas-max-lag, is not replaced, and loses nothing."""
    old = drill.primary

    with drill.writing():
        with drill.felled(CutOff(old, from_="redis")):
            drill.stale_primary_refuses_writes(old)
            drill.nobody_is_promoted_beside(old)
        drill.await_writes()
        drill.await_steady()

    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (old,), drill.explain()
