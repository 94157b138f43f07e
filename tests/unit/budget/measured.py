"""Times that were measured on loopback, and the configuration that they were measured with.

Redis 7.0.15, 10 runs with SIGKILL and 5 with SIGSTOP, a fresh topology each; seconds after the signal.
"""

from __future__ import annotations

from harness.budget import Configuration, Environment

CONFIGURATION = Configuration(
    down_after=5.0, failover_timeout=30.0, parallel_syncs=1, quorum=2, sentinels=3, sentinels_due=3, replicas=2
)
#: Everything on one machine, a client with timeouts of 0.5 s.
ENVIRONMENT = Environment(round_trip=0.001, lag=0.005)

MARKS = (
    "first +sdown",
    "last +sdown",
    "+odown",
    "+elected-leader",
    "+failover-state-wait-promotion",
    "+promoted-slave",
    "first +switch-master",
    "last +switch-master",
    "first ok write",
)
#: Minimum, median and maximum of each mark.
SIGKILL = dict(
    zip(
        MARKS,
        (
            (5.018, 5.043, 5.101),
            (5.049, 5.095, 5.161),
            (5.105, 5.146, 5.214),
            (5.158, 5.208, 5.282),
            (5.279, 5.377, 5.429),
            (6.121, 6.201, 6.303),
            (6.198, 6.281, 6.362),
            (7.200, 7.314, 7.362),
            (6.241, 6.310, 6.392),
        ),
        strict=True,
    )
)
SIGSTOP = dict(
    zip(
        MARKS,
        (
            (5.425, 5.656, 6.028),
            (5.492, 5.788, 6.127),
            (5.521, 5.868, 6.134),
            (5.579, 5.935, 6.186),
            (5.717, 6.068, 6.354),
            (6.582, 6.894, 7.205),
            (6.660, 6.954, 7.283),
            (7.711, 8.018, 8.333),
            (6.667, 6.956, 7.300),
        ),
        strict=True,
    )
)
#: Write gaps of a hand-over with CLIENT PAUSE WRITE (shortest and longest of 5), of leaders that died in mid-attempt,
#: and of Sentinels in TILT.
HAND_OVERS, SECOND_ATTEMPTS, IN_TILT = (1.1, 2.8), (66.2, 66.4), 30.5
