"""What pytest's own objects say, in the report's words."""

from __future__ import annotations

import re
from typing import Literal

import pytest

LONGEST_MESSAGE = 1500

#: Exit statuses of a run that got to its last test; others are signals, Ctrl-C and pytest.exit().
TO_THE_END = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def is_unit_test_path(config: pytest.Config, argument: str) -> bool:
    """Whether a command-line argument selects unit tests."""
    path = (config.invocation_params.dir / argument.partition("::")[0]).resolve()
    return path.is_relative_to(config.rootpath / "tests" / "unit")


def promise_of(item: pytest.Item) -> str:
    """Return the first line of a test's docstring: the property in one sentence."""
    text = getattr(getattr(item, "obj", None), "__doc__", None) or ""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def kind_of(item: pytest.Item) -> Literal["check", "drill", "other"]:
    """Return what a test is, by its marker."""
    if item.get_closest_marker("drill"):
        return "drill"
    return "check" if item.get_closest_marker("check") else "other"


def outcome_of(report: pytest.TestReport) -> Literal["passed", "failed", "error", "skipped", "xfailed"]:
    """Return how one phase of a test ended: what breaks before or after its body is an error.

    `is_error` is set by the suite's plugin on a test whose body met a broken set-up.
    """
    if report.skipped:
        return "xfailed" if hasattr(report, "wasxfail") else "skipped"
    if report.passed:
        return "passed"
    return "failed" if report.when == "call" and not getattr(report, "is_error", False) else "error"


REPEATED = re.compile(r"^assert ", re.MULTILINE)


def message_of(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return why a test did not pass, without the traceback: that is in the table of all tests."""
    if report.passed:
        return ""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message) if crash else report.longreprtext
    if not text.startswith("assert "):
        text = REPEATED.split(text)[0]  # pytest repeats the expression below a message that says it better
    first, _, rest = text.partition("\n")
    for prefix in ("AssertionError: ", "harness.errors."):
        first = first.removeprefix(prefix)
    return f"{first}\n{rest}".strip()[:LONGEST_MESSAGE]


def interruption_of(session: pytest.Session) -> str:
    """Return why the run ended before its last test, empty if it did not."""
    if session.exitstatus == pytest.ExitCode.INTERNAL_ERROR:
        return "pytest itself failed before the end of the run"
    if session.exitstatus not in TO_THE_END:
        return "the run was interrupted before its end"
    if isinstance(session.shouldstop, str) or isinstance(session.shouldfail, str):
        return f"the run stopped early: {session.shouldfail or session.shouldstop}"
    return ""
