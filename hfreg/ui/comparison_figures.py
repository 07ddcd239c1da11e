"""Comparison figures: runs beside each other — metrics, tests in words, latency and memory, rows answered otherwise."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import Any

import streamlit as st

from hfreg.metrics.comparison import KEPT, McNemar, Pair
from hfreg.metrics.run_comparison import RunComparison
from hfreg.store.calls import csv_cell
from hfreg.ui import evaluation_figures as figures
from hfreg.ui.findings import sentence
from hfreg.ui.row_table import table
from hfreg.ui.usage_numbers import seconds
from hfreg.ui.widgets import counted, milliseconds, plain, size

CHANCE = 0.05


def draw(made: RunComparison, key: str) -> None:
    """Draw a comparison."""
    first = made.found.evaluations[0]
    measured = f"{first.measured:,} of {counted(first.rows, 'row')} have a truth in {plain(made.asked.truth)}"
    st.caption(f"Measured as {first.kind}: {measured}. The champion is {plain(made.runs[0].name)}.")
    st.subheader("Metrics", anchor=False)
    table(metric_rows(made), f"{key}.metrics")
    st.caption("In brackets: the 95 % interval, from resampled rows.")
    for note in dict.fromkeys(note for one in made.found.evaluations for note in one.notes):
        st.caption(f":material/info: {sentence(note)}")
    st.subheader("Against the champion", anchor=False)
    for place, pair in enumerate(made.found.pairs):
        _pair(pair, f"{key}.pair.{place}")
    if len(made.found.pairs) > 1:
        st.caption("Each challenger is tested for itself; the more there are, the likelier one stands out by chance.")
    st.subheader("Latency and memory", anchor=False)
    table(cost_rows(made), f"{key}.costs")
    st.caption("Memory: what the model took when this was compared, where it was loaded then.")
    _disagreements(made, key)


def metric_rows(made: RunComparison) -> list[dict[str, Any]]:
    """Return a row for each metric, a column for each run."""
    found = made.found.evaluations
    names = dict.fromkeys(name for one in found for name in one.metrics)
    return [
        {
            "Metric": name,
            **{
                run.name: figures.whole(one.metrics[name]) if name in one.metrics else None
                for run, one in zip(made.runs, found, strict=True)
            },
        }
        for name in names
    ]


def cost_rows(made: RunComparison) -> list[dict[str, Any]]:
    """Return a row for each run: how long its rows took, how many failed, what its model took."""
    rows = []
    for run, one in zip(made.runs, made.found.evaluations, strict=True):
        took = {"p50": one.latency.p50, "p95": one.latency.p95, "p99": one.latency.p99}
        rows.append(
            {
                "Run": run.name,
                **{name: None if ms is None else milliseconds(ms) for name, ms in took.items()},
                "Without an answer": one.rows - one.by_status.get("ok", 0),
                "Whole run": seconds(run.seconds),
                "Memory": "not loaded" if run.memory_bytes is None else size(run.memory_bytes),
            }
        )
    return rows


def _pair(pair: Pair, key: str) -> None:
    st.markdown(f"**{plain(pair.challenger)}** less **{plain(pair.champion)}**")
    figures.tiles(pair.differences, key, "+")
    for told in words(pair):
        st.markdown(told)


def words(pair: Pair) -> list[str]:
    """Return what the paired tests say, as sentences."""
    said = []
    apart = [n for n, one in pair.differences.items() if one.low is not None and one.high is not None]
    sure = [n for n in apart if not pair.differences[n].low <= 0 <= pair.differences[n].high]  # type: ignore[operator]
    if sure:
        said.append(
            f"The interval of {', '.join(map(plain, sure))} leaves out 0: such a difference is hardly by chance."
        )
    elif apart:
        said.append("Each interval has 0 in it: these rows do not show that the two differ.")
    return said + ([_tested(pair.test)] if pair.test is not None else [])


def _tested(test: McNemar) -> str:
    alone = (
        f"{counted(test.only_champion, 'row')} only the champion got right, "
        f"{counted(test.only_challenger, 'row')} only the challenger."
    )
    if not test.only_champion + test.only_challenger:
        return "Both got the same rows right, so there is nothing to test."
    how = "counted exactly" if test.exact else "by chi-square"
    better = "challenger" if test.only_challenger > test.only_champion else "champion"
    verdict = f"that the {better} is right more often is hardly by chance"
    verdict = verdict if test.p < CHANCE else "the difference may well be by chance"
    return f"{alone} McNemar's test, {how}: p = {test.p:.3g}; {verdict}."


def _disagreements(made: RunComparison, key: str) -> None:
    st.subheader("Rows that were not answered alike", anchor=False)
    if not made.found.disagreements:
        told = "Ranked answers are not held against each other row by row."
        retrieval = made.found.evaluations[0].kind == "retrieval"
        st.text(told if retrieval else "Every row was answered alike.")
        return
    rows = apart_rows(made)
    table(rows, f"{key}.apart")
    if made.found.disagreeing > KEPT:
        st.caption(f"{KEPT} of {counted(made.found.disagreeing, 'row')}.")
    st.download_button(
        "Download rows as CSV",
        partial(as_csv, rows),
        f"{made.table}.disagreements.csv",
        "text/csv",
        key=f"{key}.csv",
        icon=":material/download:",
        on_click="ignore",
    )


def apart_rows(made: RunComparison) -> list[dict[str, Any]]:
    """Return the rows apart: number from 1, truth, what each run answered, and the inputs."""
    rows = []
    for one, inputs in made.apart():
        answers = {run.name: answer for run, answer in zip(made.runs, one.answers, strict=True)}
        taken = {"row", "truth", *answers}
        named = {f"input.{k}" if k in taken else k: v for k, v in inputs.items() if k != made.asked.truth}
        rows.append({"row": one.row + 1, "truth": one.expected, **answers, **named})
    return rows


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as CSV in which no cell is a formula to a spreadsheet."""
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text)
    writer.writerow([csv_cell(name) for name in names])
    writer.writerows([csv_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue().encode("utf-8", "replace")
