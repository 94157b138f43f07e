"""Which Sentinel events tell most, for pictures that cannot label them all."""

from __future__ import annotations

#: Events worth a label first; the others get theirs where there is room. A follower's vote says less than its switch.
TELLING = (
    "+switch-master",
    "+sdown",
    "+odown",
    "+promoted-slave",
    "+elected-leader",
    "+reboot",
    "-failover-abort",
    "+tilt",
)


def rank(event: str) -> int:
    """Return the place of an event among those that tell most, 0 first; `len(TELLING)` for all others."""
    return next((place for place, name in enumerate(TELLING) if event.startswith(name)), len(TELLING))
