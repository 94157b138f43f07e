from __future__ import annotations

import dataclasses
import json
import math

import pytest

from harness.report.record import CheckerVerdict, DrillRecord, LimitCheck, ReportError, Window
from harness.report.wording import DATA_SET, drill_sentence, seconds
from tests.unit.report import sample


def test_a_record_becomes_json_with_every_field() -> None:
    record = sample.unplanned()

    document = json.loads(json.dumps(record.to_json(), allow_nan=False))
    assert set(document) == {field.name for field in dataclasses.fields(DrillRecord)}
    assert document["limits"] == [
        {"name": "interruption of writes", "limit_s": 30.0, "measured_s": 6.93, "held": True},
    ]


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_a_number_that_json_cannot_hold_is_refused_by_name(number: float) -> None:
    record = DrillRecord("x", windows=[Window("write", 1.0, None, number, 0.1)])

    with pytest.raises(ReportError, match=r"windows\[0\]\.duration_s is (inf|nan)"):
        record.to_json()


@pytest.mark.parametrize(
    ("limits", "verdicts", "words"),
    [
        ([], [], None),
        ([LimitCheck("writes", 30.0, 30.0)], [CheckerVerdict("lost", True, "")], None),
        ([LimitCheck("writes", 30.0, 30.001)], [], "30.00 s is more than the 30 s allowed"),
        ([LimitCheck("writes", 30.0, None)], [], "could not be measured"),
        ([], [CheckerVerdict("lost", False, "3 missing")], "lost: does not hold (3 missing)"),
        ([], [CheckerVerdict("lost", None, "no sweep")], "unknown, which is not a pass"),
        ([], [CheckerVerdict("lost", False, "3 missing", asserted=False)], None),
    ],
)
def test_a_record_tells_against_a_pass(
    limits: list[LimitCheck], verdicts: list[CheckerVerdict], words: str | None
) -> None:
    found = DrillRecord("x", limits=limits, verdicts=verdicts).contradictions

    assert bool(found) == (words is not None)
    assert words is None or words in found[0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "unplanned failover: writes stood still for 6.93 s of 30 s allowed; redis-1 took over from redis-0; no ack",
        ),
        ({"lost": 1}, "1 acknowledged write lost"),
        ({"lost": None}, "redis-1 took over from redis-0"),
        ({"new_primary": None}, "nobody took over from redis-0"),
        ({"new_primary": "redis-0"}, "redis-0 stayed primary"),
        ({"windows": ()}, "no interruption of writes was seen"),
        ({"windows": (), "acknowledged": 0}, "no write was measured"),
        (
            {"windows": (), "acknowledged": 0, "verdicts": (CheckerVerdict(DATA_SET, True, "2000 keys"),)},
            "every key survived with its value, on every instance; ",
        ),
        ({"verdicts": (CheckerVerdict(DATA_SET, False, "redis-1 lacks 3"),)}, "keys were lost or changed"),
        ({"limits": ()}, "writes stood still for 6.93 s;"),
        ({"windows": [Window("write", 1.0, None, 41.0, 0.1)]}, "41.00 s of 30 s allowed and had not come back at the"),
    ],
)
def test_a_drill_is_told_in_one_sentence(changes: dict[str, object], sentence: str) -> None:
    record = dataclasses.replace(sample.unplanned(), **changes)  # type: ignore[arg-type]

    assert sentence in drill_sentence(record)


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0042, "4 ms"), (6.934, "6.93 s"), (119.5, "119.50 s"), (185.0, "3 min 05 s")]
)
def test_durations_read_well(value: float | None, text: str) -> None:
    assert seconds(value) == text
