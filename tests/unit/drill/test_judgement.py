from __future__ import annotations

from pathlib import Path

import pytest

from harness.checkers import load_verdicts, verdicts_path
from harness.history import History
from harness.judgement import ALWAYS, Judgement
from harness.replay import main
from tests.unit.drill.test_record import stale_primary
from tests.unit.history.made import digests, file_of, read, samples, swept, write


@pytest.fixture
def recorded(tmp_path: Path) -> History:
    """A history on disk in which all is well."""
    rows = [
        *[write(n, 1 + n / 10) for n in range(20)],
        *[row for seat in ("redis-0",) for row in samples(seat, "primary", 0.5, 3)],
        read(9, 2.95),
        *swept({0: [[0, 19]]}),
        *digests(redis_0="aa", redis_1="aa", redis_2="aa"),
    ]
    return History.load(file_of(tmp_path / "drill.jsonl", rows, readers=["sentinel"]))


def test_everything_is_asked_once_and_says_whether_the_drill_stands_on_it(recorded: History) -> None:
    judgement = Judgement()
    lost = judgement.ask(recorded, "lost_writes")
    informed = judgement.for_information(recorded)
    judgement.save(recorded)

    assert recorded.path is not None
    saved = load_verdicts(verdicts_path(recorded.path))

    assert judgement.asserted == [lost]
    assert len(informed) == len(ALWAYS) - 1
    assert [each.question.checker for each in saved if each.asserted] == ["lost_writes"]
    assert len(saved) == len(ALWAYS)


def test_gaps_of_reads_are_asked_for_even_if_those_of_writes_are_asserted(recorded: History) -> None:
    judgement = Judgement()
    judgement.ask(recorded, "unavailability", since_fault=True, at_most=30.0)

    kinds = [
        getattr(each, "kind", None) for each in judgement.for_information(recorded) if each.checker == "unavailability"
    ]

    assert len(kinds) == 1


def test_what_was_saved_is_answered_the_same_from_disk(recorded: History, capsys: pytest.CaptureFixture[str]) -> None:
    judgement = Judgement()
    judgement.ask(recorded, "lost_writes")
    judgement.for_information(recorded)
    judgement.save(recorded)

    status = main(["replay", str(recorded.path)])

    assert status == 0, capsys.readouterr()
    assert "byte for byte" in capsys.readouterr().out


def test_a_history_without_a_file_is_judged_and_not_saved() -> None:
    judgement = Judgement()
    judgement.ask(stale_primary(), "split_brain")
    judgement.save(stale_primary())

    assert [verdict.valid for verdict in judgement.asserted] == [False]
