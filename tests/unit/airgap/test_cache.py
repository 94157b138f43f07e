from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from airgap.cache import Cache, default_root, digest
from airgap.errors import AirgapError


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache in a folder of its own."""
    store = Cache(tmp_path / "cache")
    store.create()
    return store


def finished(cache: Cache, name: str, key: str, *, age: float = 0.0) -> Path:
    """An entry as a finished step leaves it, last used `age` seconds ago."""
    with cache.workspace(name) as folder:
        output = folder / "output"
        output.mkdir()
        (output / "content").write_text(key)
        entry = cache.publish(output, name, key)
    moment = time.time() - age
    os.utime(entry, (moment, moment))
    return entry


class TestDigest:
    """The digest of what a step is built from."""

    def test_follows_content_not_time_or_place(self, tmp_path: Path) -> None:
        """Equal files in two folders, written at two times, have one digest."""
        for name in ("one", "two"):
            (tmp_path / name / "sub").mkdir(parents=True)
            (tmp_path / name / "sub" / "file").write_text("same")
        os.utime(tmp_path / "two" / "sub" / "file", (1, 1))
        assert digest([tmp_path / "one"]) == digest([tmp_path / "two"])

    @pytest.mark.parametrize("change", ["content", "name", "mode", "new", "gone"])
    def test_changes_with_anything_that_could_change_the_result(self, tmp_path: Path, change: str) -> None:
        file = tmp_path / "folder" / "file"
        file.parent.mkdir()
        file.write_text("before")
        before = digest([file.parent])
        match change:
            case "content":
                file.write_text("after!")
            case "name":
                file.rename(file.with_name("other"))
            case "mode":
                file.chmod(0o755)
            case "new":
                (file.parent / "more").write_text("")
            case _:
                file.unlink()
        assert digest([file.parent]) != before

    def test_of_a_missing_file_changes_when_it_appears(self, tmp_path: Path) -> None:
        """A file that is not there yet is an input too."""
        before = digest([tmp_path / "later"])
        (tmp_path / "later").write_text("")
        assert digest([tmp_path / "later"]) != before

    def test_keeps_parts_apart(self) -> None:
        """Moving a letter from one part to the next is a change."""
        assert digest(["ab", "c"]) != digest(["a", "bc"])

    def test_ignores_compiled_python(self, tmp_path: Path) -> None:
        """Running the program does not change its digest."""
        before = digest([tmp_path])
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__" / "x.pyc").write_bytes(b"x")
        assert digest([tmp_path]) == before


class TestRoot:
    """Where the cache is."""

    def test_is_chosen_by_the_environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """E2E_CACHE_DIR comes before the XDG folder."""
        monkeypatch.setenv("E2E_CACHE_DIR", str(tmp_path / "chosen"))
        assert default_root() == tmp_path / "chosen"
        monkeypatch.delenv("E2E_CACHE_DIR")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert default_root() == tmp_path / "redis-sentinel-e2e"

    def test_that_cannot_be_written_is_one_clear_line(self, tmp_path: Path) -> None:
        """The line names the folder and the variable that changes it."""
        (tmp_path / "file").write_text("")
        with pytest.raises(AirgapError, match=r"cannot write the cache .* set E2E_CACHE_DIR") as raised:
            Cache(tmp_path / "file" / "cache").create()
        assert "\n" not in str(raised.value)


class TestWorkspace:
    """Folders of work in progress."""

    def test_leaves_nothing_after_an_error(self, cache: Cache) -> None:
        """A failed step takes its folder with it."""

        def fail() -> None:
            with cache.workspace("step") as folder:
                (folder / "half").write_text("half")
                message = "no"
                raise AirgapError(message)

        with pytest.raises(AirgapError):
            fail()
        assert list((cache.root / "tmp").iterdir()) == []

    def test_of_a_killed_run_is_swept_and_one_in_use_is_not(self, cache: Cache) -> None:
        """Only folders of processes that are gone are removed, read-only parts included."""
        ended = subprocess.Popen([sys.executable, "-c", ""])
        ended.wait()
        dead, alive = (cache.root / "tmp" / f"step-{pid}" for pid in (ended.pid, os.getpid()))
        for folder in (dead, alive):
            folder.mkdir()
        (dead / "read-only").mkdir(mode=0o500)
        cache.sweep()
        assert not dead.exists()
        assert alive.exists()


class TestDiscard:
    """What is removed from the cache by itself."""

    def test_keeps_the_current_the_newest_and_the_recently_used(self, cache: Cache) -> None:
        """Going back to earlier sources is free, and no parallel run loses what it is about to mount."""
        current = finished(cache, "go-k3d", "now", age=9e5)
        old = [finished(cache, "go-k3d", f"old{n}", age=1e5 + n) for n in range(4)]
        recent = [finished(cache, "redis", f"new{n}", age=n) for n in range(4)]
        assert sorted(cache.discard([current], older=2, seconds=3600)) == sorted(old[2:])
        assert all(path.exists() for path in [current, *old[:2], *recent])

    def test_two_runs_tidy_up_at_once(self, cache: Cache) -> None:
        """Each entry is removed by one of them, and neither stumbles over the other."""
        entries = {finished(cache, "redis", f"old{n}", age=1e5) for n in range(40)}
        with ThreadPoolExecutor(4) as pool:
            removed = list(pool.map(lambda _: cache.discard([], older=0, seconds=0), range(4)))
        assert sorted(path for paths in removed for path in paths) == sorted(entries)
        assert list((cache.root / "steps").iterdir()) == []

    def test_spares_what_a_process_has_mounted(self, cache: Cache) -> None:
        """A running cluster's images stay."""
        entry = finished(cache, "images", "abc", age=1e5)
        holder = subprocess.Popen(
            [
                *("unshare", "--mount", "sh", "-c"),
                'mount --bind "$1" "$1" && echo mounted && read -r _',
                *("sh", str(entry)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert holder.stdout is not None
        if holder.stdout.readline() != b"mounted\n":
            pytest.skip("this user may not mount anything")
        assert cache.discard([], older=0, seconds=0) == []
        holder.communicate(b"\n", timeout=10)
        assert cache.discard([], older=0, seconds=0) == [entry]
