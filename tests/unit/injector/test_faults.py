"""A fault's life on a node, with real processes: armed first, healed by its timer, by its id, or by the sweep."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from injector import faults, timer
from injector.errors import InjectorError, Missing, StillBroken
from injector.faults import KINDS
from injector.node import Node, Process
from injector.records import everything, folder_of, load
from injector.sweep import sweep
from tests.unit.injector.conftest import MadeUp, soon

PROJECT = Path(__file__).parents[3]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def command(made_up: MadeUp, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "injector", "--root", str(made_up.node.root), *words]
    return subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=20)


def test_a_process_is_stopped_and_continued(made_up: MadeUp, main_process: int) -> None:
    """Injected and healed by its id; nothing of it stays on the node."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")

    told = faults.inject(made_up.node, plan)

    assert soon(lambda: state(main_process) == "T")
    assert told["armed"] is True
    assert soon(lambda: faults.look(made_up.node, plan["id"])["states"] == "T")

    assert faults.heal(made_up.node, plan["id"]) == "stopped(redis-0): healed"
    assert state(main_process) != "T"
    assert everything(made_up.node) == []
    assert faults.look(made_up.node, plan["id"]) == {}


def test_the_timer_heals_when_nobody_else_does(made_up: MadeUp, main_process: int) -> None:
    """The command that injected has ended long ago: its runner was killed, say."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped", seconds=1.0)

    done = command(made_up, "inject", json.dumps(plan))

    assert done.returncode == 0, done.stderr
    assert state(main_process) == "T"
    assert soon(lambda: state(main_process) != "T"), "the timer did not heal"
    assert soon(lambda: everything(made_up.node) == [])


def test_the_timer_leaves_the_pod(made_up: MadeUp, main_process: int) -> None:
    """A session of its own, out of every cgroup of the pod: so it does not end when the pod does."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")

    faults.inject(made_up.node, plan)

    record = load(made_up.node, plan["id"])
    assert record is not None
    assert record.timer is not None
    pid = record.timer.pid
    assert os.getsid(pid) not in (os.getsid(0), 0)
    assert {(made_up.cgroups / name / "cgroup.procs").read_text() for name in ("pids", "cpu", "memory")} == {str(pid)}


def test_healing_disarms(made_up: MadeUp, main_process: int) -> None:
    """A timer that fired later could undo another fault's work, were it not for its id; and it is gone anyway."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")
    faults.inject(made_up.node, plan)
    record = load(made_up.node, plan["id"])
    assert record is not None
    assert record.timer is not None

    faults.heal(made_up.node, plan["id"])

    assert soon(lambda: not made_up.node.is_alive(record.timer or Process(0, 0)))


def test_it_is_on_record_before_anything_is_changed(
    made_up: MadeUp, main_process: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens between the record and the change, the record can undo it."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")

    def refused(*_: object) -> None:
        record = load(made_up.node, plan["id"])
        assert record is not None
        assert record.timer is not None
        assert record.facts["process"]["pid"] == main_process
        raise InjectorError("refused")

    monkeypatch.setattr(KINDS["stopped"], "inject", refused, raising=False)
    with pytest.raises(InjectorError, match="refused"):
        faults.inject(made_up.node, plan)

    assert [record.id for record in everything(made_up.node)] == [plan["id"]]


def test_asked_twice_it_is_injected_once(made_up: MadeUp, main_process: int) -> None:
    """The runner may have lost the first answer with its connection."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")

    first = faults.inject(made_up.node, plan)
    second = faults.inject(made_up.node, plan)

    assert first["id"] == second["id"]
    assert len(everything(made_up.node)) == 1
    assert faults.heal(made_up.node, plan["id"])
    assert faults.heal(made_up.node, plan["id"]) == "", "healing twice is as good as once"


def test_a_process_that_was_replaced_is_healed(made_up: MadeUp, main_process: int) -> None:
    """A liveness probe may have restarted the container: its number may even belong to somebody else."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")
    faults.inject(made_up.node, plan)
    os.kill(main_process, signal.SIGKILL)

    assert faults.heal(made_up.node, plan["id"]) == "stopped(redis-0): healed"


def test_a_process_that_ends_while_it_is_healed_is_healed(
    made_up: MadeUp, main_process: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lived when it was looked at, and was gone when it was to be continued."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")
    faults.inject(made_up.node, plan)

    def too_late(pid: int, _number: int) -> None:
        monkeypatch.undo()
        os.kill(pid, signal.SIGKILL)
        assert soon(lambda: not Path(f"/proc/{pid}").exists()), "it lives on"
        raise ProcessLookupError(pid)

    monkeypatch.setattr("injector.processes.os.kill", too_late)

    assert faults.heal(made_up.node, plan["id"]) == "stopped(redis-0): healed"


def test_what_somebody_else_stopped_stays_stopped(made_up: MadeUp, main_process: int) -> None:
    """A fault undoes exactly what it did."""
    made_up.holds(main_process)
    os.kill(main_process, signal.SIGSTOP)
    assert soon(lambda: state(main_process) == "T")

    with pytest.raises(InjectorError, match="stopped already, by somebody else"):
        faults.inject(made_up.node, made_up.plan("stopped"))

    assert sweep(made_up.node) == []
    assert state(main_process) == "T"


def test_a_made_up_node_has_no_part_in_the_machines_network(made_up: MadeUp, main_process: int) -> None:
    """What a cluster on this machine has in its network stays, and nobody needs iptables to sweep without one."""
    made_up.holds(main_process)

    assert main_process in set(made_up.node.pids())
    assert made_up.node.networks() == {}


def test_the_sweep_heals_last_in_first_out_and_then_has_nothing_to_do(made_up: MadeUp, main_process: int) -> None:
    """A second pass finds nothing."""
    made_up.holds(main_process)
    quota = made_up.container("cpu") / "cpu.cfs_quota_us"
    quota.write_text("50000")
    (made_up.container("cpu") / "cpu.stat").write_text("nr_throttled 0\n")
    faults.inject(made_up.node, made_up.plan("limited", cpu_percent=5))
    faults.inject(made_up.node, made_up.plan("stopped"))

    for record in everything(made_up.node):
        record.save(made_up.node)  # as when its timer is armed again: the order stays

    assert sweep(made_up.node) == ["stopped(redis-0): healed", "limited(redis-0): healed"]
    assert quota.read_text() == "50000"
    assert sweep(made_up.node) == []


def test_what_cannot_be_undone_stays_on_record(
    made_up: MadeUp, main_process: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and the next sweep tries again."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped")
    faults.inject(made_up.node, plan)
    with monkeypatch.context() as patch:
        patch.setattr(KINDS["stopped"], "undo", lambda *_: None, raising=False)
        with pytest.raises(StillBroken, match=r"stopped\(redis-0\): process \d+ is stopped"):
            sweep(made_up.node)
        assert load(made_up.node, plan["id"]) is not None

    assert sweep(made_up.node) == ["stopped(redis-0): healed"]


def test_a_lost_timer_is_armed_again(made_up: MadeUp, main_process: int) -> None:
    """A node that was stopped and started has its disk, and no timer any more."""
    made_up.holds(main_process)
    plan = made_up.plan("stopped", seconds=3.0)
    faults.inject(made_up.node, plan)
    record = load(made_up.node, plan["id"])
    assert record is not None
    timer.disarm(made_up.node, record.timer)
    assert soon(lambda: not faults.look(made_up.node, plan["id"])["armed"])

    (line,) = faults.rearm(made_up.node)

    assert line.startswith("stopped(redis-0): its timer was lost")
    assert faults.rearm(made_up.node) == []
    assert soon(lambda: state(main_process) != "T"), "the new timer did not heal"


def test_a_timer_that_cannot_outlive_its_pod_stops_the_injection(made_up: MadeUp, main_process: int) -> None:
    """A fault that would stay for ever is not injected at all."""
    made_up.holds(main_process)
    for name in ("pids", "cpu", "memory", "freezer"):
        (made_up.cgroups / name / "cgroup.procs").unlink()

    with pytest.raises(Missing, match="would end with its pod"):
        faults.inject(made_up.node, made_up.plan("stopped"))

    assert state(main_process) != "T"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_written_down(kind: str, made_up: MadeUp) -> None:
    """A record that is read back is the one that was written."""
    plan = made_up.plan(kind)
    record = faults.Record(plan["id"], kind, "about", plan, 1.0, {"process": asdict(Process(1, 2))}, Process(3, 4))

    record.save(made_up.node)

    assert load(made_up.node, plan["id"]) == record
    record.forget(made_up.node)
    assert not folder_of(made_up.node, plan["id"]).exists()


def wrong_plans() -> list[Any]:
    return [
        pytest.param({"kind": "painted"}, "is no kind of fault; known are cut, damaged", id="unknown kind"),
        pytest.param({"id": "../etc", "kind": "stopped"}, "is no fault's id", id="an id that is a path"),
    ]


@pytest.mark.parametrize(("wrong", "complaint"), wrong_plans())
def test_a_wrong_plan_is_refused_in_one_line(wrong: dict[str, Any], complaint: str, made_up: MadeUp) -> None:
    """By the program as the harness calls it."""
    done = command(made_up, "inject", json.dumps(made_up.plan("stopped") | wrong))

    assert done.returncode == 1
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_is_healed_on_an_empty_node(tmp_path: Path) -> None:
    """A node that never had a fault."""
    assert faults.heal_all(Node(root=tmp_path)) == []
