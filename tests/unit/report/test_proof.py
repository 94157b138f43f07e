from __future__ import annotations

import dataclasses

from harness.report.outcome import Result, judge
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


def test_the_verdict_carries_the_proof() -> None:
    verdict = judge([Result("c", "C.", "drill", "passed", drills=[sample_trouble.paused()])])

    assert verdict.proved == list(sample_trouble.paused().proves)
    assert verdict.reservations == list(sample_trouble.paused().does_not_prove)
    assert verdict.not_proved == [], "what was not run is another matter"
