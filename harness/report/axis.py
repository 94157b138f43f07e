"""The time axis of a drill's picture: which part of the drill is shown, and where an instant lies."""

from __future__ import annotations

from dataclasses import dataclass

from harness.report.record import DrillRecord

WIDTH, LEFT, RIGHT = 1120.0, 148.0, 12.0
BEFORE_S, AFTER_S = 1.5, 1.5


@dataclass(frozen=True, slots=True)
class Axis:
    """Seconds since the drill's zero, to pixels."""

    start: float
    end: float

    def x(self, second: float) -> float:
        """Return the pixel of an instant; what lies outside is drawn at the edge."""
        inside = min(max(second, self.start), self.end)
        return LEFT + (inside - self.start) / (self.end - self.start) * (WIDTH - LEFT - RIGHT)

    def shows(self, second: float) -> bool:
        """Whether an instant lies within the picture."""
        return self.start <= second <= self.end


def axis_of(record: DrillRecord, zero: float) -> Axis:
    """Show from just before the fault to a little after things are well again; later healing runs over the edge."""
    telling = [phase.at_s for phase in record.phases]
    telling += [window.end - zero for window in record.windows if window.end is not None]
    telling += [overlap.end - zero for overlap in record.overlaps if overlap.end is not None]
    telling += [tilt.end - zero for tilt in record.tilts if tilt.end is not None]
    begins = [window.start - zero for window in record.windows]
    known = [bucket.t - zero for bucket in record.ops]
    known += [span.end - zero for spans in record.roles.values() for span in spans]
    known += [event.at - zero for event in record.sentinel_events]
    end = max(telling or known or [1.0])
    end += max(AFTER_S, 0.12 * end)
    end = min(end, max([*known, *telling, 1.0]))
    start = min([-BEFORE_S, *(begin - BEFORE_S / 2 for begin in begins)])
    return Axis(max(start, min([*known, -BEFORE_S])), end)
