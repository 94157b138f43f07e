from __future__ import annotations

import pytest

from harness.report.outcome import Outcome, Result, judge
from harness.report.record import DrillRecord, LimitCheck


def result(outcome: Outcome = "passed", message: str = "", kind: str = "check") -> Result:
    return Result("tests/x.py::test_x", "Things hold.", kind, outcome, message=message)  # type: ignore[arg-type]


def test_everything_passed_is_green_and_counts_what_held() -> None:
    verdict = judge([result(), result(), result(kind="drill")])

    assert (verdict.name, verdict.sentence, verdict.reasons, verdict.not_proved) == (
        "GREEN",
        "2 checked properties and 1 drill held.",
        [],
        [],
    )


@pytest.mark.parametrize(
    ("results", "word", "reason"),
    [
        ([result(), result("failed", "redis-2 is alone\nmore")], "RED", "Things hold: redis-2 is alone"),
        ([result("failed", "a"), result("error", "b")], "RED", "Things hold: b"),
        ([result(), result("error", "no cluster")], "INCOMPLETE", "Things hold: no cluster"),
        ([result(), result("not run")], "INCOMPLETE", "1 test not run"),
        ([result("skipped", "why")], "INCOMPLETE", "no test was executed"),
        ([], "INCOMPLETE", "no test was executed"),
    ],
)
def test_anything_else_is_not(results: list[Result], word: str, reason: str) -> None:
    verdict = judge(results)

    assert verdict.name == word
    assert reason in verdict.reasons


def test_an_interrupted_or_troubled_run_is_incomplete() -> None:
    assert judge([result()], interrupted="the run was interrupted").reasons == ["the run was interrupted"]
    assert judge([result()], problems=["x cannot be collected"]).name == "INCOMPLETE"


def test_a_pass_against_its_own_record_is_not_green() -> None:
    careless = result(kind="drill")
    careless.drills.append(DrillRecord("x", limits=[LimitCheck("writes", 30.0, 31.0)]))

    verdict = judge([careless])
    assert verdict.name == "INCOMPLETE"
    assert "passed against its own record, writes: 31.00 s is more" in verdict.reasons[0]

    careless.outcome, careless.message = "failed", "31 s"
    assert judge([careless]).reasons == ["Things hold: 31 s"], "said once"


def test_what_is_not_proved_is_said() -> None:
    verdict = judge([result(), result("skipped", "no nodes to stop")], deselected=4)

    assert verdict.name == "GREEN"
    assert verdict.not_proved == [
        "Things hold (skipped: no nodes to stop)",
        "4 tests not selected for this run",
        "Nothing about failover: no drill was executed.",
    ]
