"""The suite's plugin under a real pytest: what counts as what, and how a run ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

PROJECT = Path(__file__).parents[3]
QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:xdist")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project that uses the suite's plugin."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    pytester.makeini("[pytest]\nmarkers =\n    check: x\n    drill: x\n")
    pytester.makeconftest('pytest_plugins = ["harness.plugin"]')
    return pytester


def run(project: pytest.Pytester, body: str, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    project.makepyfile(test_it=body)
    result = project.runpytest_subprocess(*QUIET, *options)
    return result, json.loads((project.path / "reports" / "latest" / "run.json").read_text())


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        ("AssertionError('two primaries')", "failed"),
        ("errors.ObservationError('redis-1 does not answer')", "failed"),
        ("errors.SteadyStateError('not steady')", "error"),
        ("errors.FaultHadNoEffect('nothing felt it')", "error"),
        ("errors.HealFailed('still cordoned')", "error"),
        ("errors.WitnessError('no witness')", "error"),
        ("errors.NotJudged('see the Services')", "skipped"),
    ],
)
def test_a_broken_set_up_is_told_from_a_broken_product(project: pytest.Pytester, raised: str, outcome: str) -> None:
    """What the harness raises in a test's body is an error; what the product did wrong is a failure."""
    result, document = run(project, f"from harness import errors\ndef test_it():\n    raise {raised}\n")

    assert [test["outcome"] for test in document["tests"]] == [outcome]
    assert result.ret in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}
    assert document["verdict"]["name"] == ("RED" if outcome == "failed" else "INCOMPLETE")


def test_what_was_not_judged_says_why(project: pytest.Pytester) -> None:
    """The reason names the other check; and alone, such a run is not green."""
    body = "from harness.errors import NotJudged\ndef test_it():\n    raise NotJudged('Service redis leads nowhere')\n"

    result, document = run(project, body)

    assert "not judged: Service redis leads nowhere" in document["tests"][0]["message"]
    assert result.ret != pytest.ExitCode.OK


def test_a_fault_that_cannot_be_healed_stops_the_run(project: pytest.Pytester) -> None:
    """Whatever came after it would be about another deployment than the one that was to be judged."""
    body = "from harness.errors import HealFailed\ndef test_a(): raise HealFailed('cordoned')\ndef test_b(): pass\n"

    _, document = run(project, body)

    assert [test["outcome"] for test in document["tests"]] == ["error", "not run"]


def test_checks_run_before_drills(project: pytest.Pytester) -> None:
    """Whatever the files are called."""
    body = """
import pytest
@pytest.mark.drill
def test_a(): pass
@pytest.mark.check
def test_b(): pass
"""
    project.makepyfile(test_it=body)

    result = project.runpytest_subprocess(*QUIET, "-v")

    result.stdout.fnmatch_lines(["*test_b PASSED*", "*test_a PASSED*"])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--provider", "nonsense"), "--provider 'nonsense': is none of k3d, context"),
        (("--patience-scale", "0"), "--patience-scale '0': is no number above 0"),
        (("--overlay", "nonsense"), "--overlay 'nonsense': is no overlay"),
    ],
)
def test_a_bad_option_is_one_line(project: pytest.Pytester, options: tuple[str, str], complaint: str) -> None:
    """Nothing is started, nothing is written, and the line says what would be right."""
    project.makepyfile(test_it="def test_it(): pass")

    result = project.runpytest_subprocess(*QUIET, *options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {complaint}*"])
    assert not (project.path / "reports").exists()


def test_a_report_that_cannot_be_written_is_one_line(project: pytest.Pytester) -> None:
    """A file in the place of the folder is said before anything is started."""
    (project.path / "taken").write_text("a file")
    project.makepyfile(test_it="def test_it(): pass")

    result = project.runpytest_subprocess(*QUIET, "--report-dir", "taken")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the report cannot be written: *taken*"])


SLOW = """
import pathlib, threading, time
import pytest
from harness.errors import SteadyStateError

@pytest.fixture(scope="session")
def cluster():
    yield
    pathlib.Path("released").touch()

@pytest.fixture
def drill(cluster):
    yield
    raise SteadyStateError("redis-2 is not Ready")

def test_it(drill):
    try:
        pathlib.Path("started").touch()
        threading.Event().wait(60)
    finally:
        pathlib.Path("healing").touch()
        time.sleep(0.5)
        pathlib.Path("healed").touch()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_heals_and_releases_before_it_ends_the_run(project: pytest.Pytester, number: signal.Signals) -> None:
    """A second signal does not cut the tidying up short, and the report says that the run was interrupted."""
    project.makepyfile(test_it=SLOW)
    environ = {**os.environ, "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "pytest", *QUIET, "test_it.py"]
    with subprocess.Popen(
        command, cwd=project.path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        _await(project.path / "started")
        process.send_signal(number)
        _await(project.path / "healing")
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)

    assert process.returncode not in {0, None}
    assert (project.path / "healed").exists()
    assert (project.path / "released").exists()
    assert "Traceback" not in said
    document = json.loads((project.path / "reports" / "latest" / "run.json").read_text())
    assert document["verdict"]["name"] == "INCOMPLETE"
    assert "after the interruption: redis-2 is not Ready" in document["verdict"]["reasons"]


def _await(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        signal.sigtimedwait([], 0.05)
    raise AssertionError(f"{path.name} did not come")
