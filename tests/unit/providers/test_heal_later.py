"""What only a sweep can undo is healed by a program of its own, if whoever injected it is gone by then."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from harness.leftovers import Place, Record
from harness.providers import HealsLater, K3dProvider
from harness.settings import read_settings

REFUSED = "cluster e2e is in use by another run"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A state directory of the test's own, and a docker that has no container."""
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    docker.write_text("#!/bin/sh\n")
    docker.chmod(docker.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{docker.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("E2E_STATE_DIR", str(tmp_path / "state"))
    return Place(tmp_path / "state", "e2e")


@pytest.fixture
def provider(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> K3dProvider:
    """A provider of that cluster name."""
    given = {"e2e_cluster_name": place.name, "e2e_report_dir": str(tmp_path / "reports")}
    monkeypatch.setattr("harness.providers.k3d.config_hash", lambda _: "hash")
    monkeypatch.setattr("harness.providers.k3d.K3d", lambda *_: None)
    return K3dProvider(read_settings(given.get, os.environ), cast("Any", None))


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def test_it_is_make_heal_that_runs_later(place: Place, provider: K3dProvider) -> None:
    """What it says stands in healed.log. While a run has the cluster it is refused, and no node is touched."""
    log = place.folder / "healed.log"
    assert isinstance(provider, HealsLater)

    provider.heal_later(seconds=0)

    assert within(20.0, lambda: log.is_file() and "no cluster e2e is known" in log.read_text())
    place.claim()
    place.write(Record.of("e2e", "hash", kept=True, stage="ready"))
    provider.heal_later(seconds=0)
    assert within(20.0, lambda: REFUSED in log.read_text())
    place.yield_up()


def test_healing_that_is_called_off_is_not_done(place: Place, provider: K3dProvider) -> None:
    """By whoever asked for it, or by whoever mends the nodes: that one sweeps as well."""
    timers = place.folder / "timers"

    call_off = provider.heal_later(seconds=60)
    provider.heal_later(seconds=60)
    assert len(list(timers.glob("heal-*"))) == 2

    call_off()
    assert len(list(timers.glob("heal-*"))) == 1
    provider.mend_nodes()
    assert not list(timers.glob("heal-*"))
