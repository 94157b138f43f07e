from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest

from harness.report.figure import figure, figure_json, library
from harness.report.harm import harms
from harness.report.page import CSS
from harness.report.record import (
    DrillRecord,
    FaultBracket,
    Loss,
    NameChange,
    OpsBucket,
    Overlap,
    Phase,
    RoleSpan,
    SentinelEvent,
    ServiceSpan,
    Tilt,
    ViewSpan,
    Window,
)
from harness.report.tables import tables
from harness.report.timeline import draw
from harness.report.wording import drill_sentence
from tests.unit.report import sample, sample_trouble

AT = sample.FAULT_AT
DRILLS = {
    "unplanned": sample.unplanned,
    "reboot": sample.reboot,
    "planned": sample_trouble.planned,
    "paused": sample_trouble.paused,
    "second attempt": sample_trouble.second_attempt,
    "tilt": sample_trouble.tilt,
}


def drawn(record: DrillRecord) -> dict[str, Any]:
    found = figure(record)
    assert found is not None
    return found


def texts(value: Any) -> Iterator[str]:
    """Yield every string in a figure that is shown."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        shown = [inner for key, inner in value.items() if key != "legendgroup"] if isinstance(value, dict) else value
        for inner in shown:
            yield from texts(inner)


def traces(record: DrillRecord, name: str) -> list[dict[str, Any]]:
    return [trace for trace in drawn(record)["data"] if trace.get("name") == name]


@pytest.mark.parametrize("drill", DRILLS)
def test_plotly_accepts_every_figure(drill: str) -> None:
    found = drawn(DRILLS[drill]())

    go.Figure(found)  # raises on a property or value that Plotly does not know
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(DrillRecord) if field.name != "promise"])
@pytest.mark.parametrize("drill", ["unplanned", "paused", "tilt"])
def test_a_record_that_lacks_one_piece_is_shown_all_the_same(drill: str, name: str) -> None:
    record = dataclasses.replace(DRILLS[drill](), **{name: getattr(DrillRecord(""), name)})

    go.Figure(drawn(record))
    assert draw(record)
    assert tables(record)
    assert drill_sentence(record)


def test_a_seat_that_was_never_sampled_breaks_nothing() -> None:
    record = DrillRecord("x", faults=[FaultBracket("noop", "", 5.0)], roles={"redis-0": []})

    go.Figure(drawn(record))


def test_a_drill_without_a_history_has_no_figure() -> None:
    assert figure(DrillRecord("x", faults=[FaultBracket("rolled out", "redis", 0.0, 1.0)])) is None


@pytest.mark.parametrize("drill", DRILLS)
def test_all_lanes_share_one_clock_and_lie_within_the_frame(drill: str) -> None:
    found = drawn(DRILLS[drill]())

    assert all("xaxis" not in trace for trace in found["data"])
    domains = sorted(axis["domain"] for name, axis in found["layout"].items() if name.startswith("yaxis"))
    assert domains[0][0] >= 0
    assert domains[-1][1] <= 1
    assert all(below[1] < above[0] for below, above in pairwise(domains)), "no lane over another"
    assert all(length >= 0 for trace in found["data"] if trace.get("orientation") == "h" for length in trace["x"])


def test_numbers_of_phases_do_not_cover_each_other() -> None:
    close = [Phase(f"phase {number}", 5.0 + number / 100) for number in range(5)]
    record = dataclasses.replace(sample.unplanned(), phases=close)
    (marks,) = traces(record, "phases")

    assert len(set(marks["y"])) == 5
    assert all(drawn(record)["layout"]["yaxis"]["range"][0] < y < 0 for y in marks["y"])


@pytest.mark.parametrize(
    ("effect", "heal", "label"),
    [(0.4, 21.8, "seat empty (redis-0), healed at +21.80 s"), (5.0, 7.0, "seat empty (redis-0)"),
     (0.1, 0.2, "seat empty (redis-0), healed at +0.20 s")],
)  # fmt: skip
def test_a_fault_is_named_where_there_is_room(effect: float, heal: float, label: str) -> None:
    record = dataclasses.replace(
        sample.unplanned(), faults=[FaultBracket("seat empty", "redis-0", AT, AT + effect, AT + heal)]
    )
    (words,) = (t for t in drawn(record)["data"] if t.get("mode") == "text" and t["legendgroup"] == "faults")

    assert words["text"] == [f"\u00a0{label}\u00a0"]


def test_rows_stand_in_the_order_of_cause_and_effect() -> None:
    rows = drawn(sample_trouble.paused())["layout"]["yaxis"]["ticktext"]

    assert rows == [
        "phases", "fault", "redis-0", "redis-1", "redis-2", "two primaries", "lost: pinned writers", "Service redis",
        "redis-sentinel-0", "redis-sentinel-1", "redis-sentinel-2",
    ]  # fmt: skip


def test_roles_differ_by_more_than_their_colour() -> None:
    by_role = {
        name: traces(sample_trouble.paused(), name)[0] for name in ("primary", "replica", "unreachable", "loading")
    }

    looks = {
        (trace["marker"]["color"], trace["marker"].get("pattern", {}).get("shape", "")) for trace in by_role.values()
    }
    assert len(looks) == len(by_role)
    assert by_role["unreachable"]["marker"]["pattern"]["shape"]
    words = {text.strip("\u00a0") for t in drawn(sample_trouble.paused())["data"] for text in t.get("text", [])}
    assert {"primary", "replica", "unreachable"} <= words


def test_two_primaries_and_losses_are_marked_exactly() -> None:
    overlap, loss = (traces(sample_trouble.paused(), n)[0] for n in ("two primaries", "acknowledged writes lost"))

    assert (overlap["base"], overlap["x"]) == ([12.1], [10.2])
    assert (loss["base"], loss["x"]) == ([12.06], [10.22])
    assert "10,194 acknowledged writes of pinned writers are not on redis-1" in loss["customdata"][0]


def test_windows_are_shaded_exactly_and_a_group_s_in_its_own_lane() -> None:
    layout = drawn(sample_trouble.paused())["layout"]
    all_lanes, own = (shape for shape in layout["shapes"] if shape["type"] == "rect")

    assert (all_lanes["x0"], all_lanes["x1"], all_lanes["yref"]) == (0.02, 6.98, "paper")
    assert (own["x0"], own["x1"], own["yref"]) == (0.02, 12.05, "y4 domain")
    assert layout["yaxis4"]["title"]["text"] == "pinned writers"


def test_the_limit_stands_where_it_lies() -> None:
    limit = next(
        shape for shape in drawn(sample_trouble.second_attempt())["layout"]["shapes"] if shape.get("x0", 0) > 1
    )

    assert limit["x0"] == pytest.approx(30.02)


def test_what_never_ended_reaches_the_end_of_all_that_is_known() -> None:
    record = dataclasses.replace(
        sample.unplanned(),
        faults=[FaultBracket("pod deleted", "redis-0", AT)],
        windows=[Window("write", AT, None, 25.0, 0.01)],
    )
    found = drawn(record)

    assert traces(record, "fault")[0]["x"] == [30.0]
    assert found["layout"]["shapes"][0]["x1"] == 30.0
    assert "its effect was never seen" in traces(record, "fault")[0]["customdata"][0]


def test_every_operation_is_counted_whatever_the_length_of_the_drill() -> None:
    busy = [OpsBucket(AT - 5 + n / 10, 100, 2, 1) for n in range(36_000)]
    record = dataclasses.replace(sample.unplanned(), ops=busy, windows=(), phases=(), ops_by_group={})
    found = drawn(record)

    for name, number in (
        ("acknowledged", 3_600_000),
        ("failed: certainly not applied", 72_000),
        ("unknown: may have been applied", 36_000),
    ):
        assert sum(traces(record, name)[0]["y"]) == number
    assert found["layout"]["yaxis2"]["title"]["text"] == "writes acked<br>per 2.40 s", "the scale is said"
    assert len(figure_json(found)) < 150_000


def test_texts_from_outside_can_neither_end_the_script_nor_become_markup() -> None:
    hostile = '</script><script>alert(1)</script><!-- <a href="javascript:alert(1)">'
    record = DrillRecord(
        hostile,
        outcome=hostile,
        faults=[FaultBracket(hostile, hostile, 1.0, 1.1, 2.0)],
        windows=[Window(hostile, 1.0, 2.0, 1.0, 0.1, [hostile], hostile)],
        roles={hostile: [RoleSpan(0.0, 30.0, hostile)]},
        sentinel_events=[SentinelEvent(1.0, hostile, f"+sdown{hostile}", hostile)],
        services={hostile: [ServiceSpan(0.0, 30.0, hostile, hostile)]},
        views={hostile: [ViewSpan(0.0, 30.0, hostile, hostile)]},
        dns=[NameChange(1.0, hostile, [hostile]), NameChange(2.0, hostile, error=hostile)],
        losses=[Loss(hostile, hostile, 1, 1.0, 2.0)],
        overlaps=[Overlap(hostile, hostile, 1.0, 2.0, 1)],
        tilts=[Tilt(hostile, 1.0)],
        phases=[Phase(hostile, 1.0, 1.0, hostile)],
        ops_by_group={hostile: [OpsBucket(0.0, 1, 1, 1)]},
    )
    text = figure_json(drawn(record))

    assert not re.search("[<>&]", text)
    found = {str(value) for value in texts(json.loads(text))}
    assert [value for value in found if re.search("</?(?!/?(b|br|extra)>)", value)] == [], "only our own markup"


def test_every_colour_that_a_figure_names_is_in_the_style_sheet() -> None:
    css = CSS.read_text(encoding="utf-8")
    named = {
        name for drill in DRILLS.values() for name in re.findall(r"var\((--[a-z-]+)\)", figure_json(drawn(drill())))
    }

    assert {"--primary", "--shade"} <= named
    assert [name for name in named if css.count(f" {name}:") != 2] == [], "each once for light, once for dark"


def test_the_library_can_be_put_into_a_script_element() -> None:
    text = library()

    assert not re.search(r"</script|<!--", text, re.IGNORECASE)
    assert "picture.classList.add" in text


def test_losses_that_every_instance_shares_are_one_bar_a_group() -> None:
    """Three instances that lack the same writes would draw three bars over each other."""
    lost = [Loss(group, seat, 7, 1.0, 2.0) for group in ("aware", "pinned") for seat in ("redis-0", "redis-1")]

    found = [(harm.row, harm.words) for harm in harms(DrillRecord("p", losses=lost))]

    assert found == [("lost: aware", "7 lost"), ("lost: pinned", "7 lost")]
