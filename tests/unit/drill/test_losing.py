"""What the judgements of losses say of histories in which they hold, and of others in which they just do not."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from harness.drill import losing
from harness.drill.losing import Losing, StepLosses
from harness.drill_record import Left
from harness.drill_record.proof import proves
from harness.errors import BrokenPromise
from harness.faults import Felled, RolledOut
from harness.judgement import Judgement
from tests.unit.drill.test_staffing import came, steps
from tests.unit.history.made import Row, S, history, named, stands, swept, switch, write

OLD, NEW = "redis-0", "redis-1"
FELL: Row = ["fault", "isolated(redis-0)", "inject", 5 * S, 5 * S, 0]
FELT: Row = ["fault", "isolated(redis-0)", "effect", round(5.2 * S), round(5.2 * S), 0]
HEALED: Row = ["fault", "isolated(redis-0)", "heal", 30 * S, 30 * S, 0]


def drill_of(rows: Sequence[Row], *, pinned: int = 0, max_lag: float = 10.0) -> Any:
    """A drill that is over and left this history."""
    drill: Any = Losing.__new__(Losing)
    drill._history = history(rows, pinned=pinned)
    drill._judgement, drill._limits = Judgement(), []
    drill.before = SimpleNamespace(primaries=(OLD,))
    drill.budget = SimpleNamespace(configuration=SimpleNamespace(min_replicas_max_lag=max_lag))
    return drill


def crashed(lost: Sequence[int]) -> Any:
    """A primary that is lost at 5 s, with a replica in step until 4.9 s that takes over at 11 s."""
    return drill_of(
        [
            *(write(n, 1 + n / 100) for n in range(400)),
            *(row for n in range(40) for row in (stands(OLD, 1 + n / 10, n), stands(NEW, 1.002 + n / 10, n, of=OLD))),
            *named(NEW, 11),
            FELL,
            FELT,
            *swept({0: [[n, n] for n in range(400) if n not in lost]}, primary=NEW),
        ]
    )


@pytest.mark.parametrize(("lost", "holds", "oldest"), [([], True, 0.0), ([395], True, 0.05), ([300], False, 1.0)])
def test_losses_within_the_lag(lost: list[int], holds: bool, oldest: float) -> None:
    """The report has the limit and the age of the oldest; what is older breaks both."""
    drill = crashed(lost)

    assert drill.only_writes_within_the_replication_lag_are_lost() is holds
    (limit,) = drill._limits
    assert (limit.limit_s, limit.measured_s) == (pytest.approx(0.1), pytest.approx(oldest))
    assert limit.held is holds
    assert drill._judgement.asserted[0].checker == "crash_losses"


def test_lag_that_was_not_measured_is_no_pass() -> None:
    """The report then has a limit without a measure, which is never green."""
    drill = crashed([])

    assert not drill.only_writes_within_the_replication_lag_are_lost(after="paused")
    assert [limit.held for limit in drill._limits] == [None]


@pytest.mark.parametrize(("lost", "holds"), [([], True), ([210], True), ([189], False)])
def test_losses_that_the_file_explains(lost: list[int], holds: bool) -> None:
    """Two seconds and the lag at that time."""
    assert crashed(lost).only_writes_that_the_aof_may_lack_are_lost() is holds
    assert crashed(lost).only_what_such_a_crash_may_cost_is_lost(reborn=True) is holds


def test_losses_that_only_the_file_would_explain() -> None:
    assert not crashed([210]).only_what_such_a_crash_may_cost_is_lost(reborn=False)


@pytest.mark.parametrize(
    ("drill", "said"),
    [
        (crashed([]), "undisturbed: no acknowledged write is lost; those of the last 0.10 s before might have been"),
        (crashed([395]), "undisturbed: every lost write (1) was acknowledged no longer than 0.10 s before"),
    ],
)
def test_report_says_what_is_proven_of_losses(drill: Any, said: str) -> None:
    """With the limit that was measured."""
    assert drill.only_writes_within_the_replication_lag_are_lost()
    left = Left("p", outcome="", primaries=(OLD, NEW), faults=[], asserted=drill._judgement.asserted, limits=[])

    assert [each.startswith(said) for each in proves(left)] == [True]


def test_report_names_a_few_faults_and_counts_the_rest() -> None:
    """Sixty names before every sentence leave nobody a sentence."""
    drill = crashed([])
    assert drill.only_writes_within_the_replication_lag_are_lost()
    faults = [Felled("paused", f"redis-{number}", 1.0) for number in (0, 1, 2, 2, 3, 4)]
    left = Left("p", outcome="", primaries=(OLD, NEW), faults=faults, asserted=drill._judgement.asserted, limits=[])

    (said,) = proves(left)
    assert said.startswith("paused(redis-0) and paused(redis-1) and paused(redis-2) and 2 more: no acknowledged")


def rolled(lost: Sequence[int] = (), *, is_swept: bool = True) -> Any:
    """Two pods replaced, until 10 s and until 26 s, and a write every 100 ms all along."""
    return drill_of(
        [
            *[came(seat, 1, f"{seat} before") for seat in (NEW, "redis-2")],
            *[write(n, n / 10) for n in range(1, 400)],
            came("redis-2", 10, "redis-2 after"),
            came(NEW, 26, "redis-1 after"),
            FELL,
            *(swept({0: [[n, n] for n in range(400) if n not in lost]}) if is_swept else ()),
        ]
    )


def test_losses_of_each_step() -> None:
    """Each lost write belongs to the step in which it was acknowledged."""
    rollout = RolledOut("redis")
    rollout.steps = steps(("redis-2", 0, 5), ("redis-1", 6, 20))
    whole, holed = rolled(), rolled([20, 60, 120, 130, 390])

    assert whole.losses_of_each_step() == {"redis-2": StepLosses(51, 0), NEW: StepLosses(161, 0)}
    assert whole.no_step_lost_a_write(rollout, whole.losses_of_each_step())
    assert holed.losses_of_each_step() == {"redis-2": StepLosses(51, 1), NEW: StepLosses(161, 2)}
    assert not holed.no_step_lost_a_write(rollout, holed.losses_of_each_step())
    assert str(StepLosses(161, 2)) == "2 of 161 writes lost"


def test_step_of_which_nothing_is_known_is_no_pass() -> None:
    """Not swept, without a write, or without a step at all."""
    rollout = RolledOut("redis")
    rollout.steps = steps(("redis-2", 0, 5), ("redis-1", 6, 20))
    unswept = rolled(is_swept=False).losses_of_each_step()
    known = rolled().losses_of_each_step()

    assert unswept["redis-2"] == StepLosses(51, None)
    assert not rolled().no_step_lost_a_write(rollout, unswept)
    assert not rolled().no_step_lost_a_write(rollout, {**known, NEW: StepLosses(0, 0)})
    assert not rolled().no_step_lost_a_write(rollout, {"redis-2": known["redis-2"]})


def alone(until: float, *, promoted: float = 11) -> Any:
    """A primary cut off at 5 s that acknowledges a pinned writer until then; it is replaced at `promoted`."""
    successor = round((40 - promoted) * 10)
    return drill_of(
        [
            *sorted(
                [
                    *(write(n, 1 + n / 100) for n in range(400)),
                    *(write(1000 + n, promoted + n / 10, by=NEW) for n in range(successor)),
                    *(write(n, 5.3 + n / 10, writer=1) for n in range(round((until - 5.3) * 10))),
                ],
                key=lambda row: row[3] + row[4],
            ),
            *sorted(
                [
                    *(stands(OLD, 1 + n / 10, n) for n in range(round((until - 1) * 10))),
                    *(stands(NEW, 1.002 + n / 10, n, of=OLD) for n in range(40)),
                    *(stands(NEW, promoted + n / 10, n) for n in range(successor)),
                ],
                key=lambda row: row[2] + row[3],
            ),
            *(switch(f"sentinel-{n}", promoted, OLD, NEW) for n in range(3)),
            *named(NEW, promoted),
            FELL,
            FELT,
            HEALED,
            *swept({0: [[0, 399], [1000, 1000 + successor - 1]]}, primary=NEW),
        ],
        pinned=1,
    )


def test_stale_primary_that_takes_writes_all_along() -> None:
    """From its replacement at 11 s to the healing at 30 s, longer than the 12 s that the setting would allow."""
    drill = alone(30.1)

    assert drill.a_stale_primary_took_writes_for_at_least(12.0), drill._overlaps
    assert drill.two_primaries_from_the_replacement_to_the_healing_of("isolated"), drill._overlaps
    assert drill.exactly_what_was_taken_alone_is_lost("isolated"), drill._judgement.asserted
    assert [limit.held for limit in drill._limits] == [True]
    assert not drill.a_stale_primary_took_writes_for_at_least(20.0)


def test_stale_primary_that_stops_as_the_setting_demands() -> None:
    """Cut off at 5 s, without a good replica since 16 s."""
    drill = alone(16)

    assert not drill.a_stale_primary_took_writes_for_at_least(12.0)
    assert not drill.two_primaries_from_the_replacement_to_the_healing_of("isolated")
    assert not drill.exactly_what_was_taken_alone_is_lost("isolated")
    assert [limit.held for limit in drill._limits] == [False]


def test_stale_primary_of_another_fault_proves_nothing() -> None:
    drill = alone(30.1)

    assert not drill.two_primaries_from_the_replacement_to_the_healing_of("paused")
    assert not drill.exactly_what_was_taken_alone_is_lost("paused")


def test_harm_that_the_setting_allows_as_well_is_no_more_than_with_it() -> None:
    """All that was taken alone is lost, but it would have been allowed."""
    drill = alone(30.1)
    drill.budget.configuration.min_replicas_max_lag = 25.0

    assert not drill.exactly_what_was_taken_alone_is_lost("isolated")


def test_primary_whose_offset_stands_still_takes_no_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that grows at every look is let pass, one that stopped is not."""
    monkeypatch.setattr(losing, "STILL_S", 0.1)
    offsets = iter(range(10_000))
    drill = drill_of([], max_lag=-1.8)
    drill._sut = SimpleNamespace(redis_view=lambda _: SimpleNamespace(offset=next(offsets)))
    drill.goes_on_taking_writes(OLD)

    drill.budget.configuration.min_replicas_max_lag = -1.0
    drill._sut = SimpleNamespace(redis_view=lambda _: SimpleNamespace(offset=7))
    with pytest.raises(BrokenPromise):
        drill.goes_on_taking_writes(OLD)


def test_setting_that_is_not_as_before_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    drill = drill_of([])
    drill._sut = None
    monkeypatch.setattr(losing, "configuration_of", lambda _: drill.budget.configuration)
    assert drill.configuration_is_as_before()

    monkeypatch.setattr(losing, "configuration_of", lambda _: "another")
    assert not drill.configuration_is_as_before()
