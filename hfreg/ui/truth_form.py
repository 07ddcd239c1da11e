"""Truth form: the fields that say what is measured and against what, of an evaluation and of a comparison alike.

The address says what was asked for last, and the fields begin with it; what they hold is asked for by a button.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import streamlit as st

from hfreg.metrics.labelled import KINDS, is_missing, label
from hfreg.metrics.slices import LENGTH
from hfreg.simulation import Simulation
from hfreg.simulation.decisions import answer_fields, likely_truth
from hfreg.ui import session

GUESSED = "As guessed"
LOOKED_AT, MOST_LABELS, MOST_FIELDS = 1_000, 50, 50
TEXTS = ("truth", "kind", "positive", "field", "score")
PARAMS = (*TEXTS, "slices")
WORDS = {"classification": "Classification", "regression": "Regression", "text": "Text", "retrieval": "Retrieval"}
Asked = Mapping[str, Any]


def asked() -> Asked | None:
    """Return what the address asks for, as `registry.evaluate` takes it; None when it names no truth."""
    if not session.param("truth"):
        return None
    found: dict[str, Any] = {name: session.param(name) for name in TEXTS}
    kind = found["kind"] if found["kind"] in KINDS else None
    return {**found, "kind": kind, "slices": tuple(_slices())}


def ask(wanted: Asked | None) -> None:
    """Write into the address what is asked for; None takes it out."""
    for name in TEXTS:
        session.set_param(name, (wanted or {}).get(name) or None)
    slices = list((wanted or {}).get("slices", ()))
    session.set_param("slices", json.dumps(slices, ensure_ascii=False) if slices else None)


def draw(simulation: Simulation, prefix: str, *, sliced: bool = True) -> Asked:
    """Draw the fields and return what they hold."""
    plan, key = simulation.plan, f"{prefix}.{simulation.id}"
    first = list(islice(simulation.results(), LOOKED_AT))
    columns = list(plan.inputs)
    one, two, three = st.columns(3)
    at = likely_truth(columns, set(plan.columns.values()))
    truth = _select(one, "Column with the truth", columns, f"{key}.truth", columns[at], "truth")
    kind = _select(two, "Measured as", [GUESSED, *KINDS], f"{key}.kind", GUESSED, "kind", WORDS)
    place = columns.index(truth)
    cells = [row.inputs[place] for row in first if place < len(row.inputs)]
    truths = [label(cell) for cell in cells if not is_missing(cell)]
    known = sorted(set(truths), key=lambda name: (-truths.count(name), name))[:MOST_LABELS]
    hint = "Scores and curves are of this label."
    positive = _select(three, "Label to be found", [GUESSED, *known], f"{key}.{truth}.positive", GUESSED, "positive")
    three.caption(hint)
    field, score = _fields([row.answer for row in first if row.status == "ok"], key)
    wanted = {"truth": truth, "kind": kind, "positive": positive, "field": field, "score": score}
    found: dict[str, Any] = {name: "" if value == GUESSED else value for name, value in wanted.items()}
    slices = _draw_slices(columns, key) if sliced else ()
    return {**found, "kind": found["kind"] or None, "slices": slices}


def _fields(answers: Sequence[Any], key: str) -> tuple[str, str]:
    """Draw which fields of the answer are meant, where it has any."""
    if not any(isinstance(one, dict) for one in answers):
        return "", ""
    named = list(dict.fromkeys(name for one in answers if isinstance(one, dict) for name in one))[:MOST_FIELDS]
    one, two, _ = st.columns(3)
    field = _select(one, "Answer to compare", [GUESSED, *named], f"{key}.field", GUESSED, "field")
    score = _select(two, "Score in the answer", [GUESSED, *_scored(answers, named)], f"{key}.score", GUESSED, "score")
    return field, score


def _scored(answers: Sequence[Any], named: Sequence[str]) -> list[str]:
    """List the fields that may hold a score: numbers, and maps from label to number."""
    scores = answer_fields(answers)[0]
    maps = {name for name in named for one in answers if isinstance(one, dict) and isinstance(one.get(name), dict)}
    return [name for name in named if name in scores or name in maps]


def _draw_slices(columns: Sequence[str], key: str) -> tuple[str, ...]:
    offered = [*columns, *(f"{LENGTH}{name}" for name in columns)]
    widget = f"{key}.slices"
    if session.get(widget) is None:
        session.put(widget, [name for name in _slices() if name in offered])
    session.keep(widget)
    chosen = st.multiselect(
        "By the values of",
        offered,
        key=widget,
        placeholder="No slices",
        help="Each value of the column is measured for itself; numbers go by quarters, texts by their length.",
    )
    return tuple(chosen)


def _slices() -> list[str]:
    try:
        found = json.loads(session.param("slices") or "[]")
    except ValueError:
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _select(
    where: Any,
    text: str,
    options: Sequence[str],
    key: str,
    default: str,
    param: str,
    words: Mapping[str, str] | None = None,
) -> str:
    """Draw a choice that begins with what the address says, where that is among what there is."""
    if session.get(key) not in options:
        said = session.param(param)
        session.put(key, said if said in options else default)
    session.keep(key)
    chosen: str = where.selectbox(text, options, key=key, format_func=lambda one: (words or {}).get(one, one))
    return chosen
