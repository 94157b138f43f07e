"""Every fault of the library bites and heals, by its own proofs, on a deployment that is steady before and after."""

from __future__ import annotations

import pytest

from harness.drill import Drill
from harness.faults import Bench, DiskFull, OnSmallVolume
from harness.faults.samples import INJECTED
from harness.faults.sweep import remaining
from tests.drills.library import cases

pytestmark = pytest.mark.drill


@pytest.mark.parametrize("name", cases(INJECTED))
def test_fault_bites_and_heals(name: str, drill: Drill, bench: Bench) -> None:
    """A fault is felt where it is injected, is gone after it is healed, and leaves a steady deployment."""
    with drill.felled(INJECTED[name](drill.now)) as felled:
        assert felled.effect_at is not None

    assert felled.healed_at is not None
    assert remaining(bench.injector) == []
    assert drill.await_steady().primaries


@pytest.mark.library
def test_fault_composed_of_a_full_disk_on_a_small_volume_bites_and_heals(drill: Drill, bench: Bench) -> None:
    """A volume that truly enforces its size is full: the server says that it cannot write, and can again afterwards."""
    seat = drill.now.replicas[0]

    with drill.felled(OnSmallVolume(seat)):
        drill.await_steady()
        with drill.felled(DiskFull(seat)) as felled:
            assert felled.effect_at is not None

    assert remaining(bench.injector) == []
    assert seat in drill.await_steady().replicas
