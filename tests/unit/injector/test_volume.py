"""A seat's volume is exchanged for a small one and back, and its data moves along, or stays where it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from injector import faults, volume
from injector.errors import CommandFailed, InjectorError
from injector.sweep import sweep
from tests.unit.injector.conftest import MadeUp

PATH = "/volumes/data-redis-0"


@pytest.fixture
def data(made_up: MadeUp) -> Path:
    """The seat's directory with something in it."""
    if os.geteuid() != 0:
        pytest.skip("mounting a file system needs root")
    folder = made_up.node.path(PATH)
    (folder / "appendonlydir").mkdir(parents=True)
    (folder / "appendonlydir/appendonly.aof.1.incr.aof").write_text("before")
    folder.chmod(0o2777)
    return folder


def file(folder: Path) -> Path:
    return folder / "appendonlydir/appendonly.aof.1.incr.aof"


def test_the_data_moves_there_and_back(made_up: MadeUp, data: Path) -> None:
    """What was written on the small volume is on the old one afterwards; its size was enforced meanwhile."""
    plan = made_up.plan("small_volume", path=PATH, mib=2, armed=False)

    told = faults.inject(made_up.node, plan)

    assert told["mib"] == 2
    assert told["armed"] is False
    assert file(data).read_text() == "before"
    assert data.stat().st_mode & 0o7777 == 0o2777
    with pytest.raises(OSError, match="No space left"):
        (data / "large").write_bytes(bytes(3 << 20))
    (data / "large").unlink()
    file(data).write_text("meanwhile")

    faults.heal(made_up.node, plan["id"])

    assert file(data).read_text() == "meanwhile"
    assert os.statvfs(data).f_blocks * os.statvfs(data).f_frsize > 2 << 20
    assert made_up.node.mount_points() == []


def test_half_a_copy_never_replaces_the_data(made_up: MadeUp, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The injection broke off while the data was being copied: the directory was never covered."""

    def breaks_off(*_: object) -> None:
        raise CommandFailed("cp: interrupted")

    with monkeypatch.context() as patch:
        patch.setattr(volume, "_copy", breaks_off)
        with pytest.raises(CommandFailed):
            faults.inject(made_up.node, made_up.plan("small_volume", path=PATH, mib=2, armed=False))

    assert sweep(made_up.node) == ["small_volume(redis-0): healed"]
    assert file(data).read_text() == "before"
    assert made_up.node.mount_points() == []


def test_data_that_would_not_fit_stays(made_up: MadeUp, data: Path) -> None:
    """Said before the pod's volume is touched."""
    (data / "large").write_bytes(os.urandom(3 << 20))

    with pytest.raises(InjectorError, match="too much for 4 MiB"):
        faults.inject(made_up.node, made_up.plan("small_volume", path=PATH, mib=4, armed=False))

    assert made_up.node.mount_points() == []
