"""Pods and containers are found by UID and id in every form that the cgroup tree has."""

from __future__ import annotations

from pathlib import Path

import pytest

from injector.cgroups import Cgroups
from injector.errors import Missing
from injector.node import Node
from tests.unit.injector.conftest import CONTAINER, POD, MadeUp

WRITTEN = POD.replace("-", "_")

FORMS = {
    "version 1, cgroupfs": ("pids", f"kubepods/burstable/pod{POD}/{CONTAINER}"),
    "version 1, guaranteed": ("pids", f"kubepods/pod{POD}/{CONTAINER}"),
    "version 1, systemd": (
        "pids",
        f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{WRITTEN}.slice/cri-containerd-{CONTAINER}.scope",
    ),
    "version 2, cgroupfs": ("", f"kubepods/besteffort/pod{POD}/{CONTAINER}"),
    "version 2, systemd": ("", f"kubepods.slice/kubepods-pod{WRITTEN}.slice/cri-containerd-{CONTAINER}.scope"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_container_is_found(form: str, tmp_path: Path) -> None:
    """Both versions, both drivers, all classes of service."""
    controller, path = FORMS[form]
    top = tmp_path / "sys/fs/cgroup"
    folder = top / controller / path
    folder.mkdir(parents=True)
    if not controller:
        (top / "cgroup.controllers").touch()
    cgroups = Cgroups(Node(root=tmp_path))

    assert cgroups.version == (1 if controller else 2)
    assert cgroups.container(POD, CONTAINER) == folder


def test_another_pod_of_the_same_name_is_not_found(made_up: MadeUp) -> None:
    """A pod that came back has another UID: what was noted before is about nobody now."""
    with pytest.raises(Missing, match="pod 11111111-2222 is not on this node"):
        Cgroups(made_up.node).container("11111111-2222", CONTAINER)


def test_the_main_process_is_number_one_inside(made_up: MadeUp, main_process: int) -> None:
    """Whatever else runs in the container: a shell of a probe, say."""
    own = int(Path("/proc/self/stat").read_text().split()[0])
    made_up.holds(own, main_process)

    assert Cgroups(made_up.node).main_process(POD, CONTAINER).pid == main_process


def test_a_container_without_a_main_process_is_not_running(made_up: MadeUp) -> None:
    """An empty directory may stay for a moment."""
    with pytest.raises(Missing, match="is it running"):
        Cgroups(made_up.node).main_process(POD, CONTAINER)


@pytest.mark.parametrize(("there", "taken"), [(["init"], "init"), (["init.scope"], "init.scope"), ([], "")])
def test_a_timer_leaves_to_where_version_2_takes_it(there: list[str], taken: str, tmp_path: Path) -> None:
    """Beside the pods: k3d's own group, systemd's, or the root."""
    top = tmp_path / "sys/fs/cgroup"
    top.mkdir(parents=True)
    (top / "cgroup.controllers").touch()
    for name in ["", *there]:
        (top / name).mkdir(exist_ok=True)
        (top / name / "cgroup.procs").touch()

    Cgroups(Node(root=tmp_path)).leave(4711)

    procs = {name: (top / name / "cgroup.procs").read_text() for name in ["", *there]}
    assert procs[taken] == "4711"


def test_a_timer_that_cannot_leave_says_so(tmp_path: Path) -> None:
    """It would end with its pod, and the fault would outlive it."""
    with pytest.raises(Missing, match="would end with its pod"):
        Cgroups(Node(root=tmp_path)).leave(4711)
