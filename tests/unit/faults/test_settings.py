from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.cluster import Cluster
from harness.errors import InjectionFailed
from harness.faults import Bench, Configured
from harness.faults.settings import BEFORE, set_as_before
from harness.sut import Sut

SEAT, SETTING = "redis-1", "replica-priority"


class Instance:
    """A Redis that knows one setting."""

    def __init__(self, value: str) -> None:
        self.value = value
        self.marks: dict[str, str] = {}

    @property
    def cluster(self) -> Cluster:
        def patch(kind: str, name: str, body: dict[str, Any]) -> None:
            assert (kind, name) == ("StatefulSet", "redis")
            for mark, value in body["metadata"]["annotations"].items():
                self.marks.pop(mark, None)
                if value is not None:
                    self.marks[mark] = value

        def execute(seat: str, container: str, argv: list[str]) -> Any:
            assert container == "redis"
            said = self.ask(seat, " ".join(argv[3:]))[0]
            return SimpleNamespace(check=lambda: SimpleNamespace(stdout=f"{said}\n"))

        there = {"metadata": {"annotations": self.marks}}
        found = SimpleNamespace(patch=patch, execute=execute, list=lambda *_, **__: [there])
        return cast("Cluster", found)

    def ask(self, seat: str, command: str) -> list[Any]:
        assert seat == SEAT
        words = command.split()
        if words[:2] == ["CONFIG", "SET"]:
            self.value = words[3]
            return ["OK"]
        return [[SETTING, self.value] if words[2] == SETTING else []]


def bench_of(instance: Instance) -> Bench:
    return Bench(cast("Sut", instance), cast("Any", None))


def test_setting_is_changed_and_set_as_it_was() -> None:
    """What was in force before comes back, whatever it was."""
    instance = Instance("42")
    bench, fault = bench_of(instance), Configured(SEAT, SETTING, 0)

    fault.prepare(bench)
    fault.inject(bench)
    fault.await_effect(bench)
    during, marks = instance.value, dict(instance.marks)
    fault.heal(bench)
    fault.await_healed(bench)

    assert (during, instance.value) == ("0", "42")
    assert marks == {f"{BEFORE}{SEAT}.{SETTING}": "42"}
    assert not instance.marks
    assert fault.by_hand == "redis-cli CONFIG SET replica-priority 42 on redis-1"


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [(SETTING, 100, "has replica-priority 100 already"), ("no-such", 1, "knows no setting no-such")],
)
def test_setting_that_would_change_nothing_is_no_fault(setting: str, value: int, why: str) -> None:
    """A drill that changes nothing proves nothing."""
    with pytest.raises(InjectionFailed, match=why):
        Configured(SEAT, setting, value).prepare(bench_of(Instance("100")))


def test_setting_of_a_sentinel_is_refused() -> None:
    """Sentinel's CONFIG SET is another command."""
    with pytest.raises(InjectionFailed, match="is a Sentinel"):
        Configured("redis-sentinel-0", SETTING, 0)


def test_setting_that_a_killed_run_left_is_set_as_it_was() -> None:
    """Found by its mark on the StatefulSet, which goes with it; the second time there is nothing."""
    instance = Instance("42")
    bench, fault = bench_of(instance), Configured(SEAT, SETTING, 0)
    fault.prepare(bench)
    fault.inject(bench)

    told = set_as_before(instance.cluster)

    assert told == ["redis-1 was left with another replica-priority by an earlier run: set to 42"]
    assert (instance.value, instance.marks) == ("42", {})
    assert set_as_before(instance.cluster) == []
