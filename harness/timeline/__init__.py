"""The anatomy of a failover: its phases on one clock, who tried it, what kept Sentinels from it."""

from harness.timeline.anatomy import NONE, PLANNED, UNPLANNED, Anatomy, Phase, anatomy
from harness.timeline.attempts import Attempt
from harness.timeline.incidents import Promotion, Reboot, Tilt

__all__ = ["NONE", "PLANNED", "UNPLANNED", "Anatomy", "Attempt", "Phase", "Promotion", "Reboot", "Tilt", "anatomy"]
