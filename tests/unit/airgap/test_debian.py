from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from airgap import debian, hostpackages
from airgap.debian import Package, resolve
from airgap.errors import AirgapError

PLANNED = """NOTE: this is a simulation
Inst libc6 (2.36-9+deb12u14 Debian:12.11/oldstable [amd64])
Inst perl-base (5.36.0-7 Debian:12.11/oldstable [amd64])
Inst redis-server (5:7.0.15-1~deb12u10 Debian-Security:12 [amd64])
Conf libc6 (2.36-9+deb12u14 Debian:12.11/oldstable [amd64])
"""


@pytest.fixture
def apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An apt-get that notes how it is called and plans what PLANNED says."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "plan").write_text(PLANNED)
    script = folder / "apt-get"
    script.write_text(f'#!/bin/sh\necho "$@" >>{folder}/calls\n[ "$1" = download ] || cat {folder}/plan\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_packages_are_resolved_against_an_empty_system(apt: Path, tmp_path: Path) -> None:
    """What the machine has installed must not decide what goes into an image."""
    assert resolve(["redis-server"], tmp_path)[-1] == Package("redis-server", "5:7.0.15-1~deb12u10")
    assert f"Dir::State::status={tmp_path / 'dpkg-status'}" in (apt / "calls").read_text()
    assert (tmp_path / "dpkg-status").read_text() == ""


def test_packages_that_only_install_others_are_left_out(apt: Path, tmp_path: Path) -> None:
    """Neither downloaded nor unpacked."""
    (tmp_path / "root").mkdir()
    versions = debian.unpack(["redis-server"], tmp_path / "root", scratch=tmp_path, log=tmp_path / "log")
    assert set(versions) == {"libc6", "redis-server"}
    downloaded = (apt / "calls").read_text().splitlines()[-1]
    assert "redis-server=5:7.0.15-1~deb12u10" in downloaded
    assert "perl-base" not in downloaded


def test_lists_that_name_replaced_packages_are_renewed(
    apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine image is older than the archive's last security update: the first download is a 404."""
    (tmp_path / "root").mkdir()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(hostpackages, "_renewed", [])
    (apt / "apt-get").write_text(
        f'#!/bin/sh\necho "$1" >>{apt}/calls\n'
        f"case $1 in update) touch {apt}/renewed ;; download) test -e {apt}/renewed ;; *) cat {apt}/plan ;; esac\n"
    )
    debian.unpack(["redis-server"], tmp_path / "root", scratch=tmp_path, log=tmp_path / "log")
    assert (apt / "calls").read_text().split() == ["--simulate", "download", "update", "--simulate", "download"]


def test_a_plan_of_nothing_is_one_clear_line(apt: Path, tmp_path: Path) -> None:
    """The line says how to get package lists."""
    (apt / "plan").write_text("")
    with pytest.raises(AirgapError, match="apt-get plans nothing for redis-server: run apt-get update"):
        resolve(["redis-server"], tmp_path)


def test_files_land_behind_the_merged_folders(tmp_path: Path) -> None:
    """A package that still ships /bin must not put a folder where the link into /usr is."""
    if shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not here: images are built on Debian only")
    content = tmp_path / "content"
    for name in ("bin/tool", "lib/library", "usr/share/doc/tool/README"):
        (content / name).parent.mkdir(parents=True)
        (content / name).write_text(name)
    (content / "DEBIAN").mkdir()
    (content / "DEBIAN/control").write_text(
        "Package: tool\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: test\n"
    )
    archive = tmp_path / "tool.deb"
    subprocess.run(["dpkg-deb", "--build", str(content), str(archive)], check=True, capture_output=True, timeout=20)
    root = tmp_path / "root"
    root.mkdir()
    debian._lay_out(root)
    debian._extract(archive, root, tmp_path, tmp_path / "log")
    assert (root / "bin").is_symlink()
    assert (root / "usr/bin/tool").read_text() == "bin/tool"
    assert (root / "usr/lib/library").is_file()
