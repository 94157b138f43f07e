"""What this machine offers or lacks: packages, the engine, the runtime."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from airgap import commands, engine, hostpackages, runtime, toolchain
from airgap.cache import Cache
from airgap.errors import AirgapError
from airgap.runner import Outcome


def silent(_: str) -> None:
    """Progress that nobody reads."""
    return


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH with nothing on it but what a test puts there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(hostpackages, "_path", lambda: str(folder))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return folder


def program(folder: Path, name: str, script: str = "exit 0") -> None:
    """Put a shell script on the PATH."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


class TestPackages:
    """Programs that are missing on this machine."""

    def test_nothing_is_installed_when_all_is_there(self, no_programs: Path) -> None:
        """No apt-get is needed then."""
        program(no_programs, "tar")
        hostpackages.install({"tar": "tar"}, silent)

    def test_a_user_is_told_what_root_would_install(self, no_programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each package once, in the command to run."""
        program(no_programs, "apt-get")
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        with pytest.raises(AirgapError, match=r"^missing here: run 'apt-get install docker.io runc' as root"):
            hostpackages.install({"docker": "docker.io", "dockerd": "docker.io", "runc": "runc"}, silent)

    def test_without_apt_the_line_says_so(self, no_programs: Path) -> None:
        """On another distribution the public images are the way."""
        assert no_programs.is_dir()
        with pytest.raises(AirgapError, match=r"missing here: docker.io; there is no apt-get"):
            hostpackages.install({"docker": "docker.io"}, silent)
        with pytest.raises(AirgapError, match=r"needs Debian's apt-get, .* use --images upstream"):
            hostpackages.require_builders(silent)

    @pytest.mark.parametrize(
        ("printed", "own"),
        [("go1.24.1", True), ("go1.26.6", True), ("go1.19.8", False), ("devel", False), (None, False)],
    )
    def test_go_is_brought_where_it_is_missing_or_too_old(
        self, no_programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, printed: str | None, own: bool
    ) -> None:
        """Debian's own is too old for these modules; one that will do is taken as it is."""
        if printed:
            program(no_programs, "go", f"echo {printed}")
        path = no_programs / ".." / "entry"
        monkeypatch.setattr(toolchain, "carry_out", lambda *_: Outcome({toolchain.NAME: path}, ()))
        toolchain.require_go(Cache(tmp_path), silent)
        assert (os.environ["PATH"] == str(no_programs)) is own
        assert own or os.environ["PATH"].startswith(f"{path}/go/bin:")

    def test_old_lists_are_renewed_once(
        self, no_programs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """An archive that moved on answers 404 until the lists are fetched again."""
        monkeypatch.setattr("os.geteuid", lambda: 0)
        monkeypatch.setattr(hostpackages, "LISTS", tmp_path)
        (tmp_path / "archive_Packages").write_text("")
        calls = tmp_path / "calls"
        program(
            no_programs,
            "apt-get",
            f'echo "$1" >>{calls}; [ "$1" = update ] || [ "$(/bin/grep -c install {calls})" = 2 ]',
        )
        program(no_programs, "env", 'shift; exec "$@"')
        hostpackages.install({"runc": "runc"}, silent)
        assert calls.read_text().split() == ["install", "update", "install"]


class TestEngine:
    """The Docker engine: found, started, stopped."""

    def test_an_engine_that_answers_is_used(self, no_programs: Path) -> None:
        """Nothing is started beside it."""
        program(no_programs, "docker")
        assert engine.ensure_engine(progress=silent) == engine.Engine(False, engine.SOCKET)

    def test_without_engine_and_root_the_line_says_what_to_do(
        self, no_programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Either start Docker or be root."""
        program(no_programs, "docker", "exit 1")
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        with pytest.raises(AirgapError, match=r"^no Docker engine answers .*: start Docker, or run as root$"):
            engine.ensure_engine(progress=silent)

    def test_an_engine_that_the_user_named_is_never_replaced(
        self, no_programs: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """DOCKER_HOST is a decision."""
        program(no_programs, "docker", "exit 1")
        monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
        with pytest.raises(AirgapError, match=r"no Docker engine answers at DOCKER_HOST=tcp://127\.0\.0\.1:1"):
            engine.ensure_engine(progress=silent)

    def test_stop_leaves_a_process_alone_that_is_not_ours(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A pid in an old file may belong to somebody else by now."""
        monkeypatch.setattr(engine, "STATE", tmp_path)
        stranger = subprocess.Popen(["sleep", "60"])
        for name in ("dockerd", "containerd"):
            (tmp_path / f"{name}.pid").write_text(f"{stranger.pid} 1")
        engine.stop_engine()
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()

    def test_stop_ends_what_was_started(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The process is gone, and so is its pid file."""
        monkeypatch.setattr(engine, "STATE", tmp_path)
        engine._spawn("dockerd", ["sleep", "60"])
        pid = engine._own("dockerd")
        assert pid is not None
        engine.stop_engine()
        assert engine._own("dockerd") is None
        assert os.waitpid(pid, 0)[1] == signal.SIGTERM
        assert not (tmp_path / "dockerd.pid").exists()

    def test_the_runtime_is_wrapped_only_where_the_capability_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Elsewhere runc is used as it is."""
        monkeypatch.setattr(engine, "STATE", tmp_path)
        monkeypatch.setattr(engine, "_bounding_set", lambda: 0x1FFFFFFFFFF)
        assert engine._without_missing_capability() == []
        monkeypatch.setattr(engine, "_bounding_set", lambda: 0x1FFFEFFFFFF)
        assert engine._without_missing_capability()[-1] == "without-sys-resource"
        assert os.access(tmp_path / "runtime", os.X_OK)


class TestRuntime:
    """The wrapper around runc."""

    CAPABILITIES = ("CAP_NET_ADMIN", "CAP_SYS_RESOURCE")

    def sets(self) -> dict[str, list[str] | None]:
        """Capability sets as an OCI bundle has them."""
        return {"bounding": list(self.CAPABILITIES), "effective": list(self.CAPABILITIES), "ambient": None}

    @pytest.mark.parametrize(
        "arguments", [["--root", "/r", "create", "--bundle", "{}", "id"], ["run", "--bundle={}", "id"]]
    )
    def test_a_container_is_created_without_the_capability(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
    ) -> None:
        """In either form of the option, all else kept."""
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"process": {"capabilities": self.sets()}, "hostname": "x"}))
        became: list[list[str]] = []
        monkeypatch.setattr("os.execvp", lambda _, words: became.append(words))
        words = [word.format(tmp_path) for word in arguments]
        runtime.main(words)
        mended = json.loads(config.read_text())
        assert mended["process"]["capabilities"]["bounding"] == ["CAP_NET_ADMIN"]
        assert mended["hostname"] == "x"
        assert became == [["runc", *words]]

    def test_so_is_a_process_that_joins_later(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The file of `exec` has the sets at its top."""
        process = tmp_path / "process.json"
        process.write_text(json.dumps({"capabilities": self.sets(), "args": ["sh"]}))
        monkeypatch.setattr("os.execvp", lambda *_: None)
        runtime.main(["exec", "--process", str(process), "id"])
        assert "SYS_RESOURCE" not in process.read_text()

    def test_other_verbs_touch_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Deleting reads no bundle."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("os.execvp", lambda *_: None)
        runtime.main(["delete", "--force", "id"])
        assert list(tmp_path.iterdir()) == []


class TestCommands:
    """Programs that are run."""

    def test_a_program_that_is_not_there_is_one_clear_line(self, tmp_path: Path) -> None:
        """It names the program."""
        with pytest.raises(AirgapError, match="no-such-program cannot be started: No such file or directory"):
            commands.run(["no-such-program"], log=tmp_path / "log", timeout=5)

    def test_a_program_that_hangs_is_killed_with_its_children(self, tmp_path: Path) -> None:
        """A compiler leaves none of its own behind."""
        with pytest.raises(AirgapError, match="sh did not end within 2 s"):
            commands.run(["sh", "-c", f"sleep 300 & echo $! >{tmp_path}/child; wait"], log=tmp_path / "log", timeout=2)
        status = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
        deadline = time.monotonic() + 5
        while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.02)
