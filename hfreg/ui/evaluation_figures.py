"""Evaluation figures: one evaluation drawn — metrics with intervals, labels, curves, numbers, slices, latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from hfreg.metrics.bootstrap import Estimate
from hfreg.metrics.classification import Classification
from hfreg.metrics.evaluation import MAIN, Evaluation, Latency, Slice
from hfreg.metrics.regression import Regression
from hfreg.metrics.retrieval import Retrieval
from hfreg.ui import evaluation_charts as pictures
from hfreg.ui.charts import draw_spec
from hfreg.ui.findings import sentence
from hfreg.ui.row_table import table
from hfreg.ui.widgets import counted, milliseconds, plain

DIGITS = ".3f"


def draw(found: Evaluation, key: str) -> None:
    """Draw an evaluation."""
    st.caption(f"Measured as {found.kind}: {found.measured:,} of {counted(found.rows, 'row')} have a truth.")
    tiles(found.metrics, f"{key}.tiles")
    for note in found.notes:
        st.caption(f":material/info: {sentence(note)}")
    if isinstance(found.figures, Classification):
        _labels(found.figures, key)
    _curves(found, key)
    if isinstance(found.figures, Regression) and found.figures.points:
        _numbers(found.figures, key)
    if isinstance(found.figures, Retrieval):
        asked, by = found.figures, {"vectors": "by the cosine of vectors", "lists": "in ranked lists"}
        st.caption(f"{counted(asked.queries, 'row')} asked, {by.get(asked.by, asked.by)}; {asked.left_out:,} left out.")
    _slices(found, key)
    _latency(found.latency, found.by_status, key)


def tiles(metrics: Mapping[str, Estimate], key: str, sign: str = "") -> None:
    """Draw metrics with their intervals."""
    with st.container(horizontal=True, key=key, gap="small"):
        for name, one in metrics.items():
            st.metric(
                name[:1].upper() + name[1:],
                value(one, sign),
                between(one, sign),
                delta_color="off",
                delta_arrow="off",
                border=True,
            )
    st.caption("Under each: the 95 % interval, from resampled rows, where one is taken.")


def value(one: Estimate, sign: str = "") -> str:
    """Return a metric as it is shown."""
    if one.value is None:
        return "not defined"
    return f"{one.value:{sign}{DIGITS}}" if abs(one.value) < 1000 else f"{one.value:{sign},.4g}"


def between(one: Estimate, sign: str = "") -> str | None:
    """Return an interval as it is shown, None where there is none."""
    if one.low is None or one.high is None:
        return None
    return f"{value(Estimate(one.low), sign)} to {value(Estimate(one.high), sign)}"


def whole(one: Estimate) -> str:
    """Return a metric with its interval for a cell of a table."""
    told = between(one)
    return f"{value(one)} ({told})" if told else value(one)


def _labels(found: Classification, key: str) -> None:
    st.subheader("Labels", anchor=False)
    left, right = st.columns(2)
    with left:
        st.markdown("**Confusion matrix**")
        draw_spec(pictures.confusion_spec(found), key=f"{key}.confusion", alt="Rows by their truth and their answer")
        if max(len(found.truths), len(found.answers)) > pictures.MOST_CLASSES:
            st.caption(f"The {pictures.MOST_CLASSES} most frequent of {len(found.truths):,} labels.")
    with right:
        st.markdown("**Each label**")
        rows: list[dict[str, Any]] = [
            {
                "Label": one.label,
                "Rows": one.rows,
                "Answers": one.answers,
                "Precision": whole(one.precision),
                "Recall": whole(one.recall),
                "F1": whole(one.f1),
            }
            for one in found.labels
        ]
        table(rows, f"{key}.labels")


def _curves(found: Evaluation, key: str) -> None:
    shape, drawn = found.curves, []
    if shape is not None and shape.roc:
        area, precision = found.metrics.get("ROC area"), found.metrics.get("average precision")
        spec = pictures.curve_spec(shape.roc, "False alarms", "Recall", diagonal=True)
        drawn.append(("ROC curve", "area", area, spec))
        spec = pictures.curve_spec(shape.pr, "Recall", "Precision")
        drawn.append(("Precision and recall", "average precision", precision, spec))
    if found.calibration:
        spec = pictures.calibration_spec(found.calibration)
        drawn.append(("Calibration", "calibration error", found.metrics.get("calibration error"), spec))
    if not drawn:
        return
    st.subheader("Scores", anchor=False)
    for place, (column, (name, called, one, spec)) in enumerate(zip(st.columns(len(drawn)), drawn, strict=True)):
        with column:
            st.markdown(f"**{name}**" + ("" if one is None else f" · {called} {value(one)}"))
            draw_spec(spec, key=f"{key}.curve.{place}", alt=name)
    if found.calibration:
        st.caption("Calibration: on the dashed line a score is right as often as it says.")


def _numbers(found: Regression, key: str) -> None:
    st.subheader("Numbers", anchor=False)
    left, right = st.columns(2)
    with left:
        st.markdown("**Answer over truth**")
        draw_spec(pictures.numbers_spec(found.points), key=f"{key}.numbers", alt="Answers over truths")
    with right:
        st.markdown("**Error over truth**")
        draw_spec(pictures.numbers_spec(found.points, errors=True), key=f"{key}.errors", alt="Errors over truths")
    if len(found.points) < found.rows:
        st.caption(f"{len(found.points):,} of {counted(found.rows, 'row')}, spread over the table.")


def _slices(found: Evaluation, key: str) -> None:
    if not found.slices:
        return
    st.subheader("Slices", anchor=False)
    by_column: dict[str, list[Slice]] = {}
    for one in found.slices:
        by_column.setdefault(one.column, []).append(one)
    metric = MAIN[found.kind][0]
    for place, (column, some) in enumerate(by_column.items()):
        st.markdown(f"**{plain(column)}**")
        shown = [(one.value, one.rows, one.metrics[metric]) for one in some if metric in one.metrics]
        if any(estimate.value is not None for _, _, estimate in shown):
            spec = pictures.slices_spec(shown, metric, found.metrics[metric])
            draw_spec(spec, key=f"{key}.slice.{place}", alt=f"{metric} by {column}")
        table(_slice_rows(some), f"{key}.slices.{place}")


def _slice_rows(some: Sequence[Slice]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(name for one in some for name in one.metrics))
    return [
        {
            "Value": one.value,
            "Rows": one.rows,
            "Failed": one.failed,
            **{name: whole(one.metrics[name]) if name in one.metrics else None for name in names},
        }
        for one in some
    ]


def _latency(took: Latency, by_status: Mapping[str, int], key: str) -> None:
    st.subheader("Latency and errors", anchor=False)
    told = [("Mean", took.mean), ("p50", took.p50), ("p95", took.p95), ("p99", took.p99), ("Longest", took.longest)]
    with st.container(horizontal=True, key=f"{key}.latency", gap="small"):
        for name, ms in told:
            st.metric(name, "–" if ms is None else milliseconds(ms), border=True)
        for name, count in by_status.items():
            st.metric("Answered" if name == "ok" else f"Ended with {name}", f"{count:,}", border=True)
