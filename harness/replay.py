"""Asks histories on disk again what their run asked them, and says whether the answers are the same.

``python -m harness.history replay PATH...``: no cluster, no Redis, nothing but the files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.checkers import Question, SavedVerdict, ask, load_verdicts, verdicts_path
from harness.errors import HistoryError
from harness.history import History
from harness.timeline import anatomy

#: Exit codes: all as the run had it and asserted; an asserted verdict does not hold; not readable or not the same.
SAME, NOT_SATISFIED, DIFFERENT = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Replay what is named on the command line; return the worst exit code of all histories."""
    parser = argparse.ArgumentParser(prog="python -m harness.history", description="Work with recorded histories.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("replay", help="judge recorded histories again and compare with what the run said")
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a history, a run's directory, or latest")
    given = parser.parse_args(argv)
    worst = SAME
    for path in given.paths:
        worst = max(worst, _replayed(path))
    return worst


def _replayed(path: Path) -> int:
    """The worst of all histories that a path stands for; one that cannot be read hides no other."""
    try:
        histories = histories_in(path)
    except HistoryError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return DIFFERENT
    worst = SAME
    for history in histories:
        try:
            worst = max(worst, replay(history))
        except HistoryError as exc:
            print(f"error: {exc}", file=sys.stderr)
            worst = DIFFERENT
    return worst


def histories_in(path: Path) -> list[Path]:
    """The histories that a path stands for: itself, or all of a run's directory. Raises HistoryError if none."""
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("history/*.jsonl")) or sorted(path.glob("*.jsonl"))
    found = [each for each in found if each.name != "faults.jsonl"]
    if not found:
        raise HistoryError(f"{path}: no histories in it: a run keeps them as history/<drill>.jsonl")
    return found


def replay(path: Path) -> int:
    """Ask one history again, print what it answers; return the exit code.

    Raises HistoryError if it or its verdicts cannot be read.
    """
    history = History.load(path)
    kept = verdicts_path(path)
    print(f"== {path}")
    print(anatomy(history).as_table())
    if not kept.exists():
        print(f"no {kept.name} beside it: asked what is usual, with nothing to compare with")
        return _asked_anew(history)
    return _compared(history, load_verdicts(kept))


def usual_questions(history: History) -> list[Question]:
    """What is asked of a history that nothing was asked of before."""
    since = {"since_fault": True} if history.fault() else {}
    questions = [
        Question("stats"),
        Question("lost_writes"),
        Question("altered_writes"),
        Question("split_brain"),
        Question("unavailability", since),
        Question("convergence"),
    ]
    if history.readers:
        questions += [Question("unavailability", {**since, "kind": "read"}), Question("stale_reads")]
    return questions


def _asked_anew(history: History) -> int:
    """Nothing was asserted, so unknown is no failure here; a verdict that does not hold is."""
    verdicts = [ask(history, question) for question in usual_questions(history)]
    for verdict in verdicts:
        print(verdict.explain())
    return NOT_SATISFIED if any(verdict.valid is False for verdict in verdicts) else SAME


def _compared(history: History, saved: Sequence[SavedVerdict]) -> int:
    if not saved:
        raise HistoryError(f"{history.path}: its run asked nothing of it")
    code, different = SAME, 0
    for each in saved:
        verdict = ask(history, each.question)
        text = verdict.explain()
        print(text)
        if text != each.text or verdict.valid is not each.valid:
            different += 1
            print(f"DIFFERENT: {each.question}: the run said: {each.text}")
        if each.asserted and verdict.valid is not True:
            code = NOT_SATISFIED
    if different:
        print(f"{different} of {len(saved)} verdicts differ from what the run said")
        return DIFFERENT
    print(f"{len(saved)} verdicts, byte for byte as the run had them")
    return code
