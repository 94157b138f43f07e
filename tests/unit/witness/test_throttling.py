"""Both generations of cgroups tell how long the kernel kept a container from running."""

from __future__ import annotations

from pathlib import Path

import pytest

from witness import throttling
from witness.throttling import Throttling

V2 = "usage_usec 900\nuser_usec 600\nsystem_usec 300\nnr_periods 9\nnr_throttled 3\nthrottled_usec {}\n"
V1 = "nr_periods 9\nnr_throttled 3\nthrottled_time {}000\n"


@pytest.mark.parametrize(
    ("place", "text"), [("cpu.stat", V2), ("cpu/cpu.stat", V1), ("cpu,cpuacct/cpu.stat", V1)], ids=["v2", "v1", "v1b"]
)
def test_microseconds_since_the_last_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, text: str
) -> None:
    """The counter counts from the container's begin: what was before the recording is left out."""
    monkeypatch.setattr(throttling, "PERIOD_S", 0)
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(text.format(5000))
    found = Throttling(tmp_path)
    file.write_text(text.format(7500))

    assert found.total_us() == 7500
    assert [found.since_last(), found.since_last()] == [2500, 0]


def test_file_is_read_once_a_second_at_most(tmp_path: Path) -> None:
    """In between nothing is known to have happened; it is told with the next reading."""
    (tmp_path / "cpu.stat").write_text(V2.format(5000))
    found = Throttling(tmp_path)
    (tmp_path / "cpu.stat").write_text(V2.format(7500))

    assert found.since_last() == 0
    found._read_at -= 2
    assert found.since_last() == 2500


@pytest.mark.parametrize("text", [None, "", "usage_usec 900\n", "throttled_usec many\n"])
def test_no_counter_is_no_throttling(tmp_path: Path, text: str | None) -> None:
    """A machine without cgroups, or without a quota."""
    if text is not None:
        (tmp_path / "cpu.stat").write_text(text)

    assert Throttling(tmp_path).since_last() == 0
