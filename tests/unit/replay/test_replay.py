"""Replay: a history is asked again what its run asked it, and every difference is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.checkers import Asked, Question, ask, save_verdicts, verdicts_path
from harness.history import History
from harness.replay import DIFFERENT, NOT_SATISFIED, SAME, main

STORED = Path(__file__).parents[1] / "checkers" / "histories"
QUESTIONS = (
    Question("stats"),
    Question("lost_writes"),
    Question("unavailability", {"since_fault": True, "at_most": 1}),
)


def run_of(tmp_path: Path, *names: str, asserted: bool = True) -> Path:
    """A run's directory with copies of stored histories and what was asked of them."""
    folder = tmp_path / "run" / "history"
    folder.mkdir(parents=True)
    for name in names:
        path = folder / f"{name}.jsonl"
        path.write_bytes((STORED / f"{name}.jsonl").read_bytes())
        history = History.load(path)
        save_verdicts(path, [Asked(each, ask(history, each), asserted) for each in QUESTIONS])
    return tmp_path / "run"


def test_same_verdicts_of_a_whole_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Anatomy and verdicts as the run had them; a run's directory, the link to it, or one file."""
    run = run_of(tmp_path, "good")
    (tmp_path / "latest").symlink_to(run)

    for path in (run, tmp_path / "latest", run / "history" / "good.jsonl"):
        assert main(["replay", str(path)]) == SAME
        out = capsys.readouterr().out
        assert "failover: " in out
        assert "lost_writes holds: 120 acknowledged" in out
        assert "3 verdicts, byte for byte as the run had them" in out


def test_asserted_verdict_that_does_not_hold_is_told_apart(tmp_path: Path) -> None:
    """The same as in the run, and no pass; for information only, it is none of the exit code's business."""
    assert main(["replay", str(run_of(tmp_path / "a", "good", "lost_write"))]) == NOT_SATISFIED
    assert main(["replay", str(run_of(tmp_path / "b", "good", "lost_write", asserted=False))]) == SAME


def test_differing_verdict_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One letter of one verdict, or its value alone."""
    run = run_of(tmp_path, "good")
    kept = verdicts_path(run / "history" / "good.jsonl")
    whole = kept.read_text(encoding="utf-8")
    for before, after in (("120 acknowledged", "121 acknowledged"), ('"valid": true', '"valid": false')):
        kept.write_text(whole.replace(before, after, 1), encoding="utf-8")

        assert main(["replay", str(run)]) == DIFFERENT
        assert "1 of 3 verdicts differ from what the run said" in capsys.readouterr().out


def test_altered_history_is_not_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One acknowledged write less, counts set right: whole, but not what the run judged."""
    run = run_of(tmp_path, "good")
    path = run / "history" / "good.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    gone = next(line for line in lines if line.startswith('["w",0,30,'))
    text = "\n".join(line for line in lines if line != gone) + "\n"
    path.write_text(text.replace('"w":190', '"w":189'), encoding="utf-8")

    assert main(["replay", str(run)]) == DIFFERENT
    assert "DIFFERENT: lost_writes()" in capsys.readouterr().out


def test_history_without_verdicts_is_asked_what_is_usual(capsys: pytest.CaptureFixture[str]) -> None:
    """Said so; what does not hold is no success, what is unknown was never asserted."""
    assert main(["replay", str(STORED / "good.jsonl")]) == SAME
    out = capsys.readouterr().out
    assert "no good.verdicts.json beside it" in out
    for checker in ("stats", "lost_writes", "altered_writes", "split_brain", "unavailability", "stale_reads"):
        assert f"{checker} holds: " in out
    assert main(["replay", str(STORED / "split_brain.jsonl")]) == NOT_SATISFIED
    assert main(["replay", str(STORED / "vacuous.jsonl")]) == SAME


def test_what_cannot_be_read_is_one_line_and_hides_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing path, an empty directory, a damaged file: the others are replayed all the same."""
    run = run_of(tmp_path, "good", "stale")
    (run / "history" / "good.jsonl").write_text("")
    (tmp_path / "empty").mkdir()

    assert main(["replay", str(tmp_path / "none"), str(tmp_path / "empty"), str(run)]) == DIFFERENT
    printed = capsys.readouterr()
    assert [line.split(": ", 2)[2] for line in printed.err.splitlines()] == [
        "cannot be read: No such file or directory",
        "no histories in it: a run keeps them as history/<drill>.jsonl",
        "the file is empty: nothing was recorded",
    ]
    assert "3 verdicts, byte for byte as the run had them" in printed.out


def test_cut_history_passes_nothing(tmp_path: Path) -> None:
    """What the run asserted of the whole file cannot be had from half of it."""
    run = run_of(tmp_path, "good")
    path = run / "history" / "good.jsonl"
    path.write_bytes(path.read_bytes()[:9000])

    assert main(["replay", str(run)]) == DIFFERENT


def test_empty_verdicts_are_no_success(tmp_path: Path) -> None:
    """A run that asked nothing proved nothing."""
    run = run_of(tmp_path, "good")
    save_verdicts(run / "history" / "good.jsonl", [])

    assert main(["replay", str(run)]) == DIFFERENT


def test_it_is_a_program(tmp_path: Path) -> None:
    """From a shell, without a cluster, with its exit code."""
    command = [sys.executable, "-m", "harness.history", "replay", str(run_of(tmp_path, "outage"))]
    root = Path(__file__).parents[3]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == NOT_SATISFIED, done.stderr
    assert "cause: the Sentinels named no primary (100%)" in done.stdout
