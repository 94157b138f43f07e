"""Files, volumes and limits are changed on the node and are exactly as before afterwards."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from injector import faults
from injector.disk import is_immutable, set_immutable
from injector.errors import InjectorError
from injector.records import load
from injector.sweep import sweep
from tests.unit.injector.conftest import CONTAINER, POD, MadeUp


@pytest.fixture
def volume(made_up: MadeUp) -> Iterator[Path]:
    """A seat's directory on the node, with two append-only files, of which the second was written last."""
    folder = made_up.node.path("/volumes/data-redis-0")
    files = folder / "appendonlydir"
    files.mkdir(parents=True)
    for number in (1, 2):
        file = files / f"appendonly.aof.{number}.incr.aof"
        file.write_bytes(b"*1\r\n$4\r\nPING\r\n" * 40)
        os.utime(file, (number, number))
    try:
        set_immutable(files, on=False)
    except OSError as error:
        pytest.skip(f"this file system has no immutable files: {error.strerror}")
    yield folder
    for path in files.iterdir():
        set_immutable(path, on=False)


def newest(volume: Path) -> Path:
    return volume / "appendonlydir/appendonly.aof.2.incr.aof"


AOF = "/volumes/data-redis-0/appendonlydir/appendonly.aof.*.incr.aof"


def test_the_file_in_use_cannot_be_written(made_up: MadeUp, volume: Path) -> None:
    """Not even by root; the older one can, and all can afterwards."""
    plan = made_up.plan("immutable", paths=[f"{AOF}$"])

    told = faults.inject(made_up.node, plan)

    assert told["immutable"] == ["/volumes/data-redis-0/appendonlydir/appendonly.aof.2.incr.aof"]
    with pytest.raises(PermissionError), newest(volume).open("ab"):
        pass
    assert not is_immutable(volume / "appendonlydir/appendonly.aof.1.incr.aof")

    faults.heal(made_up.node, plan["id"])
    assert not is_immutable(newest(volume))


def test_a_file_that_somebody_else_made_immutable_stays_so(made_up: MadeUp, volume: Path) -> None:
    """A fault undoes exactly what it did."""
    set_immutable(newest(volume), on=True)

    with pytest.raises(InjectorError, match="nothing at"):
        faults.inject(made_up.node, made_up.plan("immutable", paths=[f"{AOF}$"]))

    assert sweep(made_up.node) == []
    assert is_immutable(newest(volume))


def test_a_file_that_is_gone_is_healed(made_up: MadeUp, volume: Path) -> None:
    """A rewrite of the append-only file replaces it."""
    plan = made_up.plan("immutable", paths=[f"{AOF}$"])
    faults.inject(made_up.node, plan)
    set_immutable(newest(volume), on=False)
    newest(volume).unlink()

    assert faults.heal(made_up.node, plan["id"]) == "immutable(redis-0): healed"


@pytest.fixture
def small(made_up: MadeUp) -> Iterator[Path]:
    """A file system of 4 MiB at /volumes/small of the node."""
    folder = made_up.node.path("/volumes/small")
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "e2e-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_small_volume_is_filled_to_the_last_byte(made_up: MadeUp, small: Path) -> None:
    """And is as empty as before afterwards."""
    plan = made_up.plan("filled", path="/volumes/small", at_most_mib=8)

    told = faults.inject(made_up.node, plan)

    assert told["free"] == 0
    with pytest.raises(OSError, match="No space left") as refused:
        (small / "more").write_bytes(b"x" * 8192)
    assert refused.value.errno == errno.ENOSPC

    faults.heal(made_up.node, plan["id"])
    assert sorted(path.name for path in small.iterdir()) == ["more"]


def test_a_disk_that_is_everybodys_is_not_filled(made_up: MadeUp) -> None:
    """Whatever was asked for."""
    made_up.node.path("/volumes/large").mkdir(parents=True)

    with pytest.raises(InjectorError, match="too large to be filled"):
        faults.inject(made_up.node, made_up.plan("filled", path="/volumes/large", at_most_mib=8))

    assert list(made_up.node.path("/volumes/large").iterdir()) == []


@pytest.mark.parametrize(
    ("controllers", "files", "expected"),
    [
        (None, {"cpu/cpu.cfs_quota_us": "50000"}, {"cpu/cpu.cfs_quota_us": "5000"}),
        ("cpu memory", {"cpu.max": "50000 100000"}, {"cpu.max": "5000 100000"}),
    ],
    ids=["version 1", "version 2"],
)
def test_a_cpu_quota_is_changed_and_put_back(
    controllers: str | None, files: dict[str, str], expected: dict[str, str], made_up: MadeUp
) -> None:
    """The old value is on the node's disk before the new one is written."""
    container = f"kubepods/burstable/pod{POD}/{CONTAINER}"
    if controllers:
        (made_up.cgroups / "cgroup.controllers").write_text(controllers)
        (made_up.cgroups / "cgroup.procs").touch()
    paths = {}
    for name, value in files.items():
        controller, _, file = name.rpartition("/")
        paths[name] = made_up.cgroups / controller / container / file
        paths[name].parent.mkdir(parents=True, exist_ok=True)
        paths[name].write_text(value)
        (paths[name].parent / "cpu.stat").write_text("nr_periods 9\nnr_throttled 4\n")
    plan = made_up.plan("limited", cpu_percent=5)

    told = faults.inject(made_up.node, plan)

    assert {name: path.read_text() for name, path in paths.items()} == expected
    assert told["throttled"] == 4
    record = load(made_up.node, plan["id"])
    assert record is not None
    assert record.facts["old"] in files.values()

    faults.heal(made_up.node, plan["id"])
    assert {name: path.read_text() for name, path in paths.items()} == files


def test_a_memory_limit_leaves_what_is_in_use(made_up: MadeUp) -> None:
    """Page cache does not count; the old limit comes back."""
    folder = made_up.container("memory")
    (folder / "memory.stat").write_text("cache 99999999\ntotal_rss 8388608\n")
    (folder / "memory.limit_in_bytes").write_text("536870912")
    plan = made_up.plan("limited", memory="used")

    faults.inject(made_up.node, plan)

    assert (folder / "memory.limit_in_bytes").read_text() == str((8 + 1) << 20)
    faults.heal(made_up.node, plan["id"])
    assert (folder / "memory.limit_in_bytes").read_text() == "536870912"


def test_a_container_that_was_replaced_took_its_limit_along(made_up: MadeUp) -> None:
    """Its successor has the one of the manifest."""
    folder = made_up.container("memory")
    (folder / "memory.stat").write_text("anon 8388608\n")
    (folder / "memory.limit_in_bytes").write_text("536870912")
    plan = made_up.plan("limited", memory="used")
    faults.inject(made_up.node, plan)
    (folder / "memory.limit_in_bytes").unlink()

    assert faults.look(made_up.node, plan["id"])["alive"] is False
    assert faults.heal(made_up.node, plan["id"]) == "limited(redis-0): healed"


def test_a_tail_is_cut_off(made_up: MadeUp, volume: Path, main_process: int) -> None:
    """The server is dead before anybody could append to it."""
    made_up.holds(main_process)
    size = newest(volume).stat().st_size

    told = faults.inject(made_up.node, made_up.plan("damaged", path=AOF, where="tail", bytes=30))

    assert newest(volume).stat().st_size == size - 30
    assert told["alive"] is False
    assert sweep(made_up.node) == ["damaged(redis-0): healed"]
    assert newest(volume).stat().st_size == size - 30, "a tail that was lost stays lost"


def test_the_middle_is_damaged_where_a_command_begins_and_put_back(
    made_up: MadeUp, volume: Path, main_process: int
) -> None:
    """Inside an argument it would only be another value."""
    made_up.holds(main_process)
    before = newest(volume).read_bytes()
    plan = made_up.plan("damaged", path=AOF, where="middle")

    told = faults.inject(made_up.node, plan)

    damaged = newest(volume).read_bytes()
    assert len(damaged) == len(before)
    assert before[told["at"] - 2 : told["at"] + 1] == b"\r\n*"
    assert damaged[told["at"]] == 0
    faults.heal(made_up.node, plan["id"])
    assert newest(volume).read_bytes() == before


def test_a_file_that_was_repaired_meanwhile_is_left_alone(made_up: MadeUp, volume: Path, main_process: int) -> None:
    """The documented repair cuts it off at the damage: there is nothing to put back."""
    made_up.holds(main_process)
    plan = made_up.plan("damaged", path=AOF, where="middle")
    told = faults.inject(made_up.node, plan)
    with newest(volume).open("r+b") as file:
        file.truncate(told["at"])

    assert faults.heal(made_up.node, plan["id"]) == "damaged(redis-0): healed"
    assert newest(volume).stat().st_size == told["at"]


def test_a_file_with_nothing_in_it_is_not_damaged(made_up: MadeUp, volume: Path, main_process: int) -> None:
    """It would be a fault that nobody feels; and the server lives on."""
    made_up.holds(main_process)
    newest(volume).write_bytes(b"*1\r\n$4\r\nPING\r\n")

    with pytest.raises(InjectorError, match="too few to be damaged"):
        faults.inject(made_up.node, made_up.plan("damaged", path=AOF, where="tail", bytes=30))

    assert Path(f"/proc/{main_process}").exists()


def test_a_damaged_file_is_repaired_as_documented(made_up: MadeUp, volume: Path, main_process: int) -> None:
    """By redis-check-aof on the manifest: what is behind the damage is lost, and the file is sound."""
    if not shutil.which("redis-check-aof"):
        pytest.skip("redis-check-aof is not installed; `make test` installs it")
    made_up.holds(main_process)
    manifest = volume / "appendonlydir/appendonly.aof.manifest"
    manifest.write_text("file appendonly.aof.2.incr.aof seq 2 type i\n")
    plan = made_up.plan("damaged", path=AOF, where="middle")
    told = faults.inject(made_up.node, plan)
    check = ["redis-check-aof", str(manifest)]
    assert subprocess.run(check, capture_output=True, check=False, input=b"").returncode != 0

    said = faults.repair(made_up.node, plan["id"])

    assert "valid" in said
    assert newest(volume).stat().st_size == told["at"]
    assert subprocess.run(check, capture_output=True, check=False, input=b"").returncode == 0
    assert faults.heal(made_up.node, plan["id"]) == "damaged(redis-0): healed"
