"""The report plugin under a real pytest, on small made-up projects."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

#: Without plugins that these projects do not need; hypothesis alone would cost each of them a second.
QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

CONFTEST = """
    import pytest
    from pathlib import Path
    from harness.artifacts import create_run
    from harness.errors import HarnessError
    from harness.report.plugin import ReportPlugin, reports_wanted
    from tests.unit.report import sample

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(config):
        config.addinivalue_line("markers", "check: x")
        config.addinivalue_line("markers", "drill: x")
        if reports_wanted(config):
            plugin = ReportPlugin(config, create_run(Path("reports")))
            plugin.head["seed"] = 7
            plugin.head["versions"]["Redis"] = "7.0.15"
            plugin.head["images"] = [{"name": "redis", "reference": "redis:7"}]
            plugin.head["settings"] = {"down-after": "5 s", "overlay": Path("default")}
            config.pluginmanager.register(plugin, ReportPlugin.NAME)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(item, call):
        report = yield
        if call.excinfo and isinstance(call.excinfo.value, HarnessError) and report.when == "call":
            report.is_error = True  # as the suite's plugin does
        return report

    @pytest.fixture
    def report(request):
        return request.config.pluginmanager.getplugin(ReportPlugin.NAME)
"""
SUITE = '''
    import pytest
    from tests.unit.report import sample

    @pytest.mark.check
    def test_one(report, request):
        """Three instances run.

        More that is not shown.
        """
        report.evidence(request.node, "3 of 3 <ready>")

    @pytest.mark.drill
    def test_gone(report, request):
        """Losing the primary's pod is survived."""
        report.attach(request.node, sample.unplanned())
'''


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return an empty project that writes a report as the suite does."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))  # for those that run in a process of their own
    pytester.makeconftest(CONFTEST)
    return pytester


def run(project: pytest.Pytester, source: str, *options: str) -> tuple[pytest.RunResult, dict[str, Any], str]:
    """Run a test module; return pytest's result, run.json and report.html."""
    project.makepyfile(source)
    result = project.runpytest(*QUIET, *options)
    latest = project.path / "reports" / "latest"
    return result, json.loads((latest / "run.json").read_text()), (latest / "report.html").read_text()


def test_a_good_run_leaves_a_page_a_junit_file_and_run_json(project: pytest.Pytester) -> None:
    result, document, page = run(project, SUITE)

    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*verdict: GREEN*",
            "1 checked property and 1 drill held.",
            "passed *writes stood still for 6.93 s of 30 s allowed; redis-1 took over from redis-0*",
            "        within budget",
            "* promoted  *6.24 s*1.01 s*",
            "report: reports/*/report.html",
        ]
    )
    assert document["verdict"]["name"] == "GREEN"
    assert document["tests"][0]["promise"] == "Three instances run."
    assert document["tests"][0]["evidence"] == ["3 of 3 <ready>"]
    assert document["head"]["images"] == [{"name": "redis", "reference": "redis:7", "version": "", "id": ""}]
    assert "✔ GREEN" in page
    assert "3 of 3 &lt;ready&gt;" in page
    assert '<svg class="timeline"' in page
    assert "More that is not shown" not in re.sub(r"data-jsonblob=.*", "", page)
    junit = ET.fromstring((project.path / "reports/latest/junit.xml").read_text())  # noqa: S314  our own output
    assert [case.attrib["name"] for case in junit.iter("testcase")] == ["test_one", "test_gone"]
    assert [p.attrib["value"] for p in junit.iter("property")] == ["3 of 3 <ready>"]


def test_the_page_loads_nothing_from_elsewhere(project: pytest.Pytester) -> None:
    _, _, page = run(project, SUITE)
    page = without_library(page)

    assert not re.search(r"""(src|xlink:href)\s*=\s*["']?(https?:)?//""", page)
    assert not re.search(r"<link[^>]+stylesheet|@import|url\(", page)
    assert [found.name for found in (project.path / "reports/latest").iterdir() if found.name == "assets"] == []


def without_library(page: str) -> str:
    """Return the page without Plotly's own text, which names addresses of maps that none of our figures has."""
    start = page.index("<script>/**\n* plotly.js")
    return page[:start] + page[page.index("</script>", start) :]


def test_the_library_is_inlined_once_and_only_for_a_picture(project: pytest.Pytester) -> None:
    another = SUITE.partition("@pytest.mark.drill")[2].replace("test_gone", "test_gone_too")
    _, _, with_drills = run(project, f"{SUITE}    @pytest.mark.drill{another}")
    _, _, without = run(project, "def test_a(): pass")

    assert with_drills.count("* plotly.js v") == 1
    assert with_drills.count('class="figure"') == 2
    assert "plotly" not in without
    assert len(without) < 200_000
    assert len(with_drills) < 6_000_000, "the budget of the page is 6 MB"


def test_a_failure_is_red_with_what_was_saved_and_how_to_repeat_it(project: pytest.Pytester) -> None:
    source = '''
    import pytest
    @pytest.mark.check
    def test_bad(report):
        """Every exporter tells the truth."""
        def save(directory):
            directory.mkdir(parents=True)
            (directory / "index.txt").write_text("x")
            return [directory / "index.txt"]
        report.on_failure = save
        raise AssertionError("redis-1: redis_up 0")
    '''
    result, document, page = run(project, source)

    assert result.ret == 1
    assert document["verdict"]["reasons"] == ["Every exporter tells the truth: redis-1: redis_up 0"]
    test = document["tests"][0]
    assert test["rerun"].startswith(
        "pytest test_a_failure_is_red_with_what_was_saved_and_how_to_repeat_it.py::test_bad"
    )
    assert test["rerun"].endswith("--chaos-seed=7")
    assert len(test["saved"]) == 1
    assert (project.path / "reports/latest" / test["saved"][0]).read_text() == "x"
    assert f'href="{test["saved"][0]}"' in page


@pytest.mark.parametrize("error", ["RuntimeError('boom')", "HarnessError('boom')"])
def test_a_dump_that_fails_is_shown_and_fells_nothing(project: pytest.Pytester, error: str) -> None:
    source = f"""
    from harness.errors import HarnessError
    def test_bad(report):
        def save(directory):
            raise {error}
        report.on_failure = save
        assert False, "first"
    def test_next():
        pass
    """
    result, document, _ = run(project, source)

    result.assert_outcomes(failed=1, passed=1)
    saved = (project.path / "reports/latest" / document["tests"][0]["saved"][0]).read_text()
    assert saved == f"the state could not be saved: {error.partition('(')[0]}: boom\n"


def test_a_shared_fixture_that_breaks_is_saved_once(project: pytest.Pytester) -> None:
    source = """
    import pytest
    @pytest.fixture(scope="session")
    def cluster(request):
        plugin = request.config.pluginmanager.getplugin("redis-e2e-report")
        def save(directory):
            directory.mkdir(parents=True)
            return [directory]
        plugin.on_failure = save
        raise RuntimeError("not rolled out")
    def test_a(cluster): pass
    def test_b(cluster): pass
    """
    _, document, _ = run(project, source)

    saved = [test["saved"] for test in document["tests"]]
    assert saved[0] == saved[1] != []
    assert len(list((project.path / "reports/latest/logs").iterdir())) == 1


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import pytest\ndef test_x(): pytest.skip('no nodes')", "no test was executed"),
        ("def helper(): pass", "no test was executed"),
        ("import nothing_of_that_name", "cannot be collected"),
    ],
)
def test_a_run_that_executed_nothing_fails(project: pytest.Pytester, source: str, sentence: str) -> None:
    result, document, _ = run(project, source)

    assert result.ret != 0
    assert document["verdict"]["name"] == "INCOMPLETE"
    assert any(sentence in reason for reason in document["verdict"]["reasons"])


def test_a_pass_against_its_own_record_fails_the_run(project: pytest.Pytester) -> None:
    source = """
    import pytest
    from tests.unit.report import sample
    @pytest.mark.drill
    def test_careless(report, request):
        report.attach(request.node, sample.unplanned(gap_s=31.0))
    """
    result, document, _ = run(project, source)

    assert result.ret == 1
    assert document["verdict"]["name"] == "INCOMPLETE"
    assert "31.00 s is more than the 30 s allowed" in document["tests"][0]["contradictions"][0]


def test_what_breaks_around_a_test_is_an_error(project: pytest.Pytester) -> None:
    source = """
    import pytest
    @pytest.fixture
    def before():
        raise RuntimeError("no cluster")
    @pytest.fixture
    def after():
        yield
        raise RuntimeError("not steady again")
    def test_a(before): pass
    def test_b(after): pass
    def test_c(after): assert 1 == 2
    """
    _, document, _ = run(project, source)

    assert [test["outcome"] for test in document["tests"]] == ["error", "error", "failed"]
    assert document["tests"][0]["message"] == "RuntimeError: no cluster"
    assert document["tests"][1]["message"] == "after the test: RuntimeError: not steady again"
    assert "after the test: RuntimeError: not steady again" in document["tests"][2]["message"]


def test_a_broken_set_up_met_in_the_body_is_an_error_everywhere(project: pytest.Pytester) -> None:
    source = """
    from harness.errors import HarnessError
    def test_a(): raise HarnessError("not steady before the drill")
    def test_b(): assert False, "wrong"
    """
    _, document, page = run(project, source)

    assert [test["outcome"] for test in document["tests"]] == ["error", "failed"]
    assert document["tests"][0]["message"] == "HarnessError: not steady before the drill"
    assert "1 Failed" in page
    assert "1 Errors" in page
    rows = re.findall(r"col-result[^&]*&#34;&gt;(\w+)&lt;/td", page)
    assert sorted(rows) == ["Error", "Failed"]


def test_an_interrupted_run_lists_what_it_did_not_get_to(project: pytest.Pytester) -> None:
    source = """
    def test_a(): pass
    def test_b(): raise KeyboardInterrupt
    def test_c(): pass
    """
    project.makepyfile(source)
    project.runpytest_subprocess(*QUIET)
    document = json.loads((project.path / "reports/latest/run.json").read_text())

    assert [test["outcome"] for test in document["tests"]] == ["passed", "not run", "not run"]
    assert document["verdict"]["reasons"] == ["the run was interrupted before its end"]


def test_a_killed_run_leaves_neither_a_pass_nor_the_report_of_another(project: pytest.Pytester) -> None:
    run(project, "def test_a(): pass")
    project.makepyfile(test_kill="import os\ndef test_kill(): os._exit(9)")
    project.runpytest_subprocess(*QUIET, "test_kill.py")
    latest = project.path / "reports/latest"

    document = json.loads((latest / "run.json").read_text())
    assert (document["verdict"]["name"], document["run"]["ended_at"]) == ("INCOMPLETE", None)
    assert "? INCOMPLETE" in (latest / "report.html").read_text()


def test_a_selection_is_said(project: pytest.Pytester) -> None:
    result, document, _ = run(project, SUITE, "-k", "test_one")

    assert result.ret == 0
    assert document["verdict"]["not_proved"] == [
        "1 test not selected for this run",
        "Nothing about failover: no drill was executed.",
    ]


def test_a_report_that_cannot_be_written_fails_the_run_in_one_line(project: pytest.Pytester) -> None:
    source = """
    def test_a(report):
        report.run.report_html.unlink()
        report.run.report_html.mkdir()
    """
    result, _, _ = _run_without_page(project, source)

    assert result.ret == 1
    result.stdout.fnmatch_lines(["! cannot write *report.html: Is a directory*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


def _run_without_page(project: pytest.Pytester, source: str) -> tuple[pytest.RunResult, None, None]:
    project.makepyfile(source)
    return project.runpytest(*QUIET), None, None


def test_a_report_that_cannot_be_begun_stops_the_run_in_one_line(project: pytest.Pytester) -> None:
    project.makeconftest(CONFTEST.replace('plugin.head["seed"] = 7', "plugin.run.run_json.mkdir()"))
    project.makepyfile("def test_a(): pass")
    result = project.runpytest(*QUIET)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: cannot write *run.json: Is a directory*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")


@pytest.mark.parametrize("options", [["--collect-only"], ["--fixtures"], ["--version"], ["tests/unit"]])
def test_listings_and_unit_tests_write_no_report(project: pytest.Pytester, options: list[str]) -> None:
    (project.path / "tests" / "unit").mkdir(parents=True)
    (project.path / "tests" / "unit" / "test_u.py").write_text("def test_u(): pass")
    project.makepyfile(SUITE)

    assert project.runpytest(*QUIET, "--rootdir", str(project.path), *options).ret == 0
    assert not (project.path / "reports").exists()


def test_a_worker_writes_no_report(project: pytest.Pytester) -> None:
    project.makepyfile("def test_a(): pass\ndef test_b(): pass")
    result = project.runpytest_subprocess(*QUIET, "-n", "2")

    assert result.ret == 0
    runs = [found for found in (project.path / "reports").iterdir() if not found.is_symlink()]
    assert len(runs) == 1, "the controller's"


def test_a_record_that_cannot_be_shown_fails_its_drill_only(project: pytest.Pytester) -> None:
    source = """
    from harness.report.record import DrillRecord, LimitCheck
    def test_a(report, request):
        report.attach(request.node, DrillRecord("x", limits=[LimitCheck("writes", 30.0, float("inf"))]))
    def test_b(): pass
    """
    result, document, _ = run(project, source)

    result.assert_outcomes(failed=1, passed=1)
    assert "measured_s is inf" in document["tests"][0]["message"]
