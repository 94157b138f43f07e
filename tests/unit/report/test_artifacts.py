from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.artifacts import (
    ArtifactError,
    JsonLines,
    create_run,
    file_name,
    new_run_id,
    why_refused,
    write_json,
    write_text,
)


def test_a_run_has_its_directories_and_is_the_latest(tmp_path: Path) -> None:
    first = create_run(tmp_path / "reports")
    second = create_run(tmp_path / "reports")

    assert first.run_id != second.run_id
    assert first.history.is_dir()
    assert first.logs.is_dir()
    link = tmp_path / "reports" / "latest"
    assert link.readlink() == Path(second.run_id), "relative, so that the directory can be moved or archived"


def test_a_directory_in_the_place_of_latest_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()

    with pytest.raises(ArtifactError, match="a directory of that name is in the way"):
        create_run(tmp_path)
    assert (tmp_path / "latest").is_dir()


def test_run_ids_sort_by_time_and_differ_within_a_second() -> None:
    earlier, later = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)

    assert new_run_id(earlier) < new_run_id(later)
    assert len({new_run_id(earlier) for _ in range(20)}) > 1


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    occupied = tmp_path / "reports"
    occupied.write_text("a file, not a directory")

    with pytest.raises(ArtifactError, match=r"cannot write .*reports: .*--report-dir") as refused:
        create_run(occupied)
    assert "\n" not in str(refused.value)


def test_a_full_disk_is_one_clear_line_with_the_space_left(tmp_path: Path) -> None:
    full = tmp_path / "faults.jsonl"
    full.symlink_to("/dev/full")  # the kernel's device that answers every write with "no space left"

    with JsonLines(full) as lines, pytest.raises(ArtifactError, match=r"No space left on device \(\d+ MB free\)"):
        lines.write({"fault": "noop"})


def test_missing_permission_says_what_to_do() -> None:
    words = why_refused(PermissionError(13, "Permission denied"), Path("reports/x"))

    assert words == "Permission denied; make the directory writable or choose another one with --report-dir"


def test_each_line_is_on_disk_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"
    program = (
        "import os, signal, sys; from pathlib import Path; from harness.artifacts import JsonLines\n"
        "lines = JsonLines(Path(sys.argv[1]))\n"
        "for n in range(3): lines.write({'n': n, 'text': 'ä'})\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False, timeout=30)

    assert [json.loads(line)["n"] for line in path.read_text(encoding="utf-8").splitlines()] == [0, 1, 2]


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    for number in range(2):
        with JsonLines(tmp_path / "deep" / "x.jsonl") as lines:
            lines.write({"n": number})

    assert (tmp_path / "deep" / "x.jsonl").read_text() == '{"n":0}\n{"n":1}\n'


def test_file_names_are_distinct_readable_and_short() -> None:
    one = file_name("tests/drills/test_loss.py::test_pod_is_lost[primary-2]")
    long = [file_name(f"tests/drills/test_loss.py::test_x[{'a' * 300}{n}]") for n in range(2)]

    assert one == "drills_test_loss.py_test_pod_is_lost_primary-2"
    assert long[0] != long[1]
    assert all(len(name) <= 120 for name in long)
    assert file_name("../../etc/passwd") == "etc_passwd"
    assert file_name("::") == "unnamed"


def test_writing_replaces_a_file_whole_and_leaves_no_part(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_text(path, "old")

    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"x": float("nan")})
    assert path.read_text() == "old"

    write_json(path, {"x": "ü"})
    assert json.loads(path.read_text(encoding="utf-8")) == {"x": "ü"}
    assert [found.name for found in tmp_path.iterdir()] == ["run.json"]
