"""The cool-down after an aborted failover, read from a Sentinel's log: no command tells it.

A Sentinel that tried a failover, or voted for another's try, starts none itself for 2 x failover-timeout after that
moment (sentinel.c, sentinelStartFailoverIfNeeded and sentinelVoteLeader); a completed failover clears the clock
(sentinelResetMaster). A failover drill within that time would call a healthy deployment broken: a plain script of the
report's tests failed 5 of 10 times right after a rollout.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

#: ``7:X 23 Nov 2026 07:19:11.123 * +vote-for-leader …``; containers run in UTC.
LINE = re.compile(r"^\d+:[XMSC] (\d{1,2} \w{3} \d{4} \d{2}:\d{2}:\d{2}\.\d{3}) [.\-*#] (\S+)", re.MULTILINE)
STARTS = frozenset({"+try-failover", "+vote-for-leader"})
CLEARS = frozenset({"+switch-master", "+reset-master", "+config-update-from"})

#: sentinel.c adds up to one second of random desynchronisation to the moment.
DESYNC_S = 1.0


def cooling_down_s(log: str, failover_timeout_s: float, now: datetime) -> float:
    """Return for how many seconds after `now` (UTC) the Sentinel with this `log` starts no failover; 0 when it may.

    The log must reach back 2 x failover-timeout, and holds the running process only: a restart forgets the clock.
    """
    tried: datetime | None = None
    for stamp, event in LINE.findall(log):
        if event in STARTS:
            tried = datetime.strptime(stamp, "%d %b %Y %H:%M:%S.%f").replace(tzinfo=UTC)
        elif event in CLEARS:
            tried = None
    if tried is None:
        return 0.0
    return max(0.0, 2 * failover_timeout_s + DESYNC_S - (now - tried).total_seconds())
