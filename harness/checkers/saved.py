"""What a run asked of a history and was told, in a file beside it, so that it can be asked again and compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.checkers.questions import Asked, Question
from harness.errors import HistoryError

FORMAT = "redis-e2e-verdicts"
VERSION = 1


@dataclass(frozen=True, slots=True)
class SavedVerdict:
    """A question and what it was answered: `text` is the whole explanation."""

    question: Question
    asserted: bool
    valid: bool | None
    text: str


def verdicts_path(history: Path) -> Path:
    """Where a history's verdicts are kept: ``<name>.verdicts.json`` beside ``<name>.jsonl``."""
    return history.with_name(history.name.removesuffix(".jsonl") + ".verdicts.json")


def save_verdicts(history: Path, asked: Sequence[Asked]) -> Path:
    """Keep the verdicts of a history; return where."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "history": history.name,
        "verdicts": [
            {
                "checker": each.question.checker,
                "arguments": dict(each.question.arguments),
                "asserted": each.asserted,
                "valid": each.verdict.valid,
                "text": each.verdict.explain(),
            }
            for each in asked
        ],
    }
    path = verdicts_path(history)
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def load_verdicts(path: Path) -> list[SavedVerdict]:
    """Read them back. Raises HistoryError with one line if the file is not what `save_verdicts` wrote."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise HistoryError(f"{path}: cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise HistoryError(f"{path}: not JSON: {exc}") from exc
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise HistoryError(f"{path}: not the verdicts of a history")
    if document.get("version") != VERSION:
        raise HistoryError(f"{path}: version {document.get('version')!r} of the format, this reader knows {VERSION}")
    verdicts = document.get("verdicts")
    if not isinstance(verdicts, list) or not all(_is_verdict(each) for each in verdicts):
        raise HistoryError(f"{path}: a verdict lacks one of checker, arguments, asserted, valid, text")
    return [
        SavedVerdict(Question(each["checker"], each["arguments"]), each["asserted"], each["valid"], each["text"])
        for each in verdicts
    ]


def _is_verdict(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("checker"), str)
        and isinstance(value.get("arguments"), dict)
        and isinstance(value.get("asserted"), bool)
        and "valid" in value
        and (value["valid"] is None or isinstance(value["valid"], bool))
        and isinstance(value.get("text"), str)
    )
