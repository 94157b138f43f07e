"""The suite as a pytest plugin: options, the report, what counts as an error, and an orderly end on every signal."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from harness import wait
from harness.artifacts import create_run
from harness.errors import (
    FaultError,
    HarnessError,
    HealFailed,
    ImageError,
    ManifestError,
    NotJudged,
    ProviderError,
    SettingsError,
    SteadyStateError,
    WitnessError,
)
from harness.faults.dead_man import set_dead_mans_time
from harness.report.plugin import ReportPlugin, reports_wanted
from harness.settings import Settings, add_options, read_settings

SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
REPORT: pytest.StashKey[ReportPlugin] = pytest.StashKey()

#: Raised in a test's body, these say that the set-up is broken, not the product: the test is an error, not a failure.
SET_UP = (FaultError, SteadyStateError, ProviderError, ImageError, ManifestError, WitnessError)

#: What a shell reports for a process that ended by a signal: 128 + its number.
ENDED_BY = 128


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of the suite."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings and open the run's directory, before anything is started. Complaints are one line each."""
    if not reports_wanted(config):
        return
    try:
        settings = read_settings(config.getoption, os.environ)
        run = create_run(settings.report_dir)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    except HarnessError as error:
        raise pytest.UsageError(f"the report cannot be written: {error}") from error
    wait.set_patience_scale(settings.patience_scale)
    set_dead_mans_time(settings.dead_man_s)
    report = ReportPlugin(config, run)
    report.head["seed"] = settings.chaos_seed
    config.pluginmanager.register(report, ReportPlugin.NAME)
    config.stash[SETTINGS], config.stash[REPORT] = settings, report
    signal.signal(signal.SIGTERM, _terminated)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else whoever started us ignores it
        signal.signal(signal.SIGINT, _interrupted)
        config.add_cleanup(_give_back)


def _give_back() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupted(number: int, _frame: FrameType | None) -> None:
    """End the run as pytest does, but once: people press Ctrl-C twice, and the second met the healing of a fault."""
    signal.signal(number, _say_tidying)
    raise KeyboardInterrupt


def _terminated(number: int, _frame: FrameType | None) -> None:
    """End the run as Ctrl-C would: faults are healed, then it tidies up."""
    signal.signal(number, signal.SIG_IGN)  # a second one must not cut the tidying short
    pytest.exit(f"ended by {signal.Signals(number).name}: tidying up", returncode=ENDED_BY + number)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the checks before the drills: what is not as promised should be known before it is broken on purpose."""
    items.sort(key=lambda item: item.get_closest_marker("drill") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Tell broken set-up from a broken product, and "not judged" from both."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, NotJudged):
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"Skipped: not judged: {error}")
        if REPORT in item.config.stash:
            item.config.stash[REPORT].problems.append(f"{item.name} was not judged: {error}")
    elif isinstance(error, SET_UP) and report.when == "call":
        report.is_error = True  # type: ignore[attr-defined]
    if isinstance(error, HealFailed):
        item.session.shouldstop = "a fault could not be healed: whatever came after it would prove nothing"
    return report  # type: ignore[return-value]


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """Count a test whose set-up broke in mid-test among the errors."""
    if report.failed and getattr(report, "is_error", False):
        return "error", "E", "ERROR"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let Ctrl-C not interrupt the tidying up: fixtures end here, among them the cluster."""
    if REPORT in session.config.stash and signal.getsignal(signal.SIGINT) is _interrupted:
        signal.signal(signal.SIGINT, _say_tidying)


def _say_tidying(_number: int, _frame: FrameType | None) -> None:
    print("\ntidying up; a moment (kill -9 leaves the rest to the next start or to `make down`)", flush=True)


@pytest.hookimpl(tryfirst=True)
def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Say that the end is orderly; why a run ended itself stands in its summary."""
    if isinstance(excinfo.value, KeyboardInterrupt):
        print("\ninterrupted: faults are healed, then the run ends", flush=True)
