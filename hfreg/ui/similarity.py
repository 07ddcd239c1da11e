"""Similarity: a vector as its figures and a histogram, and how near the vector of a second text is.

The second text goes through the same model with the other arguments as they were; what runs it is given by the page.
"""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import streamlit as st

from hfreg.ui import live, session, shapes
from hfreg.ui.findings import sentence
from hfreg.ui.runs import LiveRun

Ask = Callable[[str], LiveRun]
BINS = 24


def draw(vector: shapes.Vector, key: str, ask: Ask | None = None) -> None:
    """Draw a vector; with `ask`, a field for a second text as well."""
    length, norm = st.columns(2)
    length.metric("Length", f"{len(vector.numbers):,}")
    norm.metric("Norm", f"{vector.norm:.4g}")
    low, high = min(vector.numbers), max(vector.numbers)
    st.caption(f"Its numbers go from {low:.3g} to {high:.3g}; how many of them lie where:")
    _bars(histogram(vector.numbers))
    if ask is not None:
        _second(vector, key, ask)


def histogram(numbers: tuple[float, ...], bins: int = BINS) -> list[dict[str, float]]:
    """Count the numbers in bins of one width."""
    low, high = min(numbers), max(numbers)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for number in numbers:
        counts[min(bins - 1, int((number - low) / width))] += 1
    return [{"from": low + i * width, "to": low + (i + 1) * width, "numbers": count} for i, count in enumerate(counts)]


def _bars(bins: list[dict[str, float]]) -> None:
    bars = alt.Chart(alt.InlineData(values=bins)).mark_bar(binSpacing=1)
    place = alt.X("from:Q", bin="binned", title=None, axis=alt.Axis(format=".2~g", tickCount=6))
    shown = [alt.Tooltip(f"{name}:Q", format=".3~g") for name in ("from", "to", "numbers")]
    chart = bars.encode(x=place, x2="to:Q", y=alt.Y("numbers:Q", title=None), tooltip=shown)
    st.altair_chart(chart.properties(height=150), width="stretch")


def _second(vector: shapes.Vector, key: str, ask: Ask) -> None:
    """Draw the field for a second text and, once it has an answer, the cosine of both."""

    def compare() -> None:
        text = session.get(f"{key}.text")
        if text and session.get(f"{key}.second", _NONE)[:2] != (vector, text):  # Enter, then a click, is one question
            session.put(f"{key}.second", (vector, text, ask(text)))

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Compare with a second text", key=f"{key}.text", on_change=compare)
        st.button("Compare", key=f"{key}.compare", on_click=compare)
    first, _, run = session.get(f"{key}.second", _NONE)
    if run is None or first != vector:
        return
    if not live.settle(run):
        live.follow(run, f"{key}.second_live")
        return
    outcome = run.outcome
    if outcome is None or outcome.error is not None:
        st.error(sentence(str(outcome.error if outcome else "The second text has no answer.")))
        return
    other = shapes.shape_of(outcome.value)
    cosine = shapes.cosine(vector.numbers, other.numbers) if isinstance(other, shapes.Vector) else None
    if cosine is None:
        st.warning("The second answer is no vector of this length, so that there is nothing to compare.")
    else:
        st.metric("Cosine similarity, from −1 to 1", f"{cosine:.4f}")


_NONE: tuple[None, str, LiveRun | None] = (None, "", None)
