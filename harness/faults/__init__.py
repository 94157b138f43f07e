"""Faults: reversible disruptions, named as states, that prove that they bit and that they are healed."""

from harness.faults.base import Bench, Fault, Felled
from harness.faults.commands import PlannedBehindPause, PlannedFailover, RedisFailover
from harness.faults.commands_busy import ClientsPaused, SlowScript
from harness.faults.data_lost import DataLost
from harness.faults.disk import AofUnwritable, ConfigReadOnly, DiskFull, OnSmallVolume
from harness.faults.disk_aof import AofDamaged, AofTailCut
from harness.faults.dns import DnsBlocked, DnsDown
from harness.faults.eviction import Evicted
from harness.faults.lifecycle import Faults
from harness.faults.network import CutOff, Isolated
from harness.faults.network_shaping import ConnectionsCut, Delayed, Lossy, Squeezed
from harness.faults.nodes import NodeDisconnected, NodePaused, NodeStopped, needs
from harness.faults.nodes_drained import Drained
from harness.faults.nodes_sweep import sweep_nodes
from harness.faults.noop import Noop, Withheld
from harness.faults.pods import PodsDeleted, SeatEmpty
from harness.faults.pods_held import SeatsEmpty
from harness.faults.pods_reborn import ClaimAndPodLost
from harness.faults.process import CpuStarved, KilledTwice, OutOfMemory, Paused, ProcessKilled
from harness.faults.rollout import RolledOut
from harness.faults.sentinels import SentinelsDown, SentinelsPaused
from harness.faults.sentinels_leader import CrashAfterElection, CrashAfterPromotion, LeaderKilled
from harness.faults.sentinels_renamed import SentinelIdChanged
from harness.faults.sentinels_state import SentinelReset, SentinelStateLost
from harness.faults.settings import Configured
from harness.faults.targets import last_to_lead, seats_of

__all__ = [
    "AofDamaged",
    "AofTailCut",
    "AofUnwritable",
    "Bench",
    "ClaimAndPodLost",
    "ClientsPaused",
    "ConfigReadOnly",
    "Configured",
    "ConnectionsCut",
    "CpuStarved",
    "CrashAfterElection",
    "CrashAfterPromotion",
    "CutOff",
    "DataLost",
    "Delayed",
    "DiskFull",
    "DnsBlocked",
    "DnsDown",
    "Drained",
    "Evicted",
    "Fault",
    "Faults",
    "Felled",
    "Isolated",
    "KilledTwice",
    "LeaderKilled",
    "Lossy",
    "NodeDisconnected",
    "NodePaused",
    "NodeStopped",
    "Noop",
    "OnSmallVolume",
    "OutOfMemory",
    "Paused",
    "PlannedBehindPause",
    "PlannedFailover",
    "PodsDeleted",
    "ProcessKilled",
    "RedisFailover",
    "RolledOut",
    "SeatEmpty",
    "SeatsEmpty",
    "SentinelIdChanged",
    "SentinelReset",
    "SentinelStateLost",
    "SentinelsDown",
    "SentinelsPaused",
    "SlowScript",
    "Squeezed",
    "Withheld",
    "last_to_lead",
    "needs",
    "seats_of",
    "sweep_nodes",
]
