"""The lower part: operations per 100 ms by outcome, one lane for the clients judged by and one per other group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from harness.report.buckets import merged
from harness.report.figure.frame import Frame, Trace
from harness.report.record import DrillRecord, OpsBucket
from harness.report.wording import seconds

MOST_BARS = 1500
OUTCOMES = {
    "ok": ("acknowledged", "var(--ok)", ""),
    "fail": ("failed: certainly not applied", "var(--fail)", "/"),
    "info": ("unknown: may have been applied", "var(--info)", "."),
}
TALL_PX, LOW_PX, GROUP_PX = 96.0, 44.0, 52.0


@dataclass(frozen=True, slots=True)
class Lane:
    """One y axis: whose operations, its title, its height, where it ends, whether it grows downwards, its traces."""

    group: str
    title: str
    height_px: float
    top: float
    downwards: bool
    traces: list[Trace]


def lanes(record: DrillRecord, frame: Frame) -> list[Lane]:
    """Return the lanes from the top down.

    What the drill is judged by has its failures in a lane of their own: refusals come by the thousand and would flatten
    everything. The other groups have one lane each, cut at twice what was acknowledged; a pointer shows the numbers.
    """
    found = []
    if record.ops:
        shown, width = _columns(record.ops, record, frame)
        good = max((bucket.ok for bucket in shown), default=0)
        bad = max((bucket.fail + bucket.info for bucket in shown), default=0)
        title = f"writes acked<br>per {seconds(width)}"
        found.append(
            Lane("", title, TALL_PX, good, False, _traces(shown, ("ok",), "writes", width, frame, legend=True))
        )
        lower = _traces(shown, ("fail", "info"), "writes", width, frame, legend=True)
        found.append(Lane("", "failed,<br>unknown", LOW_PX, bad, True, lower))
    for group, buckets in record.ops_by_group.items():
        if buckets:
            shown, width = _columns(buckets, record, frame)
            most = max(bucket.ok + bucket.fail + bucket.info for bucket in shown)
            good = max(bucket.ok for bucket in shown)
            traces = _traces(shown, tuple(OUTCOMES), group, width, frame, legend=not record.ops and not found)
            title = escape(group).replace(" ", "<br>", 1) if len(group) > 14 else escape(group)
            found.append(Lane(group, title, GROUP_PX, min(most, 2 * good) if good else most, False, traces))
    return found


def _columns(buckets: Sequence[OpsBucket], record: DrillRecord, frame: Frame) -> tuple[list[OpsBucket], float]:
    width = record.ops_bucket_s * -(-len(buckets) // MOST_BARS)
    return merged(buckets, frame.zero, width), width


def _traces(
    shown: Sequence[OpsBucket], outcomes: Sequence[str], group: str, width: float, frame: Frame, *, legend: bool
) -> list[Trace]:
    traces = []
    for outcome in outcomes:
        words, colour, pattern = OUTCOMES[outcome]
        some = [bucket for bucket in shown if getattr(bucket, outcome)]
        trace: Trace = {
            "type": "bar",
            "name": words,
            "legendgroup": outcome,
            "showlegend": legend,
            "x": [round(frame.x(bucket.t) + width / 2, 3) for bucket in some],
            "y": [getattr(bucket, outcome) for bucket in some],
            "width": width,
            "marker": {"color": colour, "line": {"width": 0}},
            "hovertemplate": f"<b>%{{y}} {words}</b><br>{escape(group)}, within {seconds(width)} around %{{x:+.2f}} s"
            "<extra></extra>",
        }
        if pattern:
            trace["marker"]["pattern"] = {
                "shape": pattern, "fgcolor": "var(--paper)", "bgcolor": colour, "size": 5, "solidity": 0.15,
            }  # fmt: skip
        traces.append(trace)
    return traces
