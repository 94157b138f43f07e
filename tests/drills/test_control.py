"""The control: a fault that does nothing ends every shape of drill as an error, and disturbs no client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import pytest

from harness.drill import Drill
from harness.errors import FaultHadNoEffect
from harness.faults import Isolated, Noop, Withheld
from harness.faults.samples import every_sample
from harness.sut.names import SENTINEL

pytestmark = pytest.mark.drill


@contextmanager
def beside_a_data_set(drill: Drill) -> Iterator[None]:
    """As in the drills of survival under load."""
    with drill.dataset() as data:
        with drill.writing():
            yield
        drill.await_steady()
        assert data.is_whole(), data.explain()


@contextmanager
def inside_another_fault(drill: Drill) -> Iterator[None]:
    """As in the drills of several faults; the outer one, of a Sentinel, is real and nothing to clients."""
    with drill.writing(), drill.felled(Isolated(SENTINEL.seats()[0])):
        yield


#: Beside the plain one, in which every fault is withheld below.
SHAPES: dict[str, Callable[[Drill], AbstractContextManager[None]]] = {
    "beside_a_data_set": beside_a_data_set,
    "inside_another_fault": inside_another_fault,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_fault_that_does_nothing_is_an_error_and_every_checker_is_silent(shape: str, drill: Drill) -> None:
    """Without its effect no body of a drill runs, and of an undisturbed workload every checker says that it is well."""
    bodies: list[str] = []

    with SHAPES[shape](drill):
        with pytest.raises(FaultHadNoEffect), drill.felled(Noop()):
            bodies.append("ran")
        drill.keeps_its_primary_for_as_long_as_detection_could_take(drill.primary)
    drill.await_steady()

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
