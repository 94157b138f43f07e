"""The witness's own health: how late its event loop runs, so that its stall is never taken for Redis's."""

from __future__ import annotations

import asyncio
import resource
import time

from witness.journal import Journal
from witness.throttling import Throttling

TICK_S = 0.005
REPORT_S = 1.0
#: A loop this late is recorded at once, with its instant; smaller lateness is summed up once a second.
NOTABLE_LAG_S = 0.005


async def watch_health(journal: Journal) -> None:
    """Record the largest lag of each second, the CPU time used in it and the memory held, until cancelled.

    Throttling is read once a second at most, so a lag recorded in between has its share in the next record.
    """
    throttling = Throttling()
    reported, worst, used = time.monotonic(), 0.0, time.process_time()
    while True:
        due = time.monotonic() + TICK_S
        await asyncio.sleep(TICK_S)
        now = time.monotonic()  # not the loop's own time, which stands still while a callback runs
        lag = now - due
        worst = max(worst, lag)
        if lag >= NOTABLE_LAG_S or now - reported >= REPORT_S:
            cpu = time.process_time()
            used_us, throttled_us = int((cpu - used) * 1e6), throttling.since_last()
            journal.add("health", journal.now(), int(worst * 1e6), used_us, _resident_kb(), throttled_us)
            reported, worst, used = now, 0.0, cpu


def _resident_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
