from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from airgap import commands
from airgap.cache import Cache
from airgap.errors import AirgapError
from airgap.plan import Lane, Plan, Step, Work
from airgap.runner import Outcome, carry_out

PROJECT = Path(__file__).parents[3]


class Recorder:
    """Progress lines, and how often each step ran."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.runs: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    def step(self, name: str, *inputs: str | Path, needs: tuple[str, ...] = ()) -> Step:
        """A step that notes its run and writes its name after those of its needs."""

        def run(work: Work) -> None:
            self.runs.append(name)
            before = "".join((work.needs[need] / "content").read_text() for need in needs)
            (work.output / "content").write_text(f"{before}{name} ")

        return Step(name, Lane.UNPACK, inputs, run, needs)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache that does not exist yet."""
    return Cache(tmp_path / "cache")


@pytest.fixture
def recorder() -> Recorder:
    """A fresh recorder."""
    return Recorder()


def test_steps_are_built_in_the_order_of_their_needs(cache: Cache, recorder: Recorder) -> None:
    """Whatever order they are written in."""
    plan = Plan.of([recorder.step("c", needs=("a", "b")), recorder.step("b", needs=("a",)), recorder.step("a")])
    outcome = carry_out(plan, cache, recorder)
    assert (outcome.entries["c"] / "content").read_text() == "a a b c "
    assert set(outcome.built) == {"a", "b", "c"}


def test_a_second_call_builds_nothing(cache: Cache, recorder: Recorder) -> None:
    """And says nothing."""
    plan = Plan.of([recorder.step("a"), recorder.step("b", needs=("a",))])
    first = carry_out(plan, cache, recorder)
    recorder.lines.clear()
    assert carry_out(plan, cache, recorder) == Outcome(first.entries, ())
    assert recorder.runs == ["a", "b"]
    assert recorder.lines == []


def test_a_changed_input_builds_its_step_and_what_needs_it_only(
    cache: Cache, recorder: Recorder, tmp_path: Path
) -> None:
    """Going back to the earlier content builds nothing at all."""
    source = tmp_path / "source"
    source.write_text("before")
    steps = [recorder.step("a", source), recorder.step("b", needs=("a",)), recorder.step("other")]
    carry_out(Plan.of(steps), cache, recorder)
    recorder.runs.clear()
    source.write_text("after")
    carry_out(Plan.of(steps), cache, recorder)
    assert recorder.runs == ["a", "b"]
    recorder.runs.clear()
    source.write_text("before")
    carry_out(Plan.of(steps), cache, recorder)
    assert recorder.runs == []


def test_a_failure_is_one_line_with_step_and_log(cache: Cache, recorder: Recorder) -> None:
    """With the program's last words, and nothing published."""

    def fail(work: Work) -> None:
        (work.output / "half").write_text("half")
        commands.run(["sh", "-c", "echo compiling; echo 'no such module' >&2; exit 3"], log=work.log, timeout=10)

    with pytest.raises(AirgapError) as raised:
        carry_out(Plan.of([Step("broken", Lane.COMPILE, (), fail)]), cache, recorder)
    log = cache.log("broken")
    assert str(raised.value) == f"step broken failed: sh ended with status 3: no such module; log: {log}"
    assert "compiling" in log.read_text()
    assert list((cache.root / "steps").iterdir()) == []
    assert list((cache.root / "tmp").iterdir()) == []


def test_what_was_finished_before_a_failure_is_kept(cache: Cache, recorder: Recorder) -> None:
    """The next call goes on from there."""

    def fail(_: Work) -> None:
        raise OSError(28, "No space left on device")

    good = recorder.step("good")
    with pytest.raises(AirgapError, match=r"step bad failed: .*No space left on device"):
        carry_out(Plan.of([good, Step("bad", Lane.UNPACK, (), fail, ("good",))]), cache, recorder)
    carry_out(Plan.of([good, recorder.step("bad", needs=("good",))]), cache, recorder)
    assert recorder.runs == ["good", "bad"]


def test_a_failure_stops_the_programs_of_other_steps(cache: Cache, recorder: Recorder) -> None:
    """Nobody waits for a compiler whose work is not wanted any more."""

    def endless(work: Work) -> None:
        commands.run(["sleep", "600"], log=work.log, timeout=700)

    def fail(_: Work) -> None:
        time.sleep(0.3)
        message = "cannot"
        raise AirgapError(message)

    began = time.monotonic()
    with pytest.raises(AirgapError, match="step bad failed: cannot"):
        carry_out(
            Plan.of([Step("endless", Lane.COMPILE, (), endless), Step("bad", Lane.UNPACK, (), fail)]), cache, recorder
        )
    assert time.monotonic() - began < 5


def test_sources_changed_in_mid_step_are_not_published_under_the_old_key(
    cache: Cache, recorder: Recorder, tmp_path: Path
) -> None:
    """A cache that lies is worse than none."""
    source = tmp_path / "source"
    source.write_text("before")

    def edit(work: Work) -> None:
        source.write_text("after")
        (work.output / "content").write_text(source.read_text())

    with pytest.raises(AirgapError, match="step a failed: its sources were changed while it was built: run it again"):
        carry_out(Plan.of([Step("a", Lane.UNPACK, (source,), edit)]), cache, recorder)
    assert list((cache.root / "steps").iterdir()) == []


def test_a_second_builder_waits_and_takes_the_first_ones_result(cache: Cache, recorder: Recorder) -> None:
    """One of them builds."""
    entered, release = threading.Event(), threading.Event()

    def slow(work: Work) -> None:
        recorder.runs.append("slow")
        entered.set()
        assert release.wait(10)
        (work.output / "content").write_text("slow")

    plan = Plan.of([Step("slow", Lane.UNPACK, (), slow)])
    first = threading.Thread(target=carry_out, args=(plan, cache, recorder))
    first.start()
    assert entered.wait(10)
    second = threading.Thread(target=carry_out, args=(plan, Cache(cache.root), recorder))
    second.start()
    time.sleep(0.3)
    assert second.is_alive()
    release.set()
    for thread in (first, second):
        thread.join(10)
    assert recorder.runs == ["slow"]
    assert any(line.endswith("slow: finished by another run") for line in recorder.lines)


KILLED = """
import sys, time
from pathlib import Path
from airgap.cache import Cache
from airgap.plan import Lane, Plan, Step
from airgap.runner import carry_out

def run(work):
    (work.output / "content").write_text("half")
    if sys.argv[2] == "hang":
        print("half", flush=True)
        time.sleep(60)
    (work.output / "content").write_text("whole")

outcome = carry_out(Plan.of([Step("a", Lane.UNPACK, (), run)]), Cache(Path(sys.argv[1])), lambda line: None)
print((outcome.entries["a"] / "content").read_text())
"""


def test_a_run_killed_in_mid_step_leaves_no_half_result(cache: Cache) -> None:
    """After kill -9 the next run builds the step again, whole, and removes the rest of the first."""
    command = [sys.executable, "-c", KILLED, str(cache.root)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    first = subprocess.Popen([*command, "hang"], stdout=subprocess.PIPE, env=environment)
    assert first.stdout is not None
    assert first.stdout.readline() == b"half\n"
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    assert list((cache.root / "steps").iterdir()) == []
    second = subprocess.run([*command, "finish"], capture_output=True, env=environment, timeout=20, check=True)
    assert second.stdout == b"whole\n"
    assert list((cache.root / "tmp").iterdir()) == []


def test_recipes_that_need_each_other_are_refused(recorder: Recorder) -> None:
    """The line names them."""
    with pytest.raises(AirgapError, match="a, b need each other"):
        Plan.of([recorder.step("a", needs=("b",)), recorder.step("b", needs=("a",))])


def test_a_closure_holds_what_is_needed_and_nothing_else(recorder: Recorder) -> None:
    """With the keys that the whole plan has."""
    plan = Plan.of([recorder.step("a"), recorder.step("b", needs=("a",)), recorder.step("c")])
    assert list(plan.closure(["b"]).steps) == ["a", "b"]
    assert plan.closure(["b"]).keys["b"] == plan.keys["b"]
