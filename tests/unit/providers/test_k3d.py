from __future__ import annotations

import json
import multiprocessing
import os
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from harness.errors import ForeignCluster, ProviderError
from harness.images import ImageSet
from harness.leftovers import Place, Record
from harness.providers import docker as engine
from harness.providers.k3d import K3dProvider, config_hash
from harness.providers.k3d_removal import remove_cluster
from harness.settings import Settings

# Stand-ins for the two programs: they answer from files in $FAKE and write down what they were asked.
DOCKER = """#!/bin/sh
echo "docker $*" >>"$FAKE/calls"
[ -e "$FAKE/dead" ] && { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
case "$1 $2" in
  "version "*) echo 28.0.0 ;;
  "info "*) echo /nowhere ;;
  "ps "*) cat "$FAKE/ids" 2>/dev/null ;;
  "inspect "*) cat "$FAKE/containers" ;;
  "network ls") cat "$FAKE/networks" 2>/dev/null ;;
  "network rm") rm -f "$FAKE/networks" ;;
  "rm "*) [ -e "$FAKE/stuck" ] || rm -f "$FAKE/ids" ;;
esac
exit 0
"""
K3D = """#!/bin/sh
echo "k3d $*" >>"$FAKE/calls"
case "$1 $2" in
  "version "*) echo "k3d version v5.9.0" ;;
  "cluster create")
    echo x >"$FAKE/ids"; cp "$FAKE/half" "$FAKE/containers"
    [ -e "$FAKE/slow" ] && { touch "$FAKE/creating"; sleep 30; }
    cat "$FAKE/create-error" >&2; exit 1 ;;
  "kubeconfig get") exit 1 ;;
esac
"""
CREATE_ERROR = """\x1b[31mERRO\x1b[0m[0004] Failed Cluster Start: port is already allocated
\x1b[31mERRO\x1b[0m[0004] Failed to create cluster >>> Rolling Back
\x1b[31mFATA\x1b[0m[0005] Cluster creation FAILED, all changes have been rolled back!
"""


@dataclass
class Machine:
    """A machine with stand-ins for docker and k3d, and what the suite knows of it."""

    fake: Path
    settings: Settings
    images: ImageSet
    said: list[str] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """The cluster's folder in the state directory."""
        return Place(self.settings.state_dir, self.settings.cluster_name)

    @property
    def provider(self) -> K3dProvider:
        """A new provider."""
        return K3dProvider(self.settings, self.images)

    def obtain(self) -> Any:
        """Obtain a cluster, noting what is said."""
        return self.provider.obtain(self.said.append)

    def calls(self, beginning: str) -> list[str]:
        """Return the commands that began so."""
        path = self.fake / "calls"
        return [line for line in path.read_text().splitlines() if line.startswith(beginning)] if path.exists() else []

    def has_nodes(self, labels: Mapping[str, str], *, running: bool = True, count: int = 4) -> None:
        """Let the engine hold nodes with these labels."""
        nodes = [
            {
                "Name": f"/k3d-e2e-agent-{number}",
                "State": {"Running": running, "Paused": False},
                "Config": {"Labels": {"k3d.role": "agent", **{f"e2e.redis/{k}": v for k, v in labels.items()}}},
            }
            for number in range(count)
        ]
        (self.fake / "ids").write_text("a b c d")
        (self.fake / "containers").write_text(json.dumps(nodes))

    def has_record(self, *, kept: bool = False, stage: str = "ready") -> None:
        """Let an earlier run have written its record."""
        place = self.place
        place.claim()
        record = Record.of("e2e", config_hash(self.images), kept=kept, stage=stage)
        place.write(replace(record, pid=4711))
        place.yield_up()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine without any cluster, on which creating one fails."""
    fake = tmp_path / "fake"
    fake.mkdir()
    for name, text in (("docker", DOCKER), ("k3d", K3D)):
        program = fake / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (fake / "create-error").write_text(CREATE_ERROR)
    half = {"Name": "/k3d-e2e-server-0", "State": {"Running": True, "Paused": False}, "Config": {"Labels": {}}}
    (fake / "half").write_text(json.dumps([half]))
    monkeypatch.setenv("PATH", f"{fake}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(fake))
    images = ImageSet(
        mode="airgap",
        references=MappingProxyType({"redis": "redis-e2e/redis:1"}),
        node_image="redis-e2e/node:1",
        tools=MappingProxyType({"k3d": fake / "k3d", "kubectl": fake / "kubectl"}),
        why="asked for",
        images_dir=tmp_path / "images",
        k3d_tools_image="redis-e2e/node:1",
    )
    settings = Settings(
        provider="k3d",
        context=None,
        kubeconfig=None,
        namespace="shop",
        overlay="default",
        images="airgap",
        keep_cluster=False,
        cluster_name="e2e",
        patience_scale=1.0,
        chaos_seed=1,
        consent=None,
        report_dir=tmp_path / "reports",
        state_dir=tmp_path / "state",
    )
    return Machine(fake, settings, images)


def test_failed_creation_says_why_and_leaves_nothing(machine: Machine) -> None:
    """Of k3d's error lines the first is told; what was half made is removed and forgotten."""
    with pytest.raises(ProviderError, match=r"^k3d cannot create cluster e2e: Failed Cluster Start: port is already"):
        machine.obtain()

    assert machine.calls("docker rm --force --volumes")
    assert machine.place.read() is None
    assert "Failed Cluster Start" in machine.place.log.read_text()
    machine.place.claim()  # the name is free again


def test_creation_is_told_what_the_run_needs(machine: Machine) -> None:
    """The rendered configuration carries name, image, images folder and our labels, and no default kubeconfig."""
    machine.place.folder.mkdir(parents=True)
    provider = machine.provider
    config = provider._k3d._configuration("abc")

    assert config["metadata"] == {"name": "e2e"}
    assert config["image"] == "redis-e2e/node:1"
    assert config["volumes"][0]["volume"].endswith("/images:/var/lib/rancher/k3s/agent/images:ro")
    assert [entry["label"] for entry in config["options"]["runtime"]["labels"]] == [
        "e2e.redis/owner=redis-e2e",
        "e2e.redis/config-hash=abc",
    ]
    assert config["options"]["kubeconfig"] == {"updateDefaultKubeconfig": False, "switchCurrentContext": False}
    assert (config["servers"], config["agents"]) == (1, 3)
    assert provider._k3d._environ()["KUBECONFIG"].startswith(str(machine.settings.state_dir))


def test_interrupted_creation_is_undone(machine: Machine) -> None:
    """Ctrl-C while k3d works ends k3d and removes what it made."""
    (machine.fake / "slow").touch()

    def interrupt() -> None:
        while not (machine.fake / "creating").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        machine.obtain()

    assert time.monotonic() - started < 8
    assert machine.calls("docker rm --force --volumes")
    assert machine.place.read() is None


@pytest.mark.parametrize("labels", [{}, {"owner": "somebody"}])
def test_cluster_of_somebody_else_is_left_alone(labels: dict[str, str], machine: Machine) -> None:
    """A cluster of the same name without our label is neither used nor removed, even with a record of our own."""
    machine.has_nodes(labels)
    machine.has_record(kept=True)

    with pytest.raises(ForeignCluster, match="was not made by this suite"):
        machine.obtain()
    with pytest.raises(ForeignCluster, match="was not made by this suite"):
        remove_cluster(machine.settings)

    assert not machine.calls("docker rm")
    assert not machine.calls("k3d cluster")


@pytest.mark.parametrize(
    ("nodes", "record", "story", "why"),
    [
        (
            {"hash": "old"},
            {},
            "left by a run that was killed (process 4711",
            "its configuration or images differ",
        ),
        ({"hash": "old"}, {"kept": True}, "kept since", "its configuration or images differ"),
        ({}, {"stage": "creating"}, "left by a run that was killed", "it was never finished"),
        ({"running": False}, {}, "left by a run that was killed", "k3d-e2e-agent-0, k3d-e2e-agent-1"),
        ({"count": 3}, {}, "left by a run that was killed", "a node is not running"),
        ({}, {}, "left by a run that was killed", "k3d has no kubeconfig"),
        ({}, None, "ours, but its record is lost", "k3d has no kubeconfig"),
    ],
)
def test_cluster_of_ours_that_does_not_fit_is_made_anew(
    nodes: dict[str, Any], record: dict[str, Any] | None, story: str, why: str, machine: Machine
) -> None:
    """A leftover or kept cluster is reported in one line, and removed, saying why, when it cannot be used."""
    nodes = dict(nodes)
    labels = {"owner": "redis-e2e", "config-hash": nodes.pop("hash", config_hash(machine.images))}
    machine.has_nodes(labels, **nodes)
    if record is not None:
        machine.has_record(**record)

    with pytest.raises(ProviderError, match="k3d cannot create"):
        machine.obtain()

    assert machine.said[0].startswith(f"cluster e2e: found, {story}")
    mended = [line for line in machine.said if "was left stopped: started" in line]
    assert len(mended) == (4 if nodes.get("running") is False else 0), "a node that is stopped is started first"
    told = next(line for line in machine.said if "made anew, because" in line)
    assert why in told
    calls = machine.calls("")
    assert calls.index(machine.calls("docker rm")[0]) < calls.index(machine.calls("k3d cluster create")[0])


def test_rest_of_a_creation_that_was_killed_early_is_ours(machine: Machine) -> None:
    """Before the first node there is only k3d's helper, which carries no label: our record says whose it is."""
    helper = {"Name": "/k3d-e2e-tools", "State": {"Running": True, "Paused": False}, "Config": {"Labels": {}}}
    (machine.fake / "ids").write_text("t")
    (machine.fake / "containers").write_text(json.dumps([helper]))

    with pytest.raises(ForeignCluster):
        remove_cluster(machine.settings)
    machine.has_record(stage="creating")

    assert remove_cluster(machine.settings) == "cluster e2e: removed"
    assert machine.calls("docker rm --force --volumes k3d-e2e-tools")


def _hold(settings: Settings, held: Any, done: Any) -> None:
    place = Place(settings.state_dir, settings.cluster_name)
    place.claim()
    held.set()
    done.wait(10)
    place.yield_up()


def test_cluster_in_use_by_another_run_is_left_to_it(machine: Machine) -> None:
    """Two runs never share a cluster; the second is told which process has it, and gets it when that one was killed."""
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(machine.settings, held, done))
    other.start()
    held.wait(10)

    with pytest.raises(ProviderError, match=rf"in use by another run \(process {other.pid}\).*--cluster-name"):
        machine.obtain()

    other.kill()
    other.join()
    with pytest.raises(ProviderError, match="k3d cannot create"):
        machine.obtain()


def test_leftover_under_another_name_is_told(machine: Machine) -> None:
    """A run says what killed runs left under other names; kept clusters and those in use are nobody's leftovers."""
    for name, kept in (("left", False), ("kept", True), ("used", False)):
        other = Place(machine.settings.state_dir, name)
        other.claim()
        other.write(Record.of(name, "hash", kept=kept, stage="ready"))
        if name != "used":
            other.yield_up()

    with pytest.raises(ProviderError):
        machine.obtain()
    other.yield_up()

    told = [line for line in machine.said if "left by a run" in line]
    assert told == [
        "cluster left: left by a run that was killed; make down ARGS='--cluster-name left' removes it",
    ]


def test_k3d_of_a_killed_run_is_ended(machine: Machine) -> None:
    """A k3d that outlived its run would go on making what the next run removes."""
    place = machine.place
    place.claim()
    orphan = subprocess.Popen(["sh", "-c", "sleep 30", "k3d", "cluster", "create", "--config", str(place.rendered)])
    other = subprocess.Popen(["sh", "-c", "sleep 30", "k3d", "cluster", "create", "--config", "elsewhere"])

    place.end_orphans()

    assert orphan.wait(5) == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()


def test_dead_docker_is_one_line(machine: Machine) -> None:
    """Without an engine nothing is tried, and down says what it knows."""
    (machine.fake / "dead").touch()

    with pytest.raises(
        ProviderError, match=r"^the Docker engine does not answer: Cannot connect to the Docker daemon$"
    ):
        machine.obtain()
    assert "no Docker engine answers" in remove_cluster(machine.settings)
    machine.has_record()
    with pytest.raises(ProviderError, match="Cannot connect"):
        remove_cluster(machine.settings)


def test_too_little_room_is_told_before_anything_is_made(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told up front, with the figures."""
    monkeypatch.setattr(engine, "docker", lambda *_arguments, **_limits: str(machine.fake))
    monkeypatch.setattr(engine, "NEEDED_BYTES", 10**18)

    with pytest.raises(ProviderError, match=r"only \d+\.\d GB are free .*docker system prune"):
        engine.require_room()


def test_release_is_safe_twice_and_says_what_is_left(machine: Machine) -> None:
    """With Docker dead the cluster stays written down for the next start; later the same call removes it."""
    provider = machine.provider
    provider.release()  # never obtained: nothing to do
    machine.has_record()
    machine.has_nodes({"owner": "redis-e2e"})
    provider._place.claim()
    provider._access = provider._handed_out("created")
    (machine.fake / "dead").touch()

    with pytest.raises(ProviderError, match=r"^cluster e2e may still be there, make down removes it: .*Cannot connect"):
        provider.release()
    assert machine.place.read() is not None

    (machine.fake / "dead").unlink()
    provider.release()
    provider.release()

    assert machine.place.read() is None
    assert len(machine.calls("docker rm")) == 1


def test_what_cannot_be_removed_is_named(machine: Machine) -> None:
    """A container that will not go is named, and the record stays."""
    machine.has_record()
    machine.has_nodes({"owner": "redis-e2e"}, count=1)
    (machine.fake / "stuck").touch()

    with pytest.raises(ProviderError, match="is not gone, left are: container k3d-e2e-agent-0"):
        remove_cluster(machine.settings)
    assert machine.place.read() is not None


def test_kept_cluster_stays_kept(machine: Machine) -> None:
    """A run on a kept cluster leaves it there: whoever kept it removes it."""
    machine.has_record(kept=True)
    provider = machine.provider
    provider._place.claim()
    provider._access = provider._handed_out("kept")

    provider.release()

    record = machine.place.read()
    assert record is not None
    assert record.kept
    assert not machine.calls("docker rm")
