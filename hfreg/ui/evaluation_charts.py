"""Evaluation charts: confusion matrix, ROC and precision–recall curves, calibration, numbers, and metrics by slice.

Specifications are plain dictionaries, drawn as `hfreg.ui.charts` draws all; a tooltip tells what each mark stands for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hfreg.metrics.bootstrap import Estimate
from hfreg.metrics.classification import Classification
from hfreg.metrics.curves import Bar
from hfreg.ui.charts import COLOURS, Spec
from hfreg.ui.widgets import short

HEIGHT, MOST_CLASSES, LONGEST = 260, 20, 24
TINTS = ["#dbe9f6", "#1f5f96"]
"""Of none and of all; the numbers in them are told apart from each in light and dark alike."""
Points = Sequence[tuple[float, float]]
_ONE: Spec = {"domain": [0, 1], "nice": False}
_DIAGONAL: Spec = {
    "data": {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]},
    "mark": {"type": "line", "color": COLOURS["cancelled"], "strokeDash": [4, 4], "strokeWidth": 1},
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


def _cells(found: Classification) -> tuple[list[Spec], int]:
    """Return the cells of the most frequent labels, and how many answers that are."""
    often = [sum(row) for row in found.matrix]
    truths = sorted(sorted(range(len(often)), key=lambda i: -often[i])[:MOST_CLASSES])
    given = [sum(row[j] for row in found.matrix) for j in range(len(found.answers))]
    answers = sorted(sorted(range(len(given)), key=lambda j: -given[j])[:MOST_CLASSES])
    rows = [
        {
            "truth": short(found.truths[i], LONGEST),
            "answer": short(found.answers[j], LONGEST),
            "rows": found.matrix[i][j],
            "share": found.matrix[i][j] / often[i] if often[i] else 0.0,
        }
        for i in truths
        for j in answers
    ]
    return rows, len(answers)


def confusion_spec(found: Classification) -> Spec:
    """Return the confusion matrix of the most frequent labels: rows of the truth, columns of answers."""
    rows, answers = _cells(found)
    y = {"field": "truth", "type": "nominal", "sort": None, "title": "Truth", "axis": {"labelLimit": 120}}
    x = {
        "field": "answer",
        "type": "nominal",
        "sort": None,
        "title": "Answer",
        "axis": {"labelAngle": 0, "orient": "top"},
    }
    if answers > 6:
        x["axis"] = {"labelAngle": -45, "orient": "bottom", "labelLimit": 100}
    shade = {"field": "share", "type": "quantitative", "scale": {"domain": [0, 1], "range": TINTS}, "legend": None}
    told = [
        {"field": "truth", "type": "nominal", "title": "Truth"},
        {"field": "answer", "type": "nominal", "title": "Answer"},
        {"field": "rows", "type": "quantitative", "title": "Rows", "format": ","},
        {"field": "share", "type": "quantitative", "title": "Of this truth", "format": ".1%"},
    ]
    cells = {"mark": "rect", "encoding": {"color": shade, "tooltip": told}}
    ink = {"condition": {"test": "datum.share > 0.65", "value": "white"}, "value": "#12283d"}
    numbers = {
        "mark": {"type": "text", "fontSize": 13, "fontWeight": 600},
        "encoding": {
            "text": {"field": "rows", "type": "quantitative", "format": ","},
            "color": ink,
            "tooltip": told,
        },
    }
    return {
        "data": {"values": rows},
        "height": {"step": 34},
        "encoding": {"x": x, "y": y},
        "layer": [cells, numbers] if answers <= 12 else [cells],
    }


def curve_spec(points: Points, across: str, up: str, *, diagonal: bool = False) -> Spec:
    """Return a curve of shares over shares; the diagonal is what chance alone would give."""
    rows = [{"place": i, across: round(x, 5), up: round(y, 5)} for i, (x, y) in enumerate(points)]
    line = {
        "mark": {"type": "line", "color": COLOURS["ok"], "strokeWidth": 2},
        "encoding": {
            "x": _share(across),
            "y": _share(up),
            "order": {"field": "place", "type": "quantitative"},
            "tooltip": [_figure(across), _figure(up)],
        },
    }
    return {"data": {"values": rows}, "height": HEIGHT, "layer": [_DIAGONAL, line] if diagonal else [line]}


def calibration_spec(bars: Sequence[Bar]) -> Spec:
    """Return how often rows of about one score were right; on the diagonal the score is what it says."""
    rows = [{"score": round(b.score, 5), "share": round(b.share, 5), "rows": b.rows} for b in bars if b.rows]
    told = [_figure("score", "Mean score"), _figure("share", "Share"), {**_figure("rows", "Rows"), "format": ","}]
    line = {
        "mark": {"type": "line", "color": COLOURS["ok"], "strokeWidth": 2, "point": {"size": 60}},
        "encoding": {"x": _share("score", "Mean score"), "y": _share("share", "Share that is so"), "tooltip": told},
    }
    return {"data": {"values": rows}, "height": HEIGHT, "layer": [_DIAGONAL, line]}


def numbers_spec(points: Points, *, errors: bool = False) -> Spec:
    """Return answers over truths, or with `errors` the answer less the truth over the truth."""
    rows = [{"truth": t, "value": p - t if errors else p} for t, p in points]
    ends = [0.0, 0.0] if errors else [min(t for t, _ in points), max(t for t, _ in points)]
    across = [min(t for t, _ in points), max(t for t, _ in points)]
    scale: Spec = {"zero": False}
    dots = {
        "mark": {"type": "point", "filled": True, "color": COLOURS["ok"], "opacity": 0.6, "size": 30},
        "encoding": {
            "x": {"field": "truth", "type": "quantitative", "title": "Truth", "scale": scale},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": "Answer less truth" if errors else "Answer",
                "scale": scale,
            },
            "tooltip": [
                {"field": "truth", "type": "quantitative", "title": "Truth"},
                {"field": "value", "type": "quantitative", "title": "Error" if errors else "Answer"},
            ],
        },
    }
    line = {
        **_DIAGONAL,
        "data": {"values": [{"x": x, "y": y} for x, y in zip(across, ends, strict=True)]},
    }
    return {"data": {"values": rows}, "height": HEIGHT, "layer": [line, dots]}


def slices_spec(slices: Sequence[tuple[str, int, Estimate]], metric: str, whole: Estimate) -> Spec:
    """Return a metric for each slice with its interval; the dashed line is the metric of all rows."""
    rows: list[Mapping[str, Any]] = [
        {
            "slice": short(name, 40) or "(empty)",
            "value": one.value,
            "low": one.value if one.low is None else one.low,
            "high": one.value if one.high is None else one.high,
            "rows": count,
        }
        for name, count, one in slices
        if one.value is not None
    ]
    y = {"field": "slice", "type": "nominal", "sort": None, "title": None, "axis": {"labelLimit": 180}}
    told = [
        {"field": "slice", "type": "nominal", "title": "Slice"},
        {"field": "rows", "type": "quantitative", "title": "Rows", "format": ","},
        _figure("value", metric),
        _figure("low", "from"),
        _figure("high", "to"),
    ]
    x = {"field": "value", "type": "quantitative", "title": metric, "scale": {"zero": False}}
    ends = {"x": {**x, "field": "low"}, "x2": {"field": "high"}}
    layers: list[Spec] = [
        {"mark": {"type": "rule", "color": COLOURS["ok"], "strokeWidth": 2}, "encoding": {**ends, "tooltip": told}},
        {
            "mark": {"type": "point", "filled": True, "size": 80, "color": COLOURS["ok"], "opacity": 1},
            "encoding": {"x": x, "tooltip": told},
        },
    ]
    if whole.value is not None:
        layers.append(
            {
                "data": {"values": [{"all": whole.value}]},
                "mark": {"type": "rule", "color": COLOURS["cancelled"], "strokeDash": [4, 4]},
                "encoding": {
                    "x": {"field": "all", "type": "quantitative"},
                    "y": {"value": 0},
                    "y2": {"value": "height"},
                },
            }
        )
    return {"data": {"values": rows}, "height": {"step": 30}, "encoding": {"y": y}, "layer": layers}


def _share(field: str, title: str = "") -> Spec:
    return {"field": field, "type": "quantitative", "title": title or field, "scale": _ONE}


def _figure(field: str, title: str = "") -> Spec:
    return {"field": field, "type": "quantitative", "title": title or field, "format": ".3f"}
