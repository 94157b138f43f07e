from __future__ import annotations

import dataclasses
import re
from xml.etree import ElementTree as ET

import pytest

from harness.report.axis import WIDTH
from harness.report.record import DrillRecord, FaultBracket, LimitCheck, OpsBucket, RoleSpan, SentinelEvent, Window
from harness.report.timeline import draw
from tests.unit.report import sample

AT = sample.FAULT_AT


def words(picture: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(picture).iter("text")]  # noqa: S314  our own output


def test_nothing_known_draws_nothing() -> None:
    assert draw(DrillRecord("x")) == ""


@pytest.mark.parametrize("record", [sample.unplanned(), sample.reboot(), sample.unplanned(gap_s=34.0)])
def test_the_picture_is_well_formed_and_within_its_frame(record: DrillRecord) -> None:
    picture = ET.fromstring(draw(record))  # noqa: S314  our own output

    height = float(picture.attrib["viewBox"].split()[3])
    for element in picture.iter():
        for name, value in element.attrib.items():
            if name in {"x", "x1", "x2", "cx"}:
                assert 0 <= float(value) <= WIDTH
            if name in {"y", "y1", "y2", "cy"}:
                assert 0 <= float(value) <= height
            if name in {"width", "height"}:
                assert float(value) >= 0


def test_every_lane_says_whose_it_is() -> None:
    shown = words(draw(sample.unplanned()))

    for lane in ("fault", "redis-0", "redis-1", "redis-2", "redis-sentinel-0", "redis-sentinel-2", "acknowledged"):
        assert lane in shown
    assert "pod deleted, seat kept empty (redis-0), healed at +21.8 s" in shown
    assert "no acknowledged write: 6.93 s" in shown
    assert "+switch-master" in shown


def test_the_limit_is_marked_where_it_lies_or_said_to_be_outside() -> None:
    assert "limit 30 s: beyond the edge →" in words(draw(sample.unplanned()))
    assert "limit 30 s" in words(draw(sample.unplanned(gap_s=34.0)))


def test_the_shaded_stretch_is_exact() -> None:
    record = DrillRecord(
        "x",
        faults=[FaultBracket("noop", "redis-0", 100.0, 100.0, 110.0)],
        windows=[Window("write", 102.0, 104.0, 2.0, 0.01)],
        ops=[OpsBucket(98.0 + n / 10, 1, 0, 0) for n in range(120)],
        limits=[LimitCheck("writes", 3.0, 2.0)],
    )
    picture = ET.fromstring(draw(record))  # noqa: S314  our own output
    window = next(e for e in picture.iter("rect") if e.attrib["class"] == "window write")
    ticks = {e.text: float(e.attrib["x"]) for e in picture.iter("text") if e.attrib["class"] == "tick"}
    limit = next(e for e in picture.iter("line") if e.attrib["class"] == "limit")

    left, width = float(window.attrib["x"]), float(window.attrib["width"])
    assert left == pytest.approx(ticks["+2 s"], abs=0.2)
    assert left + width == pytest.approx(ticks["+4 s"], abs=0.2)
    assert float(limit.attrib["x1"]) == pytest.approx(ticks["+5 s"], abs=0.2)


def test_a_window_that_never_ended_and_a_fault_never_healed_reach_the_edge() -> None:
    record = dataclasses.replace(
        sample.unplanned(),
        faults=[FaultBracket("pod deleted", "redis-0", AT)],
        windows=[Window("write", AT, None, 25.0, 0.01)],
    )

    assert any("never healed" in word for word in words(draw(record)))
    assert "no acknowledged write: 25.00 s" in words(draw(record))


def test_texts_from_outside_cannot_become_markup() -> None:
    hostile = '"><script>alert(1)</script>'
    record = DrillRecord(
        hostile,
        outcome=hostile,
        old_primary=hostile,
        new_primary=hostile,
        faults=[FaultBracket(hostile, hostile, 1.0, 1.1, 2.0)],
        windows=[Window(hostile, 1.0, 2.0, 1.0, 0.1, [hostile])],
        roles={hostile: [RoleSpan(0.0, 3.0, hostile)]},
        sentinel_events=[SentinelEvent(1.0, hostile, hostile, hostile)],
    )
    picture = draw(record)

    assert "<script" not in picture
    ET.fromstring(picture)  # noqa: S314  our own output


def test_a_long_drill_stays_a_small_picture() -> None:
    busy = [OpsBucket(AT - 5 + n / 10, 100, 1, 1) for n in range(36_000)]
    record = dataclasses.replace(sample.unplanned(), ops=busy, windows=(), phases=())

    picture = draw(record)
    assert len(picture) < 100_000
    assert len(re.findall(r"M[\d.]+ ", picture)) <= 3 * 451
    assert any(word.startswith("per ") and word != "per 100 ms" for word in words(picture)), "the scale is said"


@pytest.mark.parametrize(
    ("injected", "healed", "css"),
    [(0.0, 40.0, "on-fault"), (0.0, 1.0, "label"), (38.0, 40.0, "edge"), (12.0, 28.0, "label")],
)
def test_a_fault_is_named_within_the_picture(injected: float, healed: float, css: str) -> None:
    name = "pods deleted " + "and more " * 7
    record = DrillRecord(
        "x",
        faults=[FaultBracket("noop", "", 0.0, 0.0, 40.0), FaultBracket(name, "redis-0", injected, injected, healed)],
        ops=[OpsBucket(n / 10, 1, 0, 0) for n in range(400)],
    )
    picture = ET.fromstring(draw(record))  # noqa: S314  our own output
    label = next(e for e in picture.iter("text") if (e.text or "").startswith(name))

    assert label.attrib["class"] == css
    length = len(label.text or "") * 6.0
    start = float(label.attrib["x"]) - (length if css == "edge" else 0.0)
    assert start >= 0
    assert start + length <= WIDTH
