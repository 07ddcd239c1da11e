"""Threshold chart: precision, recall and F1 over the threshold, and the cost; with the pick and the value of now."""

from __future__ import annotations

from typing import Any

import streamlit as st

from hfreg.metrics.threshold_sweep import ThresholdSweep
from hfreg.ui.charts import COLOURS, PERCENTILES, Spec, draw_spec

MEASURES = {"precision": "precision", "recall": "recall", "F1": "f1"}
HEIGHT, COST_HEIGHT = 220, 120


def draw(found: ThresholdSweep, threshold: float, key: str) -> None:
    """Draw both charts."""
    now = found.about.now
    alt = f"Precision, recall and F1 over the threshold; the pick is {threshold:g}"
    draw_spec(measures_spec(found, threshold), key=key, alt=alt)
    dashed = "" if now is None else f", the dashed one {now:g}, the value of this simulation"
    st.caption(f"Cost over the threshold. The solid line is the pick{dashed}.")
    draw_spec(cost_spec(found, threshold), key=f"{key}.cost", alt="Cost over the threshold")


def measures_spec(found: ThresholdSweep, threshold: float) -> Spec:
    """Return the specification of precision, recall and F1."""
    rows = [
        {"threshold": at.threshold, "measure": name, "value": getattr(at, field)}
        for at in found.sweep.points
        for name, field in MEASURES.items()
        if getattr(at, field) is not None
    ]
    looks = list(PERCENTILES.values())
    common: Spec = {"title": None, "type": "nominal", "legend": {"orient": "top", "symbolType": "stroke"}}
    names = list(MEASURES)
    lines = {
        "mark": _mark(found),
        "encoding": {
            "x": _threshold_axis(),
            "y": {"field": "value", "type": "quantitative", "title": None, "scale": {"domain": [0, 1]}},
            "color": {"field": "measure", "scale": {"domain": names, "range": [c for c, _ in looks]}, **common},
            "strokeDash": {"field": "measure", "scale": {"domain": names, "range": [d for _, d in looks]}, **common},
            "tooltip": [
                {"field": "threshold", "type": "quantitative", "title": "Threshold", "format": ".4"},
                {"field": "measure", "type": "nominal", "title": "Measure"},
                {"field": "value", "type": "quantitative", "title": "Value", "format": ".3f"},
            ],
        },
    }
    return {"data": {"values": rows}, "height": HEIGHT, "layer": [lines, *_rules(found, threshold)]}


def cost_spec(found: ThresholdSweep, threshold: float) -> Spec:
    """Return the specification of the cost."""
    rows = [{"threshold": at.threshold, "cost": float(at.cost)} for at in found.sweep.points]
    line = {
        "mark": {**_mark(found), "color": COLOURS["error"]},
        "encoding": {
            "x": _threshold_axis(),
            "y": {"field": "cost", "type": "quantitative", "title": None},
            "tooltip": [
                {"field": "threshold", "type": "quantitative", "title": "Threshold", "format": ".4"},
                {"field": "cost", "type": "quantitative", "title": "Cost", "format": ","},
            ],
        },
    }
    return {"data": {"values": rows}, "height": COST_HEIGHT, "layer": [line, *_rules(found, threshold)]}


def _mark(found: ThresholdSweep) -> dict[str, Any]:
    """Return lines: up to each score what it comes to; between few runs nothing is known, so there with points."""
    line = {"type": "line", "strokeWidth": 1.5}
    return {**line, "point": {"size": 40}} if found.rerun else {**line, "interpolate": "step-before"}


def _threshold_axis() -> Spec:
    return {"field": "threshold", "type": "quantitative", "title": "Threshold", "scale": {"zero": False, "nice": False}}


def _rules(found: ThresholdSweep, threshold: float) -> list[Spec]:
    marks = [(threshold, [1, 0])] + ([] if found.about.now is None else [(found.about.now, [4, 4])])
    return [
        {
            "data": {"values": [{"at": at}]},
            "mark": {"type": "rule", "color": COLOURS["cancelled"], "strokeWidth": 2, "strokeDash": dash},
            "encoding": {"x": {"field": "at", "type": "quantitative"}},
        }
        for at, dash in marks
    ]
