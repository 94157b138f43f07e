"""Probes tell busy from dead and in step from in sync: who is ended, who gets requests."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import ClaimAndPodLost, ClientsPaused, ProcessKilled, SlowScript, Squeezed

pytestmark = pytest.mark.drill

#: So much more to fetch, over so narrow a line, takes a sync some 25 s.
MORE_MIB, NARROW_KBIT = 6, 2000


def test_probes_let_a_server_live_that_is_silent_for_longer_than_their_period(drill: Drill) -> None:
    """A replica that answers nobody for longer than the liveness period, but not until its end, is not restarted."""
    seat = drill.replicas[0]
    period, end = drill.liveness_s(seat)
    silence = ClientsPaused(seat, seconds=(2 * period + end) / 3)

    with drill.writing():
        with drill.felled(silence) as silent:
            drill.await_writes()
        drill.await_steady()

    assert drill.lasted_longer_than(period, silent), drill.explain()
    assert drill.nobody_was_restarted(), drill.explain()
    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()


def test_probes_let_a_server_live_that_runs_a_slow_script(drill: Drill) -> None:
    """A replica busy with a script for longer than down-after is not restarted: BUSY is an answer.

    A Sentinel that holds it for down ends the script (SCRIPT KILL), so it does not run for as long as it was to.
    """
    seat = drill.replicas[1]
    period, _ = drill.liveness_s(seat)
    script = SlowScript(seat, seconds=2 * period)

    with drill.writing():
        with drill.felled(script):
            drill.keeps_its_primary_for_as_long_as_detection_could_take(drill.primary)
        drill.await_steady()

    assert (script.lasted_s or 0.0) > drill.down_after_s, drill.explain()
    assert drill.nobody_was_restarted(), drill.explain()
    assert drill.nobody_tried_to_replace_the_primary(), drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()


def test_probes_keep_a_replica_out_of_service_until_it_is_in_step(drill: Drill) -> None:
    """A replica that came back with nothing is not Ready as long as its full sync lasts."""
    seat = drill.replicas[0]

    with (
        drill.ballast(MORE_MIB),
        drill.felled(Squeezed(drill.primary, kbit=NARROW_KBIT)),
        drill.felled(ClaimAndPodLost(seat)),
    ):
        drill.is_not_ready_while_it_syncs(seat)
    drill.await_steady()

    assert seat in drill.now.replicas, drill.explain()


def test_probes_restart_nobody_but_who_was_killed(drill: Drill) -> None:
    """Of all containers only the one whose process was killed is restarted, once, in the same pod."""
    seat = drill.replicas[1]

    with drill.writing():
        with drill.felled(ProcessKilled(seat)):
            drill.await_writes()
        drill.await_steady()

    assert drill.exactly_these_were_restarted({seat: 1}), drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
