from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from harness.clock import Bracket
from harness.drill.course import _mark
from harness.faults import Felled
from harness.workload import Recording

BEGIN = 100.0


def marks_of(felled: Felled) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []

    def mark(_: str, bracket: Bracket, action: str = "inject") -> None:
        found.append((action, bracket.sent))

    _mark(cast("Recording", cast("Any", SimpleNamespace(mark=mark))), felled, since=BEGIN)
    return found


def test_fault_while_clients_write_is_marked_with_all_that_is_known() -> None:
    """Injection, effect and healing stand in the history."""
    felled = Felled("paused", "redis-0", injected_at=101.0, returned_at=101.1, effect_at=102.0, healed_at=103.0)

    assert marks_of(felled) == [("inject", 101.0), ("effect", 102.0), ("heal", 103.0)]


def test_fault_that_was_there_before_clients_wrote_is_nothing_to_count_from() -> None:
    """A gap is not looked for from before the first write; that such a fault was healed meanwhile is still told."""
    felled = Felled("on_small_volume", "redis-0", injected_at=90.0, returned_at=91.0, effect_at=92.0, healed_at=120.0)

    assert marks_of(felled) == [("heal", 120.0)]
