"""The control: a fault that does nothing ends every shape of drill as an error, and disturbs no client."""

from __future__ import annotations

from contextlib import suppress

import pytest

from harness.drill import Drill
from harness.errors import FaultHadNoEffect
from harness.faults import Isolated, Noop, Withheld
from harness.faults.samples import every_sample
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.drill


def test_fault_that_does_nothing_is_an_error_and_every_checker_is_silent(drill: Drill) -> None:
    """Nor beside a data set and inside another fault, a Sentinel's, which is real and nothing to clients."""
    bodies: list[str] = []

    with drill.dataset() as data:
        with drill.writing(), drill.felled(Isolated(SENTINEL.seats()[0])):
            with pytest.raises(FaultHadNoEffect), drill.felled(Noop()):
                bodies.append("ran")
            drill.keeps_its_primary_for_as_long_as_detection_could_take(drill.primary)
        drill.await_steady()
        assert data.is_whole(), data.explain()

    assert not bodies
    assert_well(drill)


def test_fault_withheld_is_an_error_whichever_it_is_and_every_checker_is_silent(drill: Drill) -> None:
    """No fault's proof finds an effect that nobody caused, its healing harms nobody, and every checker is silent."""
    believed: list[str] = []

    with drill.writing():
        with pytest.raises(FaultHadNoEffect), drill.felled(Noop()):
            believed.append("noop")
        for name, sample in every_sample().items():
            with suppress(FaultHadNoEffect), drill.felled(Withheld(sample(drill.now))):
                believed.append(name)
        drill.keeps_its_primary_for_as_long_as_detection_could_take(drill.primary)
    drill.await_steady()

    assert not believed
    assert_well(drill)


def assert_well(drill: Drill) -> None:
    """Ask every checker."""
    assert drill.undisturbed(), drill.explain()
    assert drill.no_acknowledged_write_is_lost(), drill.explain()
    assert drill.never_two_writable_primaries(), drill.explain()
    assert drill.no_write_is_altered(), drill.explain()
    assert drill.everybody_holds_the_same(), drill.explain()
    assert drill.writes_never_stood_still(), drill.explain()
    assert drill.kind == "none", drill.explain()
