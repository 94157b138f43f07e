"""The pytest side of the report: collects what tests, checks and drills leave, and writes it when the run ends.

Registered by the suite's plugin, in a ``pytest_configure`` with ``tryfirst``, before pytest-html's and junitxml's:

    if reports_wanted(config):
        plugin = ReportPlugin(config, create_run(directory))
        config.pluginmanager.register(plugin, ReportPlugin.NAME)
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pytest_html import extras

from harness.artifacts import ArtifactError, Run, write_json, write_text, writing
from harness.errors import HarnessError
from harness.report import page, terminal
from harness.report.document import EMPTY_HEAD, document, unfinished
from harness.report.origin import rerun_command, run_command, suite_commit
from harness.report.outcome import Result, Verdict, judge
from harness.report.reading import (
    interruption_of,
    is_unit_test_path,
    kind_of,
    message_of,
    outcome_of,
    promise_of,
)
from harness.report.record import DrillRecord

#: Saves what is there when a test failed, into the directory given; returns the files worth a link.
OnFailure = Callable[[Path], list[Path]]


def reports_wanted(config: pytest.Config) -> bool:
    """Whether this pytest process writes a report: not an xdist worker, not a mere listing, not the unit tests."""
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.help or config.option.version:
        return False
    if getattr(config.option, "showfixtures", False) or getattr(config.option, "markers", False):
        return False
    return any(not is_unit_test_path(config, argument) for argument in config.args)


class ReportPlugin:
    """Writes ``report.html``, ``junit.xml`` and ``run.json`` of one run.

    Attributes: `head` is to be filled with what the run knows of itself (keys: `document.EMPTY_HEAD`); `on_failure` is
    to be set by whoever can save the state of the cluster; `problems` takes faults of the run itself, one line each:
    with any of them the run is not green; `is_interrupted` tells that nobody waits for
    what is left of the run.
    """

    NAME = "redis-e2e-report"

    def __init__(self, config: pytest.Config, run: Run) -> None:
        self.run = run
        self.head: dict[str, Any] = {
            key: type(value)(value) if value is not None else None for key, value in EMPTY_HEAD.items()
        }
        self.on_failure: OnFailure | None = None
        self.problems: list[str] = []
        self.verdict: Verdict | None = None
        self.is_interrupted = False
        self._config = config
        self._arguments = [str(argument) for argument in config.invocation_params.args]
        self._results: dict[str, Result] = {}
        self._saved_at_setup: dict[str, list[str]] = {}
        self._deselected = 0
        self._document: dict[str, Any] = {}
        self._page_data: Any = None
        config.option.htmlpath = str(run.report_html)
        config.option.self_contained_html = True
        config.option.css = [*(config.option.css or []), str(page.CSS)]
        config.option.xmlpath = config.option.xmlpath or str(run.junit_xml)

    # What tests and fixtures call

    def evidence(self, item: pytest.Item, text: str) -> None:
        """Say in a few words what a check saw; shown beside its verdict and in junit.xml."""
        item.user_properties.append(("evidence", text))

    def attach(self, item: pytest.Item, record: DrillRecord) -> None:
        """Hand over the record of a drill; a test may hand over several. Raises ReportError if it cannot be shown."""
        record.to_json()  # a record that cannot be written fails its drill, not the whole report at the end
        self._result(item).drills.append(record)

    # Hooks: the course of the run

    def pytest_sessionstart(self) -> None:
        """Leave an honest report from the first moment: a killed run must not look like anything else."""
        started = unfinished(self.run, run_command(self._arguments))
        try:
            write_json(self.run.run_json, started)
            write_text(self.run.report_html, page.unfinished(started))
        except ArtifactError as error:
            raise pytest.UsageError(str(error)) from error
        self.head["versions"] |= {
            "python": platform.python_version(),
            "pytest": pytest.__version__,
            "suite commit": suite_commit(self._config.rootpath),
        }

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count what was left out by -k and -m: the run proves nothing about it."""
        self._deselected += len(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know every test before the first one runs, so that one that never ran is listed as such."""
        for item in session.items:
            self._result(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count a module that cannot be imported as a fault of the run."""
        if report.failed:
            self.problems.append(f"{report.nodeid or 'the tests'} cannot be collected: {message_of(report)}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        """Save the state of the cluster while it still is what the failed test saw."""
        report: pytest.TestReport = yield  # type: ignore[assignment]
        result = self._result(item)
        if report.failed and not result.saved and self.on_failure:
            result.saved = self._saved_once(self.on_failure, item, report)
            links = [extras.url(target, name=Path(target).name) for target in result.saved]
            report.extras = [*getattr(report, "extras", []), *links]  # type: ignore[attr-defined]
        return report  # type: ignore[return-value]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of one test into its result."""
        result = self._results.setdefault(report.nodeid, Result(report.nodeid, "", "other"))  # xdist collects elsewhere
        result.seconds = round(result.seconds + report.duration, 3)
        if report.when == "call" or (report.when == "setup" and not report.passed):
            result.outcome = outcome_of(report)
            result.message = message_of(report)
            result.met_broken_set_up = report.when == "call" and result.outcome == "error"
        elif report.when == "teardown" and report.failed:
            result.message = "\n".join(filter(None, [result.message, f"after the test: {message_of(report)}"]))
            result.outcome = "failed" if result.outcome == "failed" else "error"
        result.evidence = [str(text) for name, text in report.user_properties if name == "evidence"]

    def pytest_keyboard_interrupt(self) -> None:
        """Note that the run ends now."""
        self.is_interrupted = True

    @pytest.hookimpl(wrapper=True, trylast=True)  # the innermost wrapper: the terminal's summary comes after it
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        """Judge after the last fixture has ended, and fail a run that proved nothing or could not write its report."""
        try:
            with writing(self.run.report_html):
                yield
        except ArtifactError as error:
            self.problems.append(str(error))
        except HarnessError as error:  # of the fixtures of the test that was interrupted: they end here
            self.problems.append(f"after the interruption: {error}")
        self._finish(session)
        if self.problems or (self.verdict and self.verdict.name != "GREEN"):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print verdict, windows and phases, and where the report is."""
        if self._document:
            terminal.write(terminalreporter, self._document, self.problems, self._shown_path())

    # Hooks of the page's own writer

    def pytest_html_report_title(self, report: Any) -> None:
        """Name the page."""
        self._page_data = report
        report.title = f"Redis with Sentinel, end to end: {self.run.run_id}"

    def pytest_html_results_summary(self, prefix: list[str], session: pytest.Session) -> None:
        """Put verdict, head, drills and checks above the table of all tests."""
        self._finish(session)
        self._count_errors_as_such()
        prefix.append(page.body(self._document, list(self._results.values())))

    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add the property that a test states."""
        cells.insert(1, "<th>Property</th>")

    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Add the property that a test states, and call an error an error."""
        if getattr(report, "is_error", False):
            cells[0] = '<td class="col-result">Error</td>'
        result = self._results.get(report.nodeid)
        cells.insert(1, page.property_cell(result.promise if result else ""))

    # Below the hooks

    def _finish(self, session: pytest.Session) -> None:
        """Judge and write run.json, once: pytest-html asks for its summary before the other hooks have ended."""
        if self._document:
            return
        results = list(self._results.values())
        seed = self.head.get("seed")
        for result in results:
            result.rerun = rerun_command(result.test, self._arguments, self._config.args, seed)
        self.verdict = judge(
            results, deselected=self._deselected, interrupted=interruption_of(session), problems=self.problems
        )
        self._document = document(
            self.run,
            self.verdict,
            results,
            head=self.head,
            command=run_command(self._arguments),
            deselected=self._deselected,
        )
        try:
            write_json(self.run.run_json, self._document)
        except ArtifactError as error:
            self.problems.append(str(error))

    def _count_errors_as_such(self) -> None:
        """Correct the page's own counts: pytest-html takes a test whose body met a broken set-up for a failure."""
        errors = sum(result.met_broken_set_up for result in self._results.values())
        self._page_data.outcomes["failed"]["value"] -= errors
        self._page_data.outcomes["error"]["value"] += errors

    def _result(self, item: pytest.Item) -> Result:
        if item.nodeid not in self._results:
            self._results[item.nodeid] = Result(item.nodeid, promise_of(item), kind_of(item))
        return self._results[item.nodeid]

    def _saved_once(self, on_failure: OnFailure, item: pytest.Item, report: pytest.TestReport) -> list[str]:
        """Save, unless an earlier set-up broke in the same words: a shared fixture fails each test that asks for it."""
        if report.when != "setup":
            return self._save(on_failure, self.run.dump_of(item.nodeid))
        words = message_of(report)
        if words not in self._saved_at_setup:
            self._saved_at_setup[words] = self._save(on_failure, self.run.dump_of(item.nodeid))
        return self._saved_at_setup[words]

    def _save(self, on_failure: OnFailure, directory: Path) -> list[str]:
        """Run the hook in a thread of its own: whatever it raises is shown in the report and fells no run."""
        pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dump")
        try:
            job = pool.submit(on_failure, directory)
            error = job.exception()
        finally:
            pool.shutdown(wait=False)  # Ctrl-C must not wait for a dump
        if error is None:
            return [self.run.relative(path) for path in job.result()]
        line = f"the state could not be saved: {type(error).__name__}: {error}"
        try:
            return [self.run.relative(write_text(directory / "dump-failed.txt", f"{line}\n"))]
        except ArtifactError as refused:
            self.problems.append(f"{line}; {refused}")
            return []

    def _shown_path(self) -> str:
        path = self.run.report_html
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
