"""Node faults are armed before they are injected, and whatever a killed run left is found and undone."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from harness.errors import ProviderError
from harness.faults import needs
from harness.providers import DisconnectsNodes, MendsNodes, PausesNodes, RunsOnNodes, StopsNodes
from harness.providers.k3d_nodes import TAG, K3dNodes

#: Writes down what it is asked; `exec` with our removal script answers what $FAKE/rules holds.
DOCKER = """#!/bin/sh
echo "docker $*" | tr '\\n' ' ' >>"$FAKE/calls"; echo >>"$FAKE/calls"
[ -e "$FAKE/refuses-$1" ] && { echo "Error: no" >&2; exit 1; }
case "$1" in
  ps) cat "$FAKE/ids" ;;
  inspect) case "$*" in *Paused*) cat "$FAKE/paused" ;; *) cat "$FAKE/containers" ;; esac ;;
  exec) case "$*" in *dead-man*) ;; *removed=0*) cat "$FAKE/rules" ;; esac ;;
esac
exit 0
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker that does nothing, and what it was asked."""
    folder = tmp_path / "fake"
    folder.mkdir()
    program = folder / "docker"
    program.write_text(DOCKER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    for name, text in (("paused", "true"), ("rules", "0"), ("ids", "a b c"), ("calls", "")):
        (folder / name).write_text(text)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(folder))
    return folder


@pytest.fixture
def nodes(tmp_path: Path) -> K3dNodes:
    """The nodes of a cluster."""
    return K3dNodes("e2e", tmp_path / "timers")


def calls(fake: Path) -> list[str]:
    return (fake / "calls").read_text().splitlines()


def marks(tmp_path: Path) -> list[str]:
    return sorted(mark.read_text().strip() for mark in (tmp_path / "timers").glob("*"))


def test_k3d_has_every_capability(nodes: K3dNodes) -> None:
    """The drills that need nodes run with k3d, and say why not without a provider."""
    for capability in (StopsNodes, PausesNodes, DisconnectsNodes, RunsOnNodes, MendsNodes):
        assert isinstance(nodes, capability)
    assert needs(None, PausesNodes) == "this bench has no provider, it cannot pause nodes"


def test_pause_is_armed_first_and_disarmed_at_the_end(fake: Path, nodes: K3dNodes, tmp_path: Path) -> None:
    """The timer is there before the node stands still, and goes when the node goes on."""
    nodes.pause_node("agent-0", at_most_s=60)
    assert marks(tmp_path) == ["docker unpause agent-0"]
    assert calls(fake)[-1].strip() == "docker pause agent-0"

    nodes.unpause_node("agent-0")
    assert marks(tmp_path) == []
    assert calls(fake)[-1].strip() == "docker unpause agent-0"


def test_stop_that_is_refused_stays_armed(fake: Path, nodes: K3dNodes, tmp_path: Path) -> None:
    """An order that failed may have been carried out: until the heal has run, its timer stays."""
    (fake / "refuses-kill").touch()

    with pytest.raises(ProviderError, match="docker kill"):
        nodes.stop_node("agent-0", at_most_s=60)
    assert marks(tmp_path) == ["docker start agent-0"]

    nodes.start_node("agent-0")
    assert marks(tmp_path) == []


def test_disconnection_is_armed_on_the_node_itself(fake: Path, nodes: K3dNodes) -> None:
    """The timer's command comes before the rules, and every rule carries our tag."""
    nodes.disconnect_node("agent-0", at_most_s=60)

    armed, cut = calls(fake)
    assert "dead-man 60 /run/" in armed
    assert "-D $rule" in armed
    assert "-I $rule" in cut
    assert TAG in cut


def test_unarmed_node_is_not_disconnected(fake: Path, nodes: K3dNodes) -> None:
    """Without a timer no rule is set."""
    (fake / "refuses-exec").touch()

    with pytest.raises(ProviderError):
        nodes.disconnect_node("agent-0", at_most_s=60)
    assert len(calls(fake)) == 1


def test_what_a_killed_run_left_is_mended(fake: Path, nodes: K3dNodes) -> None:
    """Each node that was left paused, stopped or cut off gets its line; a healthy one gets none."""
    states = {"server-0": (True, False), "agent-0": (True, True), "agent-1": (False, False)}
    found = [
        {
            "Name": f"/{name}",
            "State": {"Running": running, "Paused": paused},
            "Config": {"Labels": {"k3d.role": name.partition("-")[0]}},
        }
        for name, (running, paused) in states.items()
    ]
    (fake / "containers").write_text(json.dumps(found))

    assert nodes.mend_nodes() == [
        "node agent-0 was left paused: it goes on",
        "node agent-1 was left stopped: started",
    ]
    (fake / "rules").write_text("4")
    (fake / "containers").write_text(json.dumps(found[:1]))
    assert nodes.mend_nodes() == ["node server-0 was left off the network: connected"]
