"""Simulation result: what came of the rows — totals, errors by kind, how the answers are distributed, rows, files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from hfreg.simulation import Simulation
from hfreg.simulation.tally import Field, Tally
from hfreg.ui import charts, evaluation, frame, session, simulation_checks
from hfreg.ui.row_table import table
from hfreg.ui.usage_numbers import seconds
from hfreg.ui.widgets import empty, milliseconds, plain, short

STATUS, WORDS = "simulation.status", "simulation.words"
MOST_ROWS, MOST_FIELDS, MOST_VALUES = 200, 6, 12
LONGEST_LABEL = 40
MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def draw(simulation: Simulation) -> None:
    """Draw what came of a simulation that stands still."""
    tally = simulation.tally
    if not tally.rows:
        empty("No row was run.")
        return
    _tiles(simulation, tally)
    _downloads(simulation)
    _errors(tally)
    _answers(tally)
    _rows(simulation, tally)
    evaluation.draw(session.registry(), simulation)


def _tiles(simulation: Simulation, tally: Tally) -> None:
    now = simulation.progress
    p50, p95 = tally.sketch.percentile(0.5), tally.sketch.percentile(0.95)
    told = [
        ("Rows", f"{tally.rows:,}", None),
        ("Answered", f"{tally.rows - tally.failed:,}", None),
        ("Without an answer", f"{tally.failed:,}", "Rows that ended with an error or ran out of time."),
        ("With warnings", f"{tally.warned:,}", None),
        ("Time", seconds(now.seconds), "Pauses left out."),
        ("Rows a second", "–" if now.rate is None else f"{now.rate:,.1f}", None),
        ("Half of the rows within", "–" if p50 is None else milliseconds(p50), "Counted in bins, to about 6 %."),
        ("95 % within", "–" if p95 is None else milliseconds(p95), "Counted in bins, to about 6 %."),
    ]
    with st.container(horizontal=True, key="simulation.tiles", gap="small"):
        for label, value, hint in told:
            st.metric(label, value, border=True, help=hint)


def _downloads(simulation: Simulation) -> None:
    stem = Path(simulation.plan.name).stem
    with st.container(horizontal=True, vertical_alignment="center"):
        for ending, words in (("csv", "Download CSV"), ("parquet", "Download Parquet")):
            st.download_button(
                words,
                partial(content, simulation, ending),  # made when it is asked for
                f"{stem}.{simulation.plan.alias}.{ending}",
                MIME[ending],
                key=f"simulation.{ending}",
                icon=":material/download:",
                on_click="ignore",
            )
        params = {"simulation": simulation.id}
        st.page_link(frame.THRESHOLDS, label="Choose a threshold", icon=":material/tune:", query_params=params)


def content(simulation: Simulation, ending: str) -> bytes:
    """Return the output table as a file."""
    with TemporaryDirectory() as folder:
        return simulation.save(Path(folder) / f"answers.{ending}").read_bytes()


def _errors(tally: Tally) -> None:
    if not tally.errors:
        return
    st.subheader("Errors", anchor=False)
    found = sorted(tally.errors.items(), key=lambda one: -one[1][0])
    rows = [
        {"Rows": count, "First in row": first, "Kind": kind, "Message": message}
        for (kind, message), (count, first) in found
    ]
    table(rows, "simulation.errors")


def _answers(tally: Tally) -> None:
    fields = [(name, counts) for name, field in tally.fields.items() if (counts := _counts(field))]
    if not fields:
        return
    st.subheader("Answers", anchor=False)
    sides = st.columns(2) if len(fields) > 1 else [st.container()]
    for place, (name, counts) in enumerate(fields[:MOST_FIELDS]):
        with sides[place % len(sides)]:
            st.markdown(f"**{plain(name)}**")
            numbers = tally.fields[name].numbers
            if numbers.count and numbers.mean is not None:
                st.caption(plain(f"{numbers.low:.4g} to {numbers.high:.4g}, mean {numbers.mean:.4g}"))
            charts.answers(counts, f"simulation.answers.{place}", f"How often each answer of {name} came")
    if len(fields) > MOST_FIELDS:
        st.caption(f"The first {MOST_FIELDS} of {len(fields)} fields.")


def _counts(field: Field) -> list[tuple[str, int]]:
    """Return the bars of a field: the most frequent texts, or the ranges of its numbers."""
    found = sorted(field.values.items(), key=lambda one: -one[1])
    counts = [(short(text, LONGEST_LABEL) or "(empty)", rows) for text, rows in found[:MOST_VALUES]]
    if rest := sum(rows for _, rows in found[MOST_VALUES:]):
        counts.append((f"{len(found) - MOST_VALUES:,} more", rest))
    bars = field.numbers.bars()
    if bars and field.numbers.low == field.numbers.high:
        return [*counts, (f"{field.numbers.low:.4g}", field.numbers.count)]
    step = -(-len(bars) // MOST_VALUES) or 1
    for at in range(0, len(bars), step):
        part = bars[at : at + step]
        low, high = f"{part[0][0]:.4g}", f"{part[-1][1]:.4g}"
        label = low if low == high else f"{low} – {high}"  # bins of whole numbers are narrower than what is written
        counts.append((label, sum(rows for _, _, rows in part)))
    return counts


def _rows(simulation: Simulation, tally: Tally) -> None:
    st.subheader("Rows", anchor=False)
    known = [name for name in ("ok", "error", "timeout") if name in tally.by_status]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        status = st.segmented_control(
            "Status",
            known,
            format_func=lambda name: f"{name} {tally.by_status[name]:,}",
            key=STATUS,
        )
        words = st.text_input("With the words", key=WORDS, width=320)
    found = simulation.find(status or "", words or "", MOST_ROWS + 1)
    if not found:
        st.text("No row is like that.")
        return
    simulation_checks.draw(
        simulation, table(found[:MOST_ROWS], f"simulation.rows.{status}.{words}", chosen=True), found
    )
    if len(found) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS}; the files have all of them.")


def forget_filters() -> None:
    """Begin without a filter when another simulation is opened."""
    session.drop(STATUS, WORDS)
