"""What a drill asks of its history: every question with its answer, kept beside the history to be asked again."""

from __future__ import annotations

from typing import Any

from harness.checkers import Asked, Question, Verdict, ask, save_verdicts
from harness.history import History

#: What is asked of every history, whether the drill stands or falls with it or not.
ALWAYS = (
    Question("stats"),
    Question("lost_writes"),
    Question("altered_writes"),
    Question("split_brain"),
    Question("stale_reads"),
    Question("unavailability", {"kind": "write", "since_fault": True}),
    Question("unavailability", {"kind": "read", "since_fault": True}),
    Question("convergence"),
)


class Judgement:
    """The verdicts of one drill: those that it asserts, in the order in which it asked, and the rest for information.

    Attributes: `asserted` holds what the drill stands and falls with; other verdicts than a checker's may be added.
    """

    def __init__(self) -> None:
        self.asserted: list[Verdict] = []
        self._asked: list[Asked] = []

    def ask(self, history: History, checker: str, **arguments: Any) -> Verdict:
        """Ask a checker by its name; the drill stands and falls with the answer."""
        question = Question(checker, arguments)
        verdict = ask(history, question)
        self._asked.append(Asked(question, verdict, asserted=True))
        self.asserted.append(verdict)
        return verdict

    def for_information(self, history: History) -> list[Verdict]:
        """Answer what is always asked and was not yet; called once, at the end of a drill."""
        checkers = {_topic(each.question) for each in self._asked}
        more = [Asked(each, ask(history, each), asserted=False) for each in ALWAYS if _topic(each) not in checkers]
        self._asked += more
        return [each.verdict for each in more]

    def save(self, history: History) -> None:
        """Keep all of it beside the history's file, if it has one. Raises OSError when it cannot be written."""
        if history.path is not None:
            save_verdicts(history.path, self._asked)


def _topic(question: Question) -> tuple[str, str]:
    return question.checker, str(question.arguments.get("kind", "write"))
