"""Questions as values: asked by name, kept in a file, refused when they make no sense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.checkers import (
    CHECKERS,
    Asked,
    Question,
    ask,
    load_verdicts,
    save_verdicts,
    unavailability,
    verdicts_path,
)
from harness.errors import HistoryError
from tests.unit.history.made import S, history, write

STEADY = [write(n, 0.01 * n) for n in range(100)]
LATER = [write(100 + n, 3 + 0.01 * n) for n in range(100)]
EARLY_GAP = [*STEADY, *LATER]
FAULTS = [["fault", "killed(redis-0)", "inject", 3 * S + 500_000, 3 * S + 501_000, 10]]


def test_every_checker_can_be_asked_by_its_name() -> None:
    """The name that a verdict bears is the name that it is asked by."""
    for name, checker in CHECKERS.items():
        verdict = ask(history(STEADY), Question(name))

        assert verdict.checker == name
        assert verdict == checker(history(STEADY))


def test_fault_is_named_instead_of_its_instant() -> None:
    """The first one, or by the beginning of its name; the mark then stands where the checker wants it."""
    made = history([*EARLY_GAP, *FAULTS])

    for since in (True, "killed"):
        found = ask(made, Question("unavailability", {"since_fault": since, "at_most": 1.0}))

        assert found.valid is True, found.explain()
        assert found == unavailability(made, since=made.fault(), at_most=1.0)
    assert ask(made, Question("unavailability", {"since_fault": False, "at_most": 1.0})).valid is False
    assert ask(made, Question("unavailability", {"until_fault": "killed", "at_most": 1.0})).valid is False


def test_fault_that_the_history_does_not_have_makes_it_unknown() -> None:
    """Nothing to count from is not the same as from the beginning."""
    made = history([*EARLY_GAP, *FAULTS])

    assert ask(made, Question("unavailability", {"since_fault": "paused", "at_most": 5.0})).valid is None
    assert ask(history(STEADY), Question("unavailability", {"since_fault": True, "at_most": 5.0})).valid is None


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (Question("two_primaries"), "there is no checker 'two_primaries'; there are altered_writes"),
        (Question("stats", {"atleast": 1}), "got an unexpected keyword argument 'atleast'"),
        (Question("lost_writes", {"at_most": "none"}), "cannot be asked"),
        (Question("stats", {"since_fault": True}), "cannot be asked"),
        (Question("unavailability", {"since_fault": 7}), "a fault is named, or true for the first one, not 7"),
    ],
)
def test_question_that_makes_no_sense_is_refused(question: Question, why: str) -> None:
    """With one line, never with an answer to another question."""
    made = history([*STEADY, *FAULTS, *[["sweep", 0, 99 * S, 10, "primary", 1, True, True, None]]])

    with pytest.raises(HistoryError, match=why):
        ask(made, question)


def test_saved_verdicts_are_read_back(tmp_path: Path) -> None:
    """All that is needed to ask and compare again, beside the history."""
    made = history(STEADY)
    questions = [Question("stats", {"at_least": 5}), Question("unavailability", {"since_fault": "killed"})]
    asked = [Asked(question, ask(made, question), asserted=place == 0) for place, question in enumerate(questions)]

    path = save_verdicts(tmp_path / "drill.jsonl", asked)

    assert path == verdicts_path(tmp_path / "drill.jsonl") == tmp_path / "drill.verdicts.json"
    found = load_verdicts(path)
    assert [each.question for each in found] == questions
    assert [each.asserted for each in found] == [True, False]
    assert [(each.valid, each.text) for each in found] == [(e.verdict.valid, e.verdict.explain()) for e in asked]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not JSON"),
        ("[]", "not the verdicts of a history"),
        ('{"format": "redis-e2e-verdicts", "version": 9}', "version 9 of the format, this reader knows 1"),
        ('{"format": "redis-e2e-verdicts", "version": 1}', "a verdict lacks one of"),
        (
            json.dumps({"format": "redis-e2e-verdicts", "version": 1, "verdicts": [{"checker": "stats"}]}),
            "lacks one of",
        ),
    ],
)
def test_other_file_is_refused(tmp_path: Path, content: str, why: str) -> None:
    """Empty, of another kind or version, or with a part missing."""
    (tmp_path / "x.verdicts.json").write_text(content, encoding="utf-8")

    with pytest.raises(HistoryError, match=why):
        load_verdicts(tmp_path / "x.verdicts.json")
    with pytest.raises(HistoryError, match="cannot be read"):
        load_verdicts(tmp_path / "none.verdicts.json")
