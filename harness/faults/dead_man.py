"""How long a fault may outlive the run that injected it: each has a timer that heals it then, whoever is left."""

from __future__ import annotations

#: Longer than any drill keeps a fault (detection, an election, and a second try after 60 s), and short enough to wait
#: for when a run was killed.
TIMER_S = 180.0


class _DeadMan:
    """The longest time of any timer of this process."""

    seconds = TIMER_S


def set_dead_mans_time(seconds: float) -> None:
    """Let no timer that is armed from now on run for longer than `seconds` (``--dead-man``)."""
    _DeadMan.seconds = seconds


def dead_mans_time() -> float:
    """Return the longest time of any timer, in seconds."""
    return _DeadMan.seconds
