from __future__ import annotations

import dataclasses

import pytest

from harness.report.causes import WORDS, all_in_words, in_words
from harness.report.harm import harms
from harness.report.record import BudgetPhase, DrillRecord, Loss
from harness.report.tables import tables
from harness.report.wording import drill_sentence
from tests.unit.report import sample, sample_trouble
from witness.outcomes import REFUSALS

SILENCES = ("refused", "reset", "timeout", "unreachable", "unresolved", "protocol", "no-primary", "not-primary")


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("301 refused", "301\u00d7 connection refused: no process listened there"),
        ("1655 readonly", "1,655\u00d7 reached a replica, which refuses writes (READONLY)"),
        ("READONLY", "reached a replica, which refuses writes (READONLY)"),
        ("7 never heard of", "7\u00d7 never heard of"),
    ],
)
def test_causes_are_told_in_words(cause: str, words: str) -> None:
    assert in_words(cause) == words


def test_the_most_frequent_cause_comes_first() -> None:
    assert all_in_words(["8 reset", "953 unresolved"]) == [
        "953\u00d7 the name did not resolve",
        "8\u00d7 the connection broke",
    ]


def test_the_usual_causes_have_words() -> None:
    common = {code.lower() for code in REFUSALS} - {"clusterdown", "nogoodslave", "tryagain", "wrongtype"}

    assert common | set(SILENCES) <= set(WORDS)


def test_a_window_says_whose_it_is_and_why() -> None:
    own, pinned = tables(sample_trouble.paused())["window_rows"]

    assert (own["what"], own["between"], own["lasted"]) == ("writes", "+20 ms to +6.98 s", "6.96 s ± 4 ms")
    assert pinned["what"] == "writes of pinned writers"
    assert own["causes"] == ["48\u00d7 no answer in time", "12\u00d7 connection refused: no process listened there"]


def test_the_longest_window_is_of_the_clients_that_the_drill_judges_by() -> None:
    window = sample_trouble.paused().longest_write_window

    assert window is not None
    assert window.duration_s == 6.96


@pytest.mark.parametrize(
    ("held", "tone"), [([True, True], "good"), ([True, False], "bad"), ([True, None], "unsure"), ([], "unsure")]
)
def test_the_budget_is_kept_only_if_every_phase_was_seen_within(held: list[bool | None], tone: str) -> None:
    phases = [BudgetPhase("x", 0.0, 1.0, None if one is None else 0.5, one) for one in held]

    assert tables(DrillRecord("x", budget=phases))["budget_tone"] == tone


def test_a_gauge_stays_within_its_frame() -> None:
    detection, election, promotion = tables(sample_trouble.second_attempt())["budget_rows"]

    assert election["took_at"] == 100.0, "far beyond the worst case: at the edge"
    assert 0 < detection["best_at"] < detection["took_at"] < detection["worst_at"]
    assert (promotion["allowed"], promotion["held"]) == ("0.2 s to 2.2 s", True)


def test_a_phase_without_bounds_divides_by_nothing() -> None:
    (row,) = tables(DrillRecord("x", budget=[BudgetPhase("x", 0.0, 0.0, 0.2, False)]))["budget_rows"]

    assert (row["took_at"], row["worst_at"]) == (0.0, 0.0)


def test_attempts_and_tilt_are_told_in_words() -> None:
    first, second = tables(sample_trouble.second_attempt())["attempt_rows"]

    assert first == "redis-sentinel-1 began at +5.17 s: elected, then gone before it promoted anybody."
    assert second == "redis-sentinel-0 began at +65.20 s: redis-1 was promoted, at +66.30 s."
    assert len(tables(sample_trouble.tilt())["tilt_rows"]) == 3
    assert "from +3.05 s to +33.05 s" in tables(sample_trouble.tilt())["tilt_rows"][0]


def test_losses_of_another_group_are_not_hidden_behind_none_lost() -> None:
    assert drill_sentence(sample_trouble.paused()).endswith(
        "no acknowledged write was lost by clients that ask the Sentinels, but pinned writers lost 10,194"
    )


def test_a_write_missing_on_two_seats_is_one_lost_write() -> None:
    losses = [Loss("pinned writers", seat, 7, 1.0, 2.0) for seat in ("redis-1", "redis-2")]

    assert "lost 7" in drill_sentence(dataclasses.replace(sample.unplanned(), losses=losses))


def test_harm_that_had_not_ended_says_so() -> None:
    record = sample_trouble.paused()
    open_ = dataclasses.replace(record, overlaps=[dataclasses.replace(record.overlaps[0], end=None)])

    assert "from +12.10 s to the end of the recording" in harms(open_)[0].telling
