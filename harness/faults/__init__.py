"""Faults: reversible disruptions, named as states, that prove that they bit and that they are healed."""

from harness.faults.base import Bench, Fault, Felled
from harness.faults.disk import AofUnwritable, ConfigReadOnly, DiskFull, OnSmallVolume
from harness.faults.disk_aof import AofDamaged, AofTailCut
from harness.faults.dns import DnsBlocked, DnsDown
from harness.faults.lifecycle import Faults
from harness.faults.network import CutOff, Isolated
from harness.faults.network_shaping import ConnectionsCut, Delayed, Lossy, Squeezed
from harness.faults.noop import Noop
from harness.faults.pods import PodsDeleted, SeatEmpty
from harness.faults.process import CpuStarved, KilledTwice, OutOfMemory, Paused, ProcessKilled
from harness.faults.rollout import RolledOut

__all__ = [
    "AofDamaged",
    "AofTailCut",
    "AofUnwritable",
    "Bench",
    "ConfigReadOnly",
    "ConnectionsCut",
    "CpuStarved",
    "CutOff",
    "Delayed",
    "DiskFull",
    "DnsBlocked",
    "DnsDown",
    "Fault",
    "Faults",
    "Felled",
    "Isolated",
    "KilledTwice",
    "Lossy",
    "Noop",
    "OnSmallVolume",
    "OutOfMemory",
    "Paused",
    "PodsDeleted",
    "ProcessKilled",
    "RolledOut",
    "SeatEmpty",
    "Squeezed",
]
