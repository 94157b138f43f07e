"""Faults: reversible disruptions, named as states, that prove that they bit and that they are healed."""

from harness.faults.base import Bench, Fault, Felled
from harness.faults.lifecycle import Faults
from harness.faults.noop import Noop
from harness.faults.pods import PodsDeleted, SeatEmpty
from harness.faults.process import ProcessKilled
from harness.faults.rollout import RolledOut

__all__ = ["Bench", "Fault", "Faults", "Felled", "Noop", "PodsDeleted", "ProcessKilled", "RolledOut", "SeatEmpty"]
