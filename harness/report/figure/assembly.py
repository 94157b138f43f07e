"""Puts the lanes of a drill together: one shared time axis, rows of bars above, operations below."""

from __future__ import annotations

from typing import Any

from harness.report.axis import Axis, axis_of
from harness.report.figure import events, operations, shading, states
from harness.report.figure.frame import INK, PAPER, QUIET, RULE, Frame, Rows
from harness.report.record import DrillRecord

ROW_PX, GAP_PX, TOP_PX, BOTTOM_PX, LEFT_PX = 23.0, 13.0, 46.0, 84.0, 138


def figure(record: DrillRecord) -> dict[str, Any] | None:
    """Return the drill's figure as Plotly takes it (`data`, `layout`), None when there is nothing to be drawn."""
    zero = record.zero
    if zero is None or not (record.ops or record.roles or record.sentinel_events):
        return None
    axis = axis_of(record, zero)
    frame = Frame(zero, axis, _last(record, zero, axis))
    rows = Rows()
    data = [
        *events.phases(record, frame, rows),
        *states.faults(record, frame, rows),
        *states.roles(record, frame, rows),
        *states.harm(record, frame, rows),
        *states.services(record, frame, rows),
        *events.names(record, frame, rows),
    ]
    at = events.sentinel_rows(record, rows)
    data += [*states.views(record, frame, at), *events.sentinel_events(record, frame, at)]
    lanes = operations.lanes(record, frame)
    for number, lane in enumerate(lanes, start=2):
        data += [{**trace, "yaxis": f"y{number}"} for trace in lane.traces]
    return {"data": data, "layout": _layout(record, frame, rows, lanes)}


def _last(record: DrillRecord, zero: float, axis: Axis) -> float:
    """Return the last instant that anything is known of, in seconds since the fault."""
    known = [bucket.t + record.ops_bucket_s for bucket in record.ops]
    known += [span.end for spans in record.roles.values() for span in spans]
    known += [event.at for event in record.sentinel_events]
    known += [fault.healed_at for fault in record.faults if fault.healed_at is not None]
    return round(max(known, default=zero + axis.end) - zero, 3)


def _layout(record: DrillRecord, frame: Frame, rows: Rows, lanes: list[operations.Lane]) -> dict[str, Any]:
    heights = [rows.depth * ROW_PX, *(lane.height_px for lane in lanes)]
    plot = sum(heights) + GAP_PX * len(lanes)
    layout: dict[str, Any] = {
        "height": round(plot + TOP_PX + BOTTOM_PX),
        "margin": {"l": LEFT_PX, "r": 12, "t": TOP_PX, "b": BOTTOM_PX},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "font": {"color": INK, "size": 11},
        "barmode": "stack",
        "bargap": 0,
        "hovermode": "closest",
        "dragmode": "zoom",
        "legend": {
            "orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "groupclick": "togglegroup",
            "itemsizing": "constant",
            "font": {"size": 11}, "tracegroupgap": 0,
        },
        "shapes": shading.shapes(record, frame, lanes),
        "annotations": shading.notes(record, frame) if lanes else [],
        "updatemenus": [_ranges(frame)],
        "xaxis": {
            "anchor": f"y{len(lanes) + 1}" if lanes else "y",
            "range": [round(frame.axis.start, 3), round(frame.axis.end, 3)],
            "tickformat": "+~g", "ticksuffix": " s", "nticks": 14,
            "gridcolor": RULE, "zeroline": False,
            "showspikes": True, "spikemode": "across", "spikesnap": "cursor", "spikethickness": 1, "spikecolor": QUIET,
            "spikedash": "dot",
        },
    }  # fmt: skip
    top = 1.0
    for number, height in enumerate(heights):
        bottom = max(top - height / plot, 0.0)
        domain = [round(bottom, 5), round(top, 5)]
        layout["yaxis" if number == 0 else f"yaxis{number + 1}"] = (
            _upper(rows, domain) if number == 0 else _lower(lanes[number - 1], domain)
        )
        top = bottom - GAP_PX / plot
    return layout


def _upper(rows: Rows, domain: list[float]) -> dict[str, Any]:
    return {
        "domain": domain, "range": [-rows.depth, 0], "fixedrange": True, "showgrid": False, "zeroline": False,
        "tickmode": "array", "tickvals": rows.middles, "ticktext": rows.labels,
    }  # fmt: skip


def _lower(lane: operations.Lane, domain: list[float]) -> dict[str, Any]:
    top = lane.top * 1.05 or 1
    return {
        "domain": domain, "range": [top, 0] if lane.downwards else [0, top], "fixedrange": True, "gridcolor": RULE,
        "zerolinecolor": QUIET, "nticks": 3, "rangemode": "nonnegative",
        "title": {"text": lane.title, "font": {"size": 11}}, "automargin": False,
    }  # fmt: skip


def _ranges(frame: Frame) -> dict[str, Any]:
    """Return the two buttons that choose what part of the drill is shown."""
    near = [round(frame.axis.start, 3), round(frame.axis.end, 3)]
    everything = [round(frame.axis.start, 3), frame.last]
    return {
        "type": "buttons", "direction": "right", "showactive": False,
        "x": 0, "xanchor": "left", "y": 1, "yanchor": "bottom",
        "pad": {"b": 6, "t": 0, "l": 0, "r": 0}, "bgcolor": PAPER, "bordercolor": RULE, "font": {"size": 11},
        "buttons": [
            {"label": label, "method": "relayout", "args": [{"xaxis.range": shown}]}
            for label, shown in (("until well again", near), ("whole drill", everything))
        ],
    }  # fmt: skip
