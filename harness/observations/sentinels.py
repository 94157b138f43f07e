"""Whether the Sentinels can keep what they learn."""

from __future__ import annotations

from functools import partial

from harness.sut import Sut, Topology


def unwritable_configurations(sut: Sut, topology: Topology) -> list[str]:
    """Return a finding for each Sentinel that cannot write its configuration.

    A Sentinel whose directory is read-only runs on, logs one line and forgets votes and primaries at its next start
    (sentinel-facts.md §2.5); SENTINEL FLUSHCONFIG writes it now and says so.
    """
    seats = [view.seat for view in topology.sentinels]
    replies = sut.cluster.gather([partial(sut.ask, seat, "SENTINEL FLUSHCONFIG") for seat in seats])
    return [
        f"{seat} cannot write its configuration: {reply[0]}; it forgets what it learned when it restarts"
        for seat, reply in zip(seats, replies, strict=True)
        if reply[0] != "OK"
    ]
