"""Each fault of the library by name, ready to be injected on its own: what the library's own drills go through.

A fault of the injector gets the seat of a replica: what the primary's faults lead to is for other drills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from harness.faults.base import Fault
from harness.faults.commands import PlannedBehindPause, PlannedFailover, RedisFailover
from harness.faults.commands_busy import ClientsPaused, SlowScript
from harness.faults.data_lost import DataLost
from harness.faults.disk import AofUnwritable, ConfigReadOnly, DiskFull, OnSmallVolume
from harness.faults.disk_aof import AofDamaged, AofTailCut
from harness.faults.dns import DnsBlocked, DnsDown
from harness.faults.eviction import Evicted
from harness.faults.network import CutOff, Isolated
from harness.faults.network_shaping import ConnectionsCut, Delayed, Lossy, Squeezed
from harness.faults.nodes import NodeDisconnected, NodePaused, NodeStopped
from harness.faults.nodes_drained import Drained
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
from harness.faults.targets import Word, seats_of
from harness.providers import DisconnectsNodes, PausesNodes, StopsNodes
from harness.sut import Topology
from harness.sut.names import REDIS_SET, SENTINEL_SET

Sample = Callable[[Topology], Fault]

#: Those that end a process far from each other: see `_on_replicas`.
ON_A_REPLICA: Mapping[str, Callable[[str], Fault]] = {
    "paused": Paused,
    "killed": ProcessKilled,
    "killed_twice": KilledTwice,
    "frozen": lambda seat: Paused(seat, by="freezer"),
    "cpu_starved": CpuStarved,
    "isolated": Isolated,
    "isolated_but_for_the_witness": lambda seat: Isolated(seat, but=["witness"]),
    "cut_off_from_redis": lambda seat: CutOff(seat, from_="redis"),
    "cut_off_from_sentinels": lambda seat: CutOff(seat, from_="sentinels"),
    "cut_off_from_clients": lambda seat: CutOff(seat, from_="clients"),
    "cut_off_inbound": lambda seat: CutOff(seat, from_="redis", direction="in"),
    "cut_off_outbound": lambda seat: CutOff(seat, from_="redis", direction="out"),
    "out_of_memory": OutOfMemory,
    "delayed": lambda seat: Delayed(seat, ms=100, jitter_ms=10),
    "lossy": lambda seat: Lossy(seat, share=0.3),
    "squeezed": Squeezed,
    "aof_tail_cut": AofTailCut,
    "connections_cut": ConnectionsCut,
    "dns_blocked_fast": lambda seat: DnsBlocked(seat, fails="fast"),
    "dns_blocked_slow": lambda seat: DnsBlocked(seat, fails="slow"),
    "config_read_only": lambda _: ConfigReadOnly("redis-sentinel-0"),
    "aof_unwritable": AofUnwritable,
    "dns_down": lambda _: DnsDown(),
    "aof_damaged": AofDamaged,
    "data_lost": DataLost,
}


def one(word: Word, topology: Topology) -> str:
    """Return one seat that the word means."""
    return seats_of(word, topology, seed=1)[0]


def _on_replicas() -> dict[str, Sample]:
    """The two replicas take turns: the kubelet restarts a container that ended before only after a while."""

    def make(name: str, turn: int, topology: Topology) -> Fault:
        return ON_A_REPLICA[name](topology.replicas[turn % len(topology.replicas)])

    return {name: partial(make, name, turn) for turn, name in enumerate(ON_A_REPLICA)}


INJECTED = _on_replicas()

#: One within the other: a volume is filled only where that is a small one.
NESTED: Mapping[str, Sample] = {
    "on_small_volume": lambda now: OnSmallVolume(now.replicas[0]),
    "disk_full": lambda now: DiskFull(now.replicas[0]),
}

PODS: Mapping[str, Sample] = {
    "pod deleted": lambda now: PodsDeleted([one("one_replica", now)]),
    "pod deleted by force": lambda now: PodsDeleted([one("one_replica", now)], grace_s=0),
    "seat empty": lambda now: SeatEmpty(one("one_replica", now)),
    "seats empty": lambda now: SeatsEmpty(seats_of("all_replicas", now, seed=1)),
    "everything empty abruptly": lambda now: SeatsEmpty(seats_of("everything", now, seed=1), abruptly=True),
    "evicted within the budget": lambda now: Evicted(one("one_replica", now)),
    "evicted beyond the budget": lambda now: Evicted(*seats_of("all_replicas", now, seed=1)),
    "rolled out": lambda _: RolledOut(REDIS_SET),
    "Sentinels rolled out": lambda _: RolledOut(SENTINEL_SET),
    "claim and pod lost": lambda now: ClaimAndPodLost(one("one_replica", now)),
    "Sentinel's claim and pod lost": lambda now: ClaimAndPodLost(one("one_sentinel", now)),
}

#: With what the provider must be able to do.
NODES: Mapping[str, tuple[type[object], Sample]] = {
    "primary's node paused": (PausesNodes, lambda now: NodePaused(one("primary", now))),
    "Sentinel's node paused": (PausesNodes, lambda now: NodePaused(one("one_sentinel", now))),
    "primary's node stopped": (StopsNodes, lambda now: NodeStopped(one("primary", now))),
    "primary's node off the network": (DisconnectsNodes, lambda now: NodeDisconnected(one("primary", now))),
    "replica's node drained": (object, lambda now: Drained(one("one_replica", now))),
}

#: A Sentinel each for those that end a container: from a second end on the kubelet backs off, longer each time.
SENTINELS: Mapping[str, Sample] = {
    "one down": lambda now: SentinelsDown(seats_of("one_sentinel", now, seed=1)),
    "majority down": lambda now: SentinelsDown(seats_of("sentinel_majority", now, seed=1)),
    "all paused for a moment": lambda now: SentinelsPaused([each.seat for each in now.sentinels], pause=Paused),
    "crash after election": lambda now: CrashAfterElection(now.sentinels[0].seat),
    "crash after promotion": lambda now: CrashAfterPromotion(now.sentinels[1].seat),
    "leader killed": lambda now: LeaderKilled(now.sentinels[2].seat),
    "state lost": lambda now: SentinelStateLost(one("one_sentinel", now)),
    "id changed": lambda now: SentinelIdChanged(one("one_sentinel", now)),
    "id changed, the old one still counted": lambda now: SentinelIdChanged(one("one_sentinel", now), leaves_ghost=True),
    "reset": lambda now: SentinelReset(one("one_sentinel", now)),
}

COMMANDS: Mapping[str, Sample] = {
    "planned change": lambda _: PlannedFailover(),
    "planned change behind a pause": lambda _: PlannedBehindPause(),
    "slow script shorter than down-after": lambda now: SlowScript(one("primary", now), seconds=3),
    "slow script longer than down-after": lambda now: SlowScript(one("one_replica", now), seconds=20),
    "clients paused": lambda now: ClientsPaused(one("one_replica", now), seconds=3),
    "another setting": lambda now: Configured(one("one_replica", now), "slowlog-max-len", 64),
    "hand-over behind the Sentinels' back": lambda _: RedisFailover(),
}


#: Samples that a drill with a question of its own injects in the same form, by the file of that drill: it proves that
#: they bite and heal as well. Their library drills run with `make library` only (docs/decisions/0036).
DRILLED: Mapping[str, str] = {
    "paused": "test_failover.py",
    "killed": "test_reboot.py",
    "killed_twice": "test_failover.py",
    "frozen": "test_failover.py",
    "cpu_starved": "test_reboot.py",
    "isolated": "test_partition.py",
    "isolated_but_for_the_witness": "test_partition.py",
    "cut_off_from_redis": "test_partition.py",
    "cut_off_from_sentinels": "test_partition.py",
    "out_of_memory": "test_reboot.py",
    "squeezed": "test_probes.py",
    "aof_tail_cut": "test_disk.py",
    "dns_blocked_slow": "test_dns.py",
    "config_read_only": "test_disk.py",
    "aof_unwritable": "test_disk.py",
    "dns_down": "test_dns.py",
    "aof_damaged": "test_disk.py",
    "data_lost": "test_survival.py",
    "on_small_volume": "test_disk.py",
    "disk_full": "test_disk.py",
    "pod deleted": "test_survival.py",
    "pod deleted by force": "test_survival.py",
    "seat empty": "test_failover.py",
    "seats empty": "test_survival.py",
    "everything empty abruptly": "test_survival.py",
    "evicted beyond the budget": "test_node.py",
    "rolled out": "test_rollout.py",
    "Sentinels rolled out": "test_rollout.py",
    "claim and pod lost": "test_survival.py",
    "primary's node paused": "test_failover.py",
    "Sentinel's node paused": "test_failover.py",
    "primary's node stopped": "test_failover.py",
    "primary's node off the network": "test_failover.py",
    "replica's node drained": "test_node.py",
    "one down": "test_quorum.py",
    "majority down": "test_quorum.py",
    "all paused for a moment": "test_sentinel.py",
    "crash after election": "test_sentinel.py",
    "state lost": "test_sentinel.py",
    "id changed": "test_sentinel.py",
    "id changed, the old one still counted": "test_sentinel.py",
    "reset": "test_sentinel.py",
    "planned change": "test_sentinel.py",
    "planned change behind a pause": "test_sentinel.py",
    "slow script shorter than down-after": "test_quorum.py",
    "slow script longer than down-after": "test_probes.py",
    "clients paused": "test_failover.py",
    "another setting": "test_promotion.py",
}


def every_sample() -> dict[str, Sample]:
    """Return all of them, whatever they need."""
    nodes = {name: make for name, (_, make) in NODES.items()}
    return {**INJECTED, **NESTED, **PODS, **nodes, **SENTINELS, **COMMANDS}
