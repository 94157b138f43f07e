"""Every fault of the library bites and heals, by its own proofs, on a deployment that is steady before and after."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.drill import Drill
from harness.faults import (
    AofDamaged,
    AofTailCut,
    AofUnwritable,
    Bench,
    ConfigReadOnly,
    ConnectionsCut,
    CpuStarved,
    CutOff,
    Delayed,
    DiskFull,
    DnsBlocked,
    DnsDown,
    Fault,
    Isolated,
    KilledTwice,
    Lossy,
    OnSmallVolume,
    OutOfMemory,
    Paused,
    ProcessKilled,
    Squeezed,
)
from harness.faults.sweep import remaining

pytestmark = pytest.mark.drill

#: By the name in the test's id, those that end a process far from each other. A fault gets the seat of a replica; what
#: the primary's faults lead to is for other drills.
FAULTS: dict[str, Callable[[str], Fault]] = {
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
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_bites_and_heals(name: str, drill: Drill, bench: Bench) -> None:
    """A fault is felt where it is injected, is gone after it is healed, and leaves a steady deployment."""
    # The two replicas take turns: the kubelet restarts a container that ended before only after a while.
    seat = drill.now.replicas[list(FAULTS).index(name) % 2]
    with drill.felled(FAULTS[name](seat)) as felled:
        assert felled.effect_at is not None

    assert felled.healed_at is not None
    assert remaining(bench.injector) == []
    assert drill.await_steady().primaries


def test_fault_composed_of_a_full_disk_on_a_small_volume_bites_and_heals(drill: Drill, bench: Bench) -> None:
    """A volume that truly enforces its size is full: the server says that it cannot write, and can again afterwards."""
    seat = drill.now.replicas[0]

    with drill.felled(OnSmallVolume(seat)):
        drill.await_steady()
        with drill.felled(DiskFull(seat)) as felled:
            assert felled.effect_at is not None

    assert remaining(bench.injector) == []
    assert seat in drill.await_steady().replicas
