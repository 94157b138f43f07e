"""What each fault of a node asks of the injector, what it writes into the ledger, and what it takes for its effect."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import InjectionFailed, WaitTimeout
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
    Isolated,
    Lossy,
    OnSmallVolume,
    OutOfMemory,
    Paused,
    Squeezed,
)
from harness.faults.base import OnLedger
from harness.faults.injector import Spot
from harness.faults.network import Dropping, NetworkFault
from harness.faults.network_probe import Seen
from harness.faults.timer import Armed
from harness.sut.names import KINDS, kind_of

PATH = "/opt/local-path-provisioner/pvc-1"
SEATS = [seat for kind in KINDS for seat in kind.seats()]
ADDRESSES = {seat: f"10.42.1.{10 + number}" for number, seat in enumerate([*SEATS, "witness"])}
NODE = ["172.18.0.3", "10.42.1.1"]


def spot(seat: str, container: str | None = None) -> Spot:
    return Spot(seat, "agent-0", f"uid-of-{seat}", f"id-of-{container or 'it'}", ADDRESSES[seat], "172.18.0.3")


def get(kind: str, name: str, **_: str) -> dict[str, Any]:
    return {
        "Node": {"spec": {"podCIDR": "10.42.1.0/24", "podCIDRs": ["10.42.1.0/24", "fd00::/64"]}},
        "Pod": {"spec": {"containers": [{"name": name}]}},
        "PersistentVolumeClaim": {"spec": {"volumeName": "pvc-1"}},
        "PersistentVolume": {"spec": {"local": {"path": PATH}}},
    }[kind]


def pods(kind: str, **_: str) -> list[dict[str, Any]]:
    assert kind == "Pod"
    labels = {"app.kubernetes.io/part-of": "redis-sentinel"}
    ours = [{"metadata": {"name": seat, "labels": labels}, "status": {"podIP": ADDRESSES[seat]}} for seat in SEATS]
    return [*ours, {"metadata": {"name": "witness"}, "status": {"podIP": ADDRESSES["witness"]}}]


BENCH = cast(
    "Bench",
    SimpleNamespace(
        injector=SimpleNamespace(spot=spot), sut=SimpleNamespace(cluster=SimpleNamespace(get=get, list=pods))
    ),
)


def planned(fault: Armed) -> dict[str, Any]:
    fault._spot = spot(fault.seat, kind_of(fault.seat).container)
    return fault.plan(BENCH)


EACH: dict[str, tuple[Armed, dict[str, Any]]] = {
    "paused": (Paused("redis-0"), {}),
    "cpu starved": (CpuStarved("redis-0", percent=2), {"cpu_percent": 2}),
    "out of memory": (OutOfMemory("redis-0"), {"memory": "used"}),
    "isolated": (Isolated("redis-0"), {"spare": NODE, "drop": {"in": [[]], "out": [[]]}}),
    "isolated but for one": (
        Isolated("redis-0", but=["witness"]),
        {"spare": [*NODE, ADDRESSES["witness"]], "drop": {"in": [[]], "out": [[]]}},
    ),
    "cut off from the other Redis": (
        CutOff("redis-1", from_="redis"),
        {
            "drop": {
                "in": [["-s", ADDRESSES["redis-0"]], ["-s", ADDRESSES["redis-2"]]],
                "out": [["-d", ADDRESSES["redis-0"]], ["-d", ADDRESSES["redis-2"]]],
            }
        },
    ),
    "cut off from one Sentinel, inbound": (
        CutOff("redis-1", from_=["redis-sentinel-2"], direction="in"),
        {"drop": {"in": [["-s", ADDRESSES["redis-sentinel-2"]]]}},
    ),
    "cut off from the clients": (
        CutOff("redis-1", from_="clients"),
        {
            "spare": [*NODE, *(ADDRESSES[seat] for seat in SEATS)],
            "drop": {"in": [["-p", "tcp", "--dport", "6379"]], "out": [["-p", "tcp", "--sport", "6379"]]},
        },
    ),
    "a Sentinel cut off from the clients": (
        CutOff("redis-sentinel-1", from_="clients", direction="out"),
        {
            "spare": [*NODE, *(ADDRESSES[seat] for seat in SEATS)],
            "drop": {"out": [["-p", "tcp", "--sport", "26379"]]},
        },
    ),
    "delayed": (Delayed("redis-0", ms=100, jitter_ms=10), {"delay_ms": 100, "jitter_ms": 10, "loss": 0}),
    "lossy": (Lossy("redis-0", share=0.3), {"delay_ms": 0, "jitter_ms": 0, "loss": 0.3}),
    "squeezed": (Squeezed("redis-0", kbit=64), {"kbit": 64}),
    "connections cut": (ConnectionsCut("redis-sentinel-0"), {"port": 26379}),
    "DNS blocked, fast": (
        DnsBlocked("redis-0", fails="fast"),
        {"drop": {"out": [["-p", "udp", "--dport", "53"], ["-p", "tcp", "--dport", "53"]]}},
    ),
    "DNS blocked, slow": (
        DnsBlocked("redis-0"),
        {"drop": {"in": [["-p", "udp", "--sport", "53"], ["-p", "tcp", "--sport", "53"]]}},
    ),
    "append-only file unwritable": (
        AofUnwritable("redis-0"),
        {"paths": [f"{PATH}/appendonlydir/appendonly.aof.*.incr.aof$"]},
    ),
    "configuration read-only": (ConfigReadOnly("redis-sentinel-0"), {"paths": [PATH]}),
    "small volume": (
        OnSmallVolume("redis-0", mib=32),
        {"path": PATH, "mib": 32, "armed": False, "seat": "redis-0"},
    ),
    "disk full": (DiskFull("redis-0"), {"path": PATH, "at_most_mib": 256}),
    "tail cut": (
        AofTailCut("redis-0"),
        {"path": f"{PATH}/appendonlydir/appendonly.aof.*.incr.aof", "where": "tail", "bytes": 30},
    ),
    "damaged": (
        AofDamaged("redis-0"),
        {"path": f"{PATH}/appendonlydir/appendonly.aof.*.incr.aof", "where": "middle"},
    ),
}


@pytest.mark.parametrize("name", EACH)
def test_a_fault_asks_for_exactly_this(name: str) -> None:
    """No more is dropped, limited or locked than its name says."""
    fault, plan = EACH[name]

    assert planned(fault) == plan


@pytest.mark.parametrize("name", EACH)
def test_the_ledger_knows_what_undoes_a_fault(name: str) -> None:
    """Node, pod, container, id and time: enough for anybody without the run."""
    fault, _ = EACH[name]
    planned(fault)

    assert isinstance(fault, OnLedger)
    assert fault.on_ledger == {
        "id": fault.id,
        "kind": fault.kind,
        "node": "agent-0",
        "pod": f"uid-of-{fault.seat}",
        "container": f"id-of-{kind_of(fault.seat).container}",
        "timer_s": 180.0,
    }
    assert fault.id in fault.by_hand


def test_no_two_faults_have_the_same_id() -> None:
    """Rules, records and programs are told apart by it."""
    assert len({fault.id for fault, _ in EACH.values()}) == len(EACH)


def test_a_fault_that_was_not_prepared_has_no_place() -> None:
    """Rather than hitting what happens to sit on the seat by then."""
    with pytest.raises(InjectionFailed, match=r"paused of redis-0 was not prepared"):
        Paused("redis-0").inject(BENCH)


def test_a_sentinel_has_no_append_only_file_and_does_not_grow() -> None:
    """Said before anything is changed."""
    with pytest.raises(InjectionFailed, match="is no Redis"):
        DiskFull("redis-sentinel-0").prepare(BENCH)
    with pytest.raises(InjectionFailed, match="nothing makes it grow"):
        OutOfMemory("redis-sentinel-0").prepare(BENCH)


WELL = Seen("ok", "ok", 9, 0, (0.4,) * 5, (0.2,) * 5, ("ok",) * 5)
SILENT = dataclasses.replace(WELL, held="timeout", new="timeout", outcomes=("ok", "ok", "timeout"))
OLD_LIVES = dataclasses.replace(WELL, new="timeout", outcomes=("timeout",) * 5)
LATE = dataclasses.replace(WELL, milliseconds=(310.0,) * 5, held_milliseconds=(101.0,) * 5)
SLOW = dataclasses.replace(WELL, milliseconds=(700.0,) * 5, held_milliseconds=(640.0,) * 5)
RESET = dataclasses.replace(WELL, losses=1)
HOLES = dataclasses.replace(WELL, outcomes=("ok", "timeout", "ok", "ok", "timeout", "ok"))

FELT: dict[str, tuple[NetworkFault, Seen]] = {
    "isolated": (Isolated("redis-0"), SILENT),
    "delayed": (Delayed("redis-0", ms=100), LATE),
    "lossy": (Lossy("redis-0", share=0.3), HOLES),
    "squeezed": (Squeezed("redis-0", kbit=256), SLOW),
    "connections cut": (ConnectionsCut("redis-0"), RESET),
}


@pytest.mark.parametrize("name", FELT)
def test_an_effect_is_told_from_a_usual_day(name: str) -> None:
    """What is seen of a healthy instance is no proof."""
    fault, seen = FELT[name]

    assert fault.is_felt(seen)
    assert not fault.is_felt(WELL)
    assert fault.is_over(WELL)


@pytest.mark.parametrize("name", ["isolated", "delayed", "squeezed"])
def test_a_fault_that_is_still_felt_is_not_over(name: str) -> None:
    """Healing is seen, not assumed."""
    fault, seen = FELT[name]

    assert not fault.is_over(seen)


def test_a_partition_under_which_old_connections_live_on_is_none() -> None:
    """That is what a NetworkPolicy gives."""
    assert not Isolated("redis-0").is_felt(OLD_LIVES)


def test_silence_without_a_dropped_packet_is_no_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else silenced it: the counters of the rules must rise."""
    fault = Isolated("redis-0")
    monkeypatch.setattr("harness.faults.network.EFFECT_S", 0.1)
    monkeypatch.setattr(NetworkFault, "await_effect", lambda *_: None)
    monkeypatch.setattr(Dropping, "look", lambda *_: {"dropped": {"in": 0, "out": 0}})

    with pytest.raises(WaitTimeout, match="packets dropped at redis-0"):
        fault.await_effect(BENCH)


def test_who_cannot_hear_an_instance_does_not_observe_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be under a fault of its own: the next one is asked."""
    asked: list[str] = []

    def inject(node: str, plan: dict[str, Any]) -> dict[str, Any]:
        assert node == "agent-0"
        asked.append(plan["pod"])
        if plan["pod"] == "uid-of-redis-0":
            raise InjectionFailed("10.42.1.11:6379 cannot be reached from here")
        return {}

    hands = SimpleNamespace(spot=spot, inject=inject, heal=lambda *_: "")
    bench = cast("Bench", SimpleNamespace(injector=hands, sut=BENCH.sut))
    fault = Isolated("redis-1")

    fault.prepare(bench)

    assert asked == ["uid-of-redis-0", "uid-of-redis-2"]
    assert fault.observer.vantage.seat == "redis-2"

    monkeypatch.setattr(hands, "spot", lambda seat, _=None: spot("redis-0" if seat != "redis-1" else seat))
    with pytest.raises(InjectionFailed, match=r"nobody can observe redis-1: 10\.42"):
        Isolated("redis-1").prepare(bench)
