"""Charts: the pictures of the Usage and Simulation pages, as Vega-Lite that the browser draws itself.

Covers calls by status over time, latency percentiles over time, how long calls took, and the hours of the week; and
how the answers of a simulation are distributed.
Streamlit's theme gives text, grid and ground in light and dark; the colours of the marks are fixed, stand out at
least 3 to 1 from both grounds, and never tell something alone: percentiles differ in their dashes too, and each mark
has a tooltip. Specifications are plain dictionaries, because making them with altair takes longer than the page may.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import streamlit as st

from hfreg.metrics import STATUSES, Bin, Bucket

Spec = dict[str, Any]
Period = tuple[datetime, datetime]

COLOURS: Mapping[str, str] = {
    "ok": "#2f7fc1",
    "error": "#d9444f",
    "timeout": "#c27a08",
    "cancelled": "#808791",
    "refused": "#9a63c8",
}
PERCENTILES: Mapping[str, tuple[str, list[int]]] = {
    "p50": ("#2f7fc1", [1, 0]),
    "p95": ("#c27a08", [6, 3]),
    "p99": ("#9a63c8", [2, 2]),
}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HEIGHT = 240
SHORTEST_MS = 0.01  # what took no measurable time still has a place on a logarithmic axis

_MS_LABEL = "datum.value >= 1000 ? format(datum.value / 1000, '~r') + ' s' : format(datum.value, '~r') + ' ms'"
_WHEN = {"field": "when", "type": "nominal", "title": "When"}
_NO_ZOOM = {"nice": False}


def calls_over_time(buckets: Sequence[Bucket], period: Period, key: str) -> Period | None:
    """Draw the calls of each bucket by status; returns the period that was drawn with the mouse, if any."""
    chosen: Any = draw_spec(
        over_time_spec(buckets, period),
        key=key,
        on_select="rerun",
        selection_mode="period",
        alt=f"Calls by status over time, {sum(sum(b.by_status.values()) for b in buckets):,} in {len(buckets)} bars",
    )
    ends = chosen["selection"].get("period", {}).get("from_ms") or ()
    if len(ends) != 2 or not all(isinstance(end, int | float) for end in ends):
        return None
    zone = period[0].tzinfo
    low, high = sorted(datetime.fromtimestamp(end / 1000, zone) for end in ends)
    return (low, high) if high > low else None


def over_time_spec(buckets: Sequence[Bucket], period: Period) -> Spec:
    """Return the specification of calls by status over time."""
    rows = [row for bucket in buckets if any(bucket.by_status.values()) for row in _stacked(bucket, period)]
    return {
        "data": {"values": rows},
        "height": HEIGHT,
        "params": [{"name": "period", "select": {"type": "interval", "encodings": ["x"]}}],
        "mark": "rect",
        "encoding": {
            "x": _time_axis("from_ms", period),
            "x2": {"field": "to_ms"},
            "y": {"field": "top", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "y2": {"field": "base"},
            "color": {
                "field": "status",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(COLOURS), "range": list(COLOURS.values())},
                "legend": {"orient": "top"},
            },
            "tooltip": [_WHEN, {"field": "status", "title": "Status"}, _count("calls")],
        },
    }


def latency_over_time(
    buckets: Sequence[Bucket], period: Period, marks: Sequence[tuple[datetime, str]], key: str
) -> None:
    """Draw p50, p95 and p99 of each bucket, and marks such as a new version where they fall into the period."""
    draw_spec(
        latency_spec(buckets, period, marks),
        key=key,
        alt="Latency percentiles p50, p95 and p99 of answered calls over time",
    )


def latency_spec(buckets: Sequence[Bucket], period: Period, marks: Sequence[tuple[datetime, str]]) -> Spec:
    """Return the specification of the percentiles over time."""
    rows = []
    for bucket in buckets:
        span = _span(bucket, period)
        for name in PERCENTILES:
            value = getattr(bucket, name)
            shown = None if value is None else max(value, SHORTEST_MS)
            rows.append({**span, "point": name, "ms": shown, "took": _took(value)})
    axis = _ms_axis([row["ms"] for row in rows if row["ms"]])
    names, looks = list(PERCENTILES), list(PERCENTILES.values())
    common: Spec = {"title": None, "type": "nominal", "legend": {"orient": "top", "symbolType": "stroke"}}
    lines = {
        "mark": {"type": "line", "point": {"size": 30 if len(buckets) < 40 else 8}, "strokeWidth": 1.5},
        "encoding": {
            "x": _time_axis("from_ms", period),
            "y": {"field": "ms", "type": "quantitative", "scale": {"type": "log"}, "axis": axis},
            "color": {"field": "point", "scale": {"domain": names, "range": [c for c, _ in looks]}, **common},
            "strokeDash": {"field": "point", "scale": {"domain": names, "range": [d for _, d in looks]}, **common},
            "tooltip": [_WHEN, {"field": "point", "title": "Percentile"}, {"field": "took", "title": "Time"}],
        },
    }
    inside = [{"at_ms": _ms(at), "label": label} for at, label in marks if period[0] <= at < period[1]]
    rules = {
        "data": {"values": inside},
        "mark": {"type": "rule", "color": "#808791", "strokeDash": [3, 3]},
        "encoding": {"x": {"field": "at_ms", "type": "temporal"}, "tooltip": [{"field": "label", "title": "Version"}]},
    }
    return {"data": {"values": rows}, "height": HEIGHT, "layer": [lines, rules] if inside else [lines]}


def latency_histogram(bins: Sequence[Bin], key: str) -> None:
    """Draw how many answered calls took how long, on a logarithmic axis."""
    draw_spec(histogram_spec(bins), key=key, alt="How many answered calls took how long, five bars a decade")


def histogram_spec(bins: Sequence[Bin]) -> Spec:
    """Return the specification of the histogram."""
    rows = [
        {
            "low": one.low_ms,
            "high": one.high_ms,
            "calls": one.calls,
            "range": f"{_took(one.low_ms)} – {_took(one.high_ms)}",
        }
        for one in bins
    ]
    axis = _ms_axis([end for one in bins for end in (one.low_ms, one.high_ms)])
    scale = {"type": "log", "domain": [bins[0].low_ms, bins[-1].high_ms] if bins else [1, 10], **_NO_ZOOM}
    return {
        "data": {"values": rows},
        "height": HEIGHT,
        "mark": {"type": "bar", "color": COLOURS["ok"], "binSpacing": 1},
        "encoding": {
            "x": {"field": "low", "type": "quantitative", "bin": {"binned": True}, "scale": scale, "axis": axis},
            "x2": {"field": "high"},
            "y": {"field": "calls", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "tooltip": [{"field": "range", "title": "Took"}, _count("calls")],
        },
    }


def hours_of_week(hours: Sequence[Sequence[int]], key: str) -> None:
    """Draw the calls of each hour of the week; an hour without calls is left empty."""
    draw_spec(hours_spec(hours), key=key, alt="Calls by weekday and hour of the day")


def hours_spec(hours: Sequence[Sequence[int]]) -> Spec:
    """Return the specification of the hours of the week."""
    rows = [
        {"day": DAYS[day], "hour": hour, "from": f"{hour:02d}:00 – {hour:02d}:59", "calls": calls}
        for day, row in enumerate(hours)
        for hour, calls in enumerate(row)
        if calls
    ]
    axis = {"title": None, "labelAngle": 0, "values": list(range(0, 24, 3)), "labelExpr": "datum.value + ':00'"}
    return {
        "data": {"values": rows},
        "height": HEIGHT,
        "mark": {"type": "rect", "cornerRadius": 2},
        "encoding": {
            "x": {
                "field": "hour",
                "type": "ordinal",
                "scale": {"domain": list(range(24)), "padding": 0.08},
                "axis": axis,
            },
            "y": {"field": "day", "type": "ordinal", "scale": {"domain": list(DAYS), "padding": 0.08}, "title": None},
            "color": {
                "field": "calls",
                "type": "quantitative",
                "title": "Calls",
                "scale": {"domainMin": 0},
                "legend": {"orient": "right"},
            },
            "tooltip": [{"field": "day", "title": "Day"}, {"field": "from", "title": "Hour"}, _count("calls")],
        },
    }


def answers(counts: Sequence[tuple[str, int]], key: str, alt: str) -> None:
    """Draw how often each answer, or each range of numbers, came; in the order given."""
    draw_spec(answers_spec(counts), key=key, alt=alt)


def answers_spec(counts: Sequence[tuple[str, int]]) -> Spec:
    """Return the specification of a bar for each answer."""
    return {
        "data": {"values": [{"answer": answer, "rows": rows} for answer, rows in counts]},
        "height": {"step": 24},
        "mark": {"type": "bar", "color": COLOURS["ok"]},
        "encoding": {
            "y": {"field": "answer", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 180}},
            "x": {"field": "rows", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "tooltip": [{"field": "answer", "type": "nominal", "title": "Answer"}, {**_count("rows"), "title": "Rows"}],
        },
    }


def draw_spec(spec: Spec, **options: Any) -> Any:
    """Draw a specification whose rows stand in `data.values`."""
    # An Arrow table as it is: turning rows into one through pandas takes Streamlit ten times as long.
    rows = pa.Table.from_pylist(spec["data"]["values"])
    return st.vega_lite_chart(rows, {k: v for k, v in spec.items() if k != "data"}, width="stretch", **options)


def _span(bucket: Bucket, period: Period) -> Spec:
    """Return where a bucket stands, cut to the period, and when that is in words."""
    start, end = max(bucket.start, period[0]), min(bucket.end, period[1])
    zone = period[0].tzinfo
    first, last = start.astimezone(zone), end.astimezone(zone)
    until = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%a %d %b %H:%M}"
    return {"from_ms": _ms(start), "to_ms": _ms(end), "when": f"{first:%a %d %b %H:%M} – {until}"}


def _stacked(bucket: Bucket, period: Period) -> list[Spec]:
    """Return the parts of one bar, the answered calls at its foot, a little narrower than the bucket."""
    span, base, parts = _span(bucket, period), 0, []
    span["to_ms"] -= (span["to_ms"] - span["from_ms"]) // 8
    for status in STATUSES:
        if count := bucket.by_status.get(status, 0):
            parts.append({**span, "status": status, "calls": count, "base": base, "top": base + count})
            base += count
    return parts


def _time_axis(field: str, period: Period) -> Spec:
    # Not `domain`: in a layered chart Vega-Lite 6 takes one and the same for two that are in conflict.
    scale = {"domainMin": {"expr": f"{_ms(period[0])}"}, "domainMax": {"expr": f"{_ms(period[1])}"}, **_NO_ZOOM}
    axis = {"title": None, "labelOverlap": True, "tickCount": 8}
    return {"field": field, "type": "temporal", "scale": scale, "axis": axis}


def _ms_axis(values: Sequence[float]) -> Spec:
    """Return the axis of durations: round ticks, three to a decade where there is room for them."""
    decades = range(math.floor(math.log10(min(values, default=1))), math.ceil(math.log10(max(values, default=10))) + 1)
    steps = (1, 2, 5) if len(decades) <= 4 else (1,)
    ticks = [round(step * 10.0**decade, 9) for decade in decades for step in steps]
    return {"title": None, "labelExpr": _MS_LABEL, "values": ticks}


def _count(field: str) -> Spec:
    return {"field": field, "type": "quantitative", "title": "Calls", "format": ","}


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _took(ms: float | None) -> str:
    """Return a duration as a tooltip says it.

    >>> _took(0.631), _took(1584.9)
    ('0.63 ms', '1.58 s')
    """
    if ms is None:
        return ""
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.2g} ms" if ms < 10 else f"{ms:.3g} ms"
