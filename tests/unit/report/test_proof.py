from __future__ import annotations

import dataclasses

from harness.report.course import FaultBracket
from harness.report.outcome import Result, judge
from harness.report.page import _felled
from harness.report.proof import proof
from tests.unit.report import sample, sample_trouble


def test_only_what_passed_proves_anything() -> None:
    failed = dataclasses.replace(sample_trouble.second_attempt(), proves=["Nothing."], does_not_prove=["The weather."])
    results = [
        Result("a", "A.", "check", "passed"),
        Result("b", "B.", "check", "failed"),
        Result("c", "C.", "drill", "passed", drills=[sample.unplanned()]),
        Result("d", "D.", "drill", "failed", drills=[failed]),
        Result("e", "E.", "drill", "passed", drills=[sample.unplanned(gap_s=31.0)]),
    ]

    found = proof(results)
    assert found.proved == [
        "The deployment is what it claims to be in 1 of 2 checked properties.",
        sample.unplanned().proves[0],
    ]
    assert found.reservations == [*sample.unplanned().does_not_prove, "The weather."], "each once"


def test_a_drill_that_says_nothing_proves_its_promise() -> None:
    assert proof([Result("a", "A.", "drill", "passed", drills=[sample.reboot()])]).proved == ["A."]


def test_controls_are_told_after_the_drills() -> None:
    """That nothing barks when nothing is broken is about the suite."""
    control = dataclasses.replace(
        sample.unplanned(), faults=[FaultBracket("noop", "nothing", 1.0)], proves=["Nobody barked."]
    )
    results = [
        Result("c", "C.", "drill", "passed", drills=[control]),
        Result("d", "D.", "drill", "passed", drills=[sample.unplanned()]),
    ]

    assert proof(results).proved[-1] == "Nobody barked."
    assert len(proof(results).proved) > 1


def test_the_verdict_carries_the_proof() -> None:
    verdict = judge([Result("c", "C.", "drill", "passed", drills=[sample_trouble.paused()])])

    assert verdict.proved == list(sample_trouble.paused().proves)
    assert verdict.reservations == list(sample_trouble.paused().does_not_prove)
    assert verdict.not_proved == [], "what was not run is another matter"


def test_headline_names_what_was_done_unless_it_begins_with_it() -> None:
    """Ninety headlines of which most say `unplanned failover` are told apart by their faults."""
    record = sample.unplanned()
    felled = f"{record.faults[0].name}({record.faults[0].target})"

    assert _felled(record, "unplanned failover: writes stood still") == felled
    assert _felled(record, f"{felled}: no write was measured") == ""

    many = [FaultBracket("paused", f"redis-{number}", 1.0) for number in range(5)]
    assert _felled(dataclasses.replace(record, faults=many), "none").endswith("paused(redis-2), 2 more")
