"""Names are not resolved: by nobody while the primary is lost, or at one Sentinel alone."""

from __future__ import annotations

import pytest

from harness.budget import TILT
from harness.drill import Drill
from harness.faults import DnsBlocked, DnsDown, SeatEmpty
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.drill


def test_dns_down_sentinels_that_are_told_no_names_do_not_replace_a_dead_primary(drill: Drill) -> None:
    """Without name resolution most Sentinels cannot act, so a dead primary is replaced only after names are back.

    A lookup that is not answered takes a Sentinel's only thread a second or more; two in one turn are TILT (30 s, begun
    anew each time), several keep it from answering at all. Which of them meets what is chance.
    """
    old = drill.primary

    with drill.writing():
        with drill.felled_for_a_while(DnsDown(observed_at=drill.replicas[0])) as names_return:
            drill.await_most_sentinels_out_of_action()
            with drill.felled(SeatEmpty(old, abruptly=True)):
                drill.nobody_is_promoted_beside(old)
                names_return()
                new = drill.primary_other_than(old)
                drill.await_writes()
        drill.await_steady()

    assert drill.replaced_within_the_course(TILT, after_healing="dns_down"), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="seat_empty"), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()


def test_dns_blocked_at_one_of_the_sentinels_alone_leaves_it_to_the_other_two(drill: Drill) -> None:
    """A Sentinel that resolves no names does nothing; the other two replace a dead primary within the promise."""
    old = drill.primary
    deaf = SENTINEL.seats()[0]

    with drill.writing():
        with drill.felled(DnsBlocked(deaf, fails="slow")):
            drill.await_out_of_action(deaf)
            with drill.felled(SeatEmpty(old, abruptly=True)):
                new = drill.primary_other_than(old)
                drill.await_writes()
        drill.await_steady()

    assert drill.did_not_lead(deaf), drill.explain()
    assert drill.write_gap_is_within_the_promise(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.only_writes_within_the_replication_lag_are_lost(after="seat_empty"), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.now.primaries == (new,), drill.explain()
