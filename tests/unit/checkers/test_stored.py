"""Histories on disk: the known-bad ones make exactly the checker bark that is meant, the known-good one none."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.checkers import Question, ask
from harness.errors import HistoryError
from harness.history import History

FOLDER = Path(__file__).parent / "histories"
QUESTIONS = {
    "stats": Question("stats", {"at_least": 50}),
    "lost_writes": Question("lost_writes"),
    "altered_writes": Question("altered_writes"),
    "split_brain": Question("split_brain"),
    "unavailability": Question("unavailability", {"since_fault": True, "at_most": 1.0}),
    "reads": Question("unavailability", {"kind": "read", "at_most": 1.0}),
    "stale_reads": Question("stale_reads", {"at_most": 1.0}),
    "convergence": Question("convergence"),
}
#: Which checker barks at which history, and with which words.
BARKS = {
    "lost_write": ("lost_writes", "redis-1 (primary) lacks 1 of writer 0 (writer): 59; acknowledged 3.000..3.000 s"),
    "resurrected": ("altered_writes", "1.60 (3.060 s) met readonly"),
    "duplicated": ("altered_writes", "0.70 (4.050 s) was acknowledged, but had been there already"),
    "rolled_back": ("altered_writes", "gone at 3.579 s on redis-1"),
    "split_brain": (
        "split_brain",
        "redis-0 acknowledged 1.60 (3.560 s) to 1.63 (3.860 s), of which lost at the end: 4",
    ),
    "stale": ("stale_reads", "pinned: 28 of 29 reads stale, by 2.352 s at worst"),
    "outage": ("unavailability", "cause: the Sentinels named no primary (100%)"),
    "diverged": ("convergence", "the contents differ"),
}


@pytest.mark.parametrize("name", BARKS)
def test_bad_history_makes_its_checker_bark_and_no_other(name: str) -> None:
    """One thing is wrong in each."""
    history = History.load(FOLDER / f"{name}.jsonl")
    checker, words = BARKS[name]

    verdicts = {each: ask(history, question) for each, question in QUESTIONS.items()}

    assert words in verdicts[checker].explain()
    assert {each: verdict.valid for each, verdict in verdicts.items()} == {
        **dict.fromkeys(QUESTIONS, True),
        checker: False,
    }


def test_good_history_keeps_all_silent() -> None:
    """A planned hand-over as it should be, with an old primary that says primary and takes nothing."""
    history = History.load(FOLDER / "good.jsonl")

    for question in QUESTIONS.values():
        verdict = ask(history, question)

        assert verdict.valid is True, verdict.explain()


def test_vacuous_history_is_unknown_to_all() -> None:
    """Everybody was there and nothing succeeded: nothing is proven."""
    history = History.load(FOLDER / "vacuous.jsonl")

    assert {each: ask(history, question).valid for each, question in QUESTIONS.items()} == dict.fromkeys(QUESTIONS)


def test_every_stored_history_is_asked() -> None:
    """None lies about unused."""
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == {*BARKS, "good", "vacuous"}


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
def test_cut_history_passes_nothing(tmp_path: Path, share: float) -> None:
    """The first part of a good record: unknown to every checker, for what is missing may be what matters."""
    whole = (FOLDER / "good.jsonl").read_bytes()
    path = tmp_path / "cut.jsonl"
    path.write_bytes(whole[: int(len(whole) * share)])

    history = History.load(path)

    assert {ask(history, question).valid for question in QUESTIONS.values()} == {None}


def test_reordered_history_is_refused(tmp_path: Path) -> None:
    """Two lines of one kind exchanged: ops, and samples as well."""
    lines = (FOLDER / "good.jsonl").read_text(encoding="utf-8").splitlines()
    for kind in ('["w"', '["r"', '["role"'):
        first, second = [number for number, line in enumerate(lines) if line.startswith(kind)][20:40:19]
        moved = [*lines[:first], lines[second], *lines[first + 1 : second], lines[first], *lines[second + 1 :]]
        path = tmp_path / "moved.jsonl"
        path.write_text("\n".join(moved) + "\n", encoding="utf-8")

        with pytest.raises(HistoryError, match=r"order of their completion|older than the one before"):
            History.load(path)


@pytest.mark.parametrize("at", range(0, 100, 7))
def test_corrupt_history_is_refused_or_judged_by_what_is_left(tmp_path: Path, at: int) -> None:
    """A line of rubbish, a missing line or an overwritten byte anywhere: a clear error, never a crash of a checker."""
    lines = (FOLDER / "good.jsonl").read_bytes().splitlines(keepends=True)
    place = 1 + at * (len(lines) - 2) // 100
    for damaged in (b"\x00\xff rubbish\n", b"", lines[place].replace(b"0", b'"x"', 1), lines[place][:-3] + b"\n"):
        if damaged == lines[place]:
            continue
        path = tmp_path / "corrupt.jsonl"
        path.write_bytes(b"".join([*lines[:place], damaged, *lines[place + 1 :]]))

        with pytest.raises(HistoryError):
            History.load(path)
