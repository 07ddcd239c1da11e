"""Answers: what became of a call, drawn by what it is.

    answers.draw(outcome, version.definition, "playground.answer")

A label with bars for its scores, text, a table, a map as rows, a vector, a large number; the JSON of it behind a
switch. Then one line that says how it came about, printed text, warnings with their fix, notes, and for an error the
lines of the scoring logic it happened in. What shape an answer has is decided in `hfreg.ui.shapes`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from hfreg.definition import Definition
from hfreg.engine import Outcome
from hfreg.errors import ScoringError
from hfreg.ui import shapes, similarity
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import STATE_COLOURS, milliseconds, plain

MAX_BARS = 20
MAX_ROWS = 1_000
MAX_CELL = 500
MAX_SHOWN = 50_000
"""Characters of a text or of JSON that a page shows; the file to download has all of it."""
AROUND = 3
"""Lines of scoring logic that are shown before and after one in which an error happened."""


def draw(outcome: Outcome, definition: Definition, key: str, ask: similarity.Ask | None = None) -> None:
    """Draw an Outcome with everything that belongs to it; `ask` runs a second text, to compare vectors."""
    with st.container(key=key):
        if outcome.error is not None:
            error(outcome, definition)
        else:
            value(outcome.value, key, ask)
        st.caption(provenance(outcome))
        _remarks(outcome)
        if outcome.ok and outcome.value is not None:
            _raw(outcome.value, definition.alias, key)


def value(answer: Any, key: str, ask: similarity.Ask | None = None) -> None:
    """Draw an answer by its shape."""
    shape = shapes.shape_of(answer)
    if isinstance(shape, shapes.Nothing):
        st.markdown("### :gray[No answer (None)]")
    elif isinstance(shape, shapes.Label):
        _label(shape)
    elif isinstance(shape, shapes.Scalar):
        st.metric("Answer", shape.text, label_visibility="collapsed")
    elif isinstance(shape, shapes.Text):
        _text(shape, key)
    elif isinstance(shape, shapes.Vector):
        similarity.draw(shape, key, ask)
    elif isinstance(shape, shapes.Table):
        _table(shape)
    elif isinstance(shape, shapes.Rows):
        _rows(shape.pairs)
    else:
        st.code(as_json(answer)[:MAX_SHOWN], language="json", wrap_lines=True)


def error(outcome: Outcome, definition: Definition) -> None:
    """Draw what stands in place of an answer, the lines of the scoring logic marked."""
    said = str(outcome.error)
    head, _, trace = said.partition("\n  line ")
    message = "  \n".join(sentence(line) for line in head.splitlines())
    if outcome.status == "cancelled":
        st.info(message, icon=":material/stop_circle:")
        return
    st.error(message, icon=":material/timer_off:" if outcome.status == "timeout" else ":material/error:")
    if isinstance(outcome.error, ScoringError):
        lines = [int(number) for number in re.findall(r"^  line (\d+)", f"\n  line {trace}", re.MULTILINE)]
        if outcome.error.line is not None:
            lines.append(outcome.error.line)
        if excerpt := marked(definition.scoring_logic, lines):
            st.code(excerpt, language=None)


def marked(source: str, lines: list[int]) -> str:
    """Return the lines of a source around some of its lines, numbered, those marked with ▶.

    >>> print(marked("a = 1\\nreturn b", [2]))
        1  a = 1
    ▶   2  return b
    """
    written = source.splitlines()
    wanted = {line for line in lines if 1 <= line <= len(written)}
    near = sorted({n for line in wanted for n in range(line - AROUND, line + AROUND + 1) if 1 <= n <= len(written)})
    shown: list[str] = []
    for place, number in enumerate(near):
        if place and near[place - 1] != number - 1:
            shown.append("  …")
        shown.append(f"{'▶' if number in wanted else ' '} {number:>3}  {written[number - 1]}")
    return "\n".join(shown)


def provenance(outcome: Outcome) -> str:
    """Say in one line how an answer came about: cold or warm, where the time went, version, pins, tier."""
    timings = outcome.timings
    parts = [("load " + milliseconds(timings.load_ms))] if timings.load_ms else []
    parts += [
        f"model {milliseconds(timings.run_ms)}",
        f"platform {milliseconds(timings.platform_ms)}",
        f"queue {milliseconds(timings.queue_ms)}",
    ]
    words = ["cold" if outcome.cold else "warm"] if timings.run_ms else []
    words.append(f"**{milliseconds(timings.total_ms)}** ({', '.join(parts)})")
    if outcome.version:
        colour = next((c for state, c in STATE_COLOURS.items() if state == outcome.state), "gray")
        words.append(f"version {outcome.version} :{colour}-badge[{outcome.state}]")
    else:
        words.append("not saved")
    words += [f"pinned {commit}" for commit in pins(outcome.pins)]
    words.append(outcome.tier)
    return " · ".join(words)


def pins(pinned: Mapping[str, str], most: int = 2) -> list[str]:
    """Return the pins of a call, short: the repository where there is more than one."""
    short = {repo: plain(commit.removeprefix("sha256:")[:7]) for repo, commit in pinned.items()}
    if len(short) == 1:
        return list(short.values())
    named = [f"{plain(repo)} {commit}" for repo, commit in list(short.items())[:most]]
    return [*named, f"{len(short) - most} more"] if len(short) > most else named


def as_json(answer: Any) -> str:
    """Return an answer as JSON text; a moment as ISO 8601."""
    return json.dumps(answer, ensure_ascii=False, indent=2, default=datetime.isoformat)


def _label(shape: shapes.Label) -> None:
    if len(shape.label) <= shapes.SHORT:
        st.metric(plain(shape.name), plain(shape.label))
    else:
        st.markdown(f"### {plain(shape.label)}")
    for name, score in shape.scores[:MAX_BARS]:
        st.progress(score, text=f"{plain(name)} · **{score:.4g}**")
    if len(shape.scores) > MAX_BARS:
        st.caption(f"and {len(shape.scores) - MAX_BARS} more")
    if shape.rest:
        _rows(shape.rest)


def _text(shape: shapes.Text, key: str) -> None:
    if not shape.text.strip():
        st.markdown(":gray[A text of nothing but blanks]" if shape.text else "### :gray[Empty text]")
    elif shape.short:
        st.markdown(f"### {plain(shape.text)}")
    else:
        st.text(shape.text[:MAX_SHOWN], width="stretch")
    if len(shape.text) > MAX_SHOWN:
        st.caption(f"The first {MAX_SHOWN:,} of {len(shape.text):,} characters; Raw JSON offers all of them as a file.")
    with st.popover("Copy", type="tertiary", icon=":material/content_copy:", key=f"{key}.copy"):
        st.code(shape.text[:MAX_SHOWN], language=None, wrap_lines=True)


def _rows(pairs: Mapping[str, Any]) -> None:
    shown = list(pairs.items())[:MAX_ROWS]
    st.table({plain(str(key)): plain(_cell(item)) for key, item in shown}, border="horizontal", hide_header=True)
    _left_out(len(pairs))


def _table(shape: shapes.Table) -> None:
    rows = [{str(key): _plain_cell(item) for key, item in row.items()} for row in shape.rows[:MAX_ROWS]]
    st.dataframe(rows, hide_index=True)
    _left_out(len(shape.rows))


def _left_out(count: int) -> None:
    if count > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS:,} of {count:,} rows; the JSON has all of them.")


def _plain_cell(item: Any) -> Any:
    """Return what a column of a table can hold: containers become their JSON."""
    return _cell(item) if isinstance(item, (dict, list)) else item


def _cell(item: Any) -> str:
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=datetime.isoformat)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"


def _remarks(outcome: Outcome) -> None:
    """Draw warnings, notes and what was printed."""
    for warning in outcome.warnings:
        st.warning(sentence(warning), icon=":material/warning:")
    if outcome.use is not None:
        st.caption(f":material/toll: {sentence(str(outcome.use))}")
    for note in outcome.notes:
        st.caption(f":material/info: {sentence(note)}")
    if outcome.stdout:
        st.caption("Printed")
        st.code(outcome.stdout, language=None, wrap_lines=True)


def _raw(answer: Any, alias: str, key: str) -> None:
    if not st.toggle("Raw JSON", key=f"{key}.raw"):
        return
    text = as_json(answer)
    st.code(text[:MAX_SHOWN], language="json", wrap_lines=True)
    if len(text) > MAX_SHOWN:
        st.caption(f"The first {MAX_SHOWN:,} of {len(text):,} characters.")
        st.download_button("Download all of it", text, f"{alias}.json", "application/json", key=f"{key}.download")
