from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from airgap.layer import Settings, write_image

SETTINGS = Settings(command=("redis-server",), user="999:1000", volumes=("/data",), owners={"data": (999, 1000)})


def tree(folder: Path) -> Path:
    """A root file system in small."""
    (folder / "usr/bin").mkdir(parents=True)
    (folder / "data").mkdir()
    program = folder / "usr/bin/redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    os.link(program, folder / "usr/bin/redis-check-rdb")
    (folder / "bin").symlink_to("usr/bin")
    return folder


def image(tmp_path: Path, name: str, settings: Settings = SETTINGS) -> Path:
    """Its archive."""
    output = tmp_path / f"{name}-output"
    output.mkdir()
    write_image(tree(tmp_path / name), output, reference="x/redis:1", version="7.0.15", settings=settings)
    return output


def unpacked(output: Path) -> tuple[dict[str, object], list[tarfile.TarInfo], dict[str, object]]:
    """The manifest's only entry, the layer's entries, the config."""
    with tarfile.open(output / "image.tar") as archive:

        def read(name: str) -> bytes:
            member = archive.extractfile(name)
            assert member is not None
            return member.read()

        (entry,) = json.loads(read("manifest.json"))
        config = read(entry["Config"])
        assert entry["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
        (layer,) = entry["Layers"]
        content = read(layer)
        assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(content).hexdigest()}"]
        member = archive.extractfile(layer)
        with tarfile.open(fileobj=member) as inner:
            return entry, inner.getmembers(), json.loads(config)


def test_equal_trees_give_equal_archives(tmp_path: Path) -> None:
    """Whenever and wherever it is built, the same content has the same image id."""
    first, second = image(tmp_path, "one"), image(tmp_path, "two")
    assert (first / "image.tar").read_bytes() == (second / "image.tar").read_bytes()
    assert json.loads((first / "image.json").read_text())["image_id"].startswith("sha256:")


def test_the_archive_says_what_runs_and_as_whom(tmp_path: Path) -> None:
    """Command, user, volume, version and owners are those given."""
    entry, members, config = unpacked(image(tmp_path, "one"))
    assert entry["RepoTags"] == ["x/redis:1"]
    running = config["config"]
    assert isinstance(running, dict)
    assert running["Cmd"] == ["redis-server"]
    assert running["User"] == "999:1000"
    assert running["Volumes"] == {"/data": {}}
    assert running["Labels"] == {"org.opencontainers.image.version": "7.0.15"}
    owners = {member.name: (member.uid, member.gid) for member in members}
    assert owners.pop("data") == (999, 1000)
    assert set(owners.values()) == {(0, 0)}


def test_links_and_modes_survive(tmp_path: Path) -> None:
    """Symbolic and hard links, executable bits; times are zero."""
    _, members, _ = unpacked(image(tmp_path, "one"))
    found = {member.name: member for member in members}
    assert found["bin"].linkname == "usr/bin"
    assert found["usr/bin/redis-check-rdb"].mode & 0o777 == 0o755
    assert {member.mtime for member in members} == {0}


def test_what_is_not_set_is_not_written(tmp_path: Path) -> None:
    """An empty entrypoint is none."""
    _, _, config = unpacked(image(tmp_path, "one", Settings()))
    running = config["config"]
    assert isinstance(running, dict)
    assert set(running) == {"Env", "Labels"}


def test_an_unknown_machine_is_one_clear_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The line names the machines that are known."""
    monkeypatch.setattr("platform.machine", lambda: "vax")
    with pytest.raises(Exception, match="no images can be built for vax: known are x86_64, aarch64"):
        image(tmp_path, "one")
