"""The nemesis: a seeded schedule of composed faults for a long run, replayed exactly, and shrunk when it fails."""

from harness.nemesis.draw import draw
from harness.nemesis.entries import MENU
from harness.nemesis.leg import Leg
from harness.nemesis.menu import Entry, Menu
from harness.nemesis.schedule import Group, Schedule, ScheduleError, Step, from_json, load
from harness.nemesis.shrink import Shrunk, shrink
from harness.nemesis.soak import Outcome, Soak

__all__ = [
    "MENU",
    "Entry",
    "Group",
    "Leg",
    "Menu",
    "Outcome",
    "Schedule",
    "ScheduleError",
    "Shrunk",
    "Soak",
    "Step",
    "draw",
    "from_json",
    "load",
    "shrink",
]
