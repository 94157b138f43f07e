"""Whatever happens between injection and healing, the heal runs, and the ledger has it first."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest

from harness.errors import ClusterError, FaultHadNoEffect, HealFailed, InjectionFailed, WaitTimeout
from harness.faults import Bench, Fault, Faults, NodePaused, Noop, Paused
from harness.faults.base import name_of
from harness.faults.dead_man import TIMER_S, set_dead_mans_time

NO_BENCH = cast("Bench", None)


class Scripted:
    """A fault that notes what is asked of it and fails where it is told to."""

    target = "redis-0"
    by_hand = "kubectl uncordon agent-0"

    def __init__(self, ledger: Path, **fails: Exception) -> None:
        self.calls: list[str] = []
        self._ledger = ledger
        self._fails = fails

    def prepare(self, bench: Bench) -> None:
        self._do("prepare")

    def inject(self, bench: Bench) -> None:
        assert events(self._ledger) == ["registered"], "the ledger must have the fault before it is injected"
        self._do("inject")

    def await_effect(self, bench: Bench) -> None:
        self._do("await_effect")

    def heal(self, bench: Bench) -> None:
        self._do("heal")

    def await_healed(self, bench: Bench) -> None:
        self._do("await_healed")

    def _do(self, call: str) -> None:
        self.calls.append(call)
        if call in self._fails:
            raise self._fails[call]


def events(ledger: Path) -> list[str]:
    return [json.loads(line)["event"] for line in ledger.read_text().splitlines()]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """The ledger's path."""
    return tmp_path / "faults.jsonl"


def felled(ledger: Path, fault: Fault, body: Any = lambda: None) -> Faults:
    faults = Faults(NO_BENCH, ledger)
    with faults.felled(fault):
        body()
    return faults


def test_a_fault_goes_through_its_whole_life(ledger: Path) -> None:
    """Registered, injected, felt, healed, seen healed: in this order, each with its instant."""
    fault = Scripted(ledger)

    (told,) = felled(ledger, fault).injected

    assert fault.calls == ["prepare", "inject", "await_effect", "heal", "await_healed"]
    assert events(ledger) == ["registered", "injected", "effect seen", "healed"]
    instants = [told.injected_at, told.returned_at, told.effect_at, told.healed_at]
    assert instants == sorted(instant for instant in instants if instant is not None)


@pytest.mark.parametrize("interruption", [AssertionError("not steady"), KeyboardInterrupt()], ids=["failure", "Ctrl-C"])
def test_a_body_that_is_left_early_is_healed_all_the_same(ledger: Path, interruption: BaseException) -> None:
    """A failed assertion and Ctrl-C leave nothing broken."""
    fault = Scripted(ledger)

    def body() -> None:
        raise interruption

    with pytest.raises(type(interruption)):
        felled(ledger, fault, body)

    assert fault.calls[-2:] == ["heal", "await_healed"]
    assert events(ledger)[-1] == "healed"


@pytest.mark.parametrize("step", ["heal", "await_healed"])
def test_healing_that_is_interrupted_begins_again(ledger: Path, step: str) -> None:
    """Ctrl-C while a fault is healed: it is healed all the same, and then the run ends."""

    class Once(Scripted):
        def _do(self, call: str) -> None:
            super()._do(call)
            if call == step and self.calls.count(call) == 1:
                raise KeyboardInterrupt

    fault = Once(ledger)

    with pytest.raises(KeyboardInterrupt):
        felled(ledger, fault)

    assert fault.calls[-2:] == ["heal", "await_healed"]
    assert events(ledger)[-1] == "healed"


def test_a_half_done_injection_is_healed(ledger: Path) -> None:
    """An injection that failed may have done half of its work."""
    fault = Scripted(ledger, inject=ClusterError("503"))

    with pytest.raises(InjectionFailed, match=r"scripted\(redis-0\) could not be injected: 503"):
        felled(ledger, fault)

    assert "heal" in fault.calls


def test_a_fault_that_nobody_felt_is_an_error(ledger: Path) -> None:
    """What the test would see afterwards proves nothing, so its body does not even begin."""
    fault = Scripted(ledger, await_effect=WaitTimeout("still there"))

    with pytest.raises(FaultHadNoEffect, match="nothing felt it: still there"):
        felled(ledger, fault, body=lambda: pytest.fail("the body ran"))

    assert "heal" in fault.calls


def test_the_control_has_no_effect(ledger: Path) -> None:
    """Noop in place of a fault is noticed by the fault's own proof."""
    with pytest.raises(FaultHadNoEffect, match=r"noop\(nothing\)"):
        felled(ledger, Noop())


def test_a_fault_that_cannot_be_healed_names_the_manual_step(ledger: Path) -> None:
    """The run stops and says what a person has to do."""
    fault = Scripted(ledger, heal=ClusterError("connection refused"))

    with pytest.raises(HealFailed, match=r"(?s)connection refused.*undo it by hand: kubectl uncordon agent-0"):
        felled(ledger, fault)

    assert events(ledger)[-1] == "heal failed"


def test_nested_faults_are_healed_last_in_first_out(ledger: Path, tmp_path: Path) -> None:
    """What was broken last is mended first."""
    order: list[str] = []
    outer, inner = Scripted(ledger), Scripted(tmp_path / "other.jsonl")
    outer.heal = lambda _: order.append("outer")  # type: ignore[method-assign]
    inner.heal = lambda _: order.append("inner")  # type: ignore[method-assign]

    with Faults(NO_BENCH, ledger).felled(outer), Faults(NO_BENCH, tmp_path / "other.jsonl").felled(inner):
        pass

    assert order == ["inner", "outer"]


def test_the_ledger_has_what_undoes_a_fault_and_its_id_with_every_event(ledger: Path) -> None:
    """Two faults of the same name and target are told apart, and a killed run's can be undone without it."""
    fault = Scripted(ledger)
    fault.on_ledger = {"id": "a1b2", "kind": "stopped", "node": "agent-0"}  # type: ignore[attr-defined]

    felled(ledger, fault)

    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert {line["id"] for line in lines} == {"a1b2"}
    assert (lines[0]["kind"], lines[0]["node"], lines[0]["by_hand"]) == ("stopped", "agent-0", fault.by_hand)


class Later:
    """A provider that is told to heal later, and when that is called off."""

    def __init__(self, fault: Scripted) -> None:
        self._fault = fault

    def heal_later(self, *, seconds: float) -> Callable[[], object]:
        self._fault.calls.append(f"armed for {seconds:.0f} s")
        return lambda: self._fault.calls.append("called off")


def left_to_the_sweep(ledger: Path, *, needed: bool = True, **fails: Exception) -> Scripted:
    fault = Scripted(ledger, **fails)
    fault.healed_by_sweep = needed  # type: ignore[attr-defined]
    bench = Bench(cast("Any", None), cast("Any", None), cast("Any", Later(fault)))
    with suppress(HealFailed), Faults(bench, ledger).felled(fault):
        pass
    return fault


def test_what_only_a_sweep_undoes_is_healed_later_if_the_run_is_killed(ledger: Path) -> None:
    """Armed before the injection, called off after the healing; the ledger says when."""
    fault = left_to_the_sweep(ledger)

    assert fault.calls[1:3] == ["armed for 180 s", "inject"]
    assert fault.calls[-2:] == ["await_healed", "called off"]
    assert json.loads(ledger.read_text().splitlines()[0])["timer_s"] == 180.0


def test_what_could_not_be_healed_is_left_to_the_timer(ledger: Path) -> None:
    """Nobody else is left to try."""
    assert "called off" not in left_to_the_sweep(ledger, heal=ClusterError("503")).calls


def test_what_leaves_nothing_needs_no_timer(ledger: Path) -> None:
    """Nothing is armed for it."""
    assert left_to_the_sweep(ledger, needed=False).calls[1] == "inject"


def test_timers_are_no_longer_than_the_run_allows() -> None:
    """Of seats, nodes and sweeps alike."""
    set_dead_mans_time(20.0)
    try:
        assert Paused("redis-0").timer_s == 20.0
        assert Paused("redis-0", timer_s=5.0).timer_s == 5.0
        assert NodePaused("redis-0").on_ledger["timer_s"] == 20.0
    finally:
        set_dead_mans_time(TIMER_S)
    assert Paused("redis-0").timer_s == TIMER_S


def test_a_fault_is_named_as_a_state() -> None:
    """The class name in the report reads like the rest of it."""
    assert name_of(Noop()) == "noop"
    assert name_of(Scripted(Path())) == "scripted"
