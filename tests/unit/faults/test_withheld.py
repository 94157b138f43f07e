"""The control for every fault: its proof finds nothing, and healing what was not done harms nobody."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import faults as library
from harness import wait
from harness.cluster.readiness import Readiness
from harness.errors import FaultHadNoEffect
from harness.faults import (
    AofDamaged,
    Bench,
    CpuStarved,
    Evicted,
    Faults,
    NodeStopped,
    PodsDeleted,
    SlowScript,
    Withheld,
)
from harness.faults.disk_aof import DAMAGED
from harness.faults.samples import DRILLED, every_sample
from harness.settings import PROJECT
from tests.unit.topologies import healthy

CONTROLS = {"Noop", "Withheld"}
DRILLS = PROJECT / "tests" / "drills"


def is_fault(thing: object) -> bool:
    """Whether it is a class of faults, not the Protocol of them."""
    return inspect.isclass(thing) and hasattr(thing, "await_effect") and not getattr(thing, "_is_protocol", False)


def test_no_fault_of_the_library_is_without_a_sample() -> None:
    """What has no sample has neither its drill nor its control."""
    exported = {name for name in library.__all__ if is_fault(getattr(library, name))} - CONTROLS
    sampled = {type(make(healthy())).__name__ for make in every_sample().values()}

    assert exported == sampled


def test_sample_that_is_left_to_another_drill_is_in_that_drill() -> None:
    """`make drills` leaves out such a sample's library drill: its fault must be injected where it is said to be."""
    samples = every_sample()
    missing = {
        name: file
        for name, file in DRILLED.items()
        if not re.search(
            rf"\b{type(samples[name](healthy())).__name__}\b\(?", (DRILLS / file).read_text(encoding="utf-8")
        )
    }

    assert not missing


class Felt:
    """A fault whose proof waits for `effect`, and which notes what is asked of it."""

    target = "redis-0"
    by_hand = "kubectl uncordon agent-0"

    def __init__(self, *, effect: bool) -> None:
        self.calls: list[str] = []
        self._effect = effect

    def prepare(self, bench: Bench) -> None:
        self.calls.append("prepare")

    def inject(self, bench: Bench) -> None:
        raise AssertionError("it was to be withheld")

    def await_effect(self, bench: Bench) -> None:
        wait.eventually(lambda: self._effect, seconds=600, what="an effect")

    def heal(self, bench: Bench) -> None:
        self.calls.append("heal")

    def await_healed(self, bench: Bench) -> None:
        self.calls.append("await_healed")


def test_fault_withheld_is_proven_to_have_had_no_effect(tmp_path: Path) -> None:
    """By its own proof, in the control's patience; everything but the injection is done."""
    fault = Felt(effect=False)

    with (
        pytest.raises(FaultHadNoEffect, match=r"withheld\(felt of redis-0\) was injected and nothing felt it"),
        Faults(cast("Bench", None), tmp_path / "ledger").felled(Withheld(fault, patience_s=0.05)),
    ):
        pytest.fail("the body ran")

    assert fault.calls == ["prepare", "heal", "await_healed"]
    registered = json.loads((tmp_path / "ledger").read_text().splitlines()[0])
    assert registered["by_hand"] == fault.by_hand


def test_false_proof_is_noticed(tmp_path: Path) -> None:
    """A proof that finds an effect without a cause lets the body run."""
    ran: list[str] = []

    with Faults(cast("Bench", None), tmp_path / "ledger").felled(Withheld(Felt(effect=True))):
        ran.append("body")

    assert ran


# What was found by it, fault by fault


def pod(seat: str, uid: str = "old", **metadata: str) -> dict[str, Any]:
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    return {"metadata": {"name": seat, "uid": uid, **metadata}, "status": ready}


def test_pod_that_was_not_deleted_is_as_before() -> None:
    """Its old pod will do; one whose deletion was granted must be another one, and one that is leaving is none."""
    fault = PodsDeleted(["redis-1"])
    fault._uids = {"redis-1": "old"}

    assert fault._back([pod("redis-1")])
    assert not fault._back([pod("redis-1", deletionTimestamp="2026-11-24T18:00:00Z")])
    fault.delete(
        cast("Bench", SimpleNamespace(sut=SimpleNamespace(cluster=SimpleNamespace(delete=_nothing)))), "redis-1"
    )
    assert fault._back([pod("redis-1")]).reasons == ("redis-1 still has its old pod",)
    assert fault._back([pod("redis-1", "new")])


def _nothing(*_: object, **__: object) -> None:
    """Do nothing."""


def test_pod_that_was_not_evicted_is_as_before() -> None:
    """Its old pod will do unless its eviction was granted."""
    fault = Evicted("redis-1")
    fault._uids = {"redis-1": "old"}

    assert fault._back([pod("redis-1")])
    fault._gone.add("redis-1")
    assert fault._back([pod("redis-1")]).reasons == ("redis-1 still has its old pod",)


def test_node_that_was_not_stopped_has_its_containers_still() -> None:
    """After a stop they must be other ones."""
    fault = NodeStopped("redis-0")
    status = {**pod("redis-0")["status"], "containerStatuses": [{"containerID": "c1"}]}
    told = {**pod("redis-0"), "status": status}

    assert fault._against("redis-0", told, frozenset({"c1"})) == []
    fault._was_taken = True
    assert fault._against("redis-0", told, frozenset({"c1"}))
    assert fault._against("redis-0", told, frozenset({"c0"})) == []


def test_container_without_a_quota_was_not_held_back() -> None:
    """No record on its node, no effect: that is a failed proof, not a crash of it."""
    bench = cast("Bench", SimpleNamespace(injector=SimpleNamespace(look=lambda *_: {})))
    fault = CpuStarved("redis-1")
    fault._spot = cast("Any", SimpleNamespace(node="agent-0"))

    with pytest.raises(wait.WaitTimeout, match="a CPU quota of redis-1"):
        Withheld(fault, patience_s=0.05).await_effect(bench)


@pytest.mark.parametrize(("restarts", "refuses"), [(3, False), (4, True)])
def test_damage_of_an_earlier_fault_is_no_proof_of_this_one(*, restarts: int, refuses: bool) -> None:
    """The log of the container before this one still says so; it counts only after another restart."""
    fault = AofDamaged("redis-1")
    fault._restarts = 3
    said = {"name": "redis", "restartCount": restarts, "lastState": {"terminated": {"exitCode": 1}}}
    logs = SimpleNamespace(logs=lambda *_, previous, **__: DAMAGED if previous else "Ready to accept connections")
    bench = cast("Bench", SimpleNamespace(sut=SimpleNamespace(cluster=logs)))

    found = fault._refuses(bench, [{"status": {"containerStatuses": [said]}}])

    assert isinstance(found, Readiness)
    assert bool(found) is refuses


def test_script_that_was_not_started_has_no_entry_in_the_slow_log() -> None:
    """Answering is all that is to be seen of its end."""
    answers = {"run": SimpleNamespace(stdout="PONG"), "run_id": "same"}
    sut = SimpleNamespace(run=lambda *_, **__: answers["run"], run_id=lambda _: answers["run_id"])
    fault = SlowScript("redis-1", seconds=3)
    bench = cast("Bench", SimpleNamespace(sut=sut))
    fault.prepare(bench)

    fault.await_healed(bench)

    assert fault.lasted_s is None
