"""Argument rows: the Arguments card of the form, one row of widgets for each input of the model.

Covers typing, moving, deleting with a way back, and what a default means by its type as it is entered. The limits
under a row are `hfreg.ui.limit_fields`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from hfreg import types
from hfreg.argument_limits import FIELDS as LIMIT_FIELDS
from hfreg.errors import HfregError
from hfreg.ui import findings, form_draft, form_state, limit_fields, session
from hfreg.ui.findings import sentence
from hfreg.ui.form_draft import Row
from hfreg.ui.form_fields import hold
from hfreg.ui.form_state import Form

TYPES = (
    "String",
    "Numerical",
    "Boolean",
    "DateTime",
    "List",
    "Array[String]",
    "Map[String, String]",
    "Image",
    "Audio",
    "Any",
)
NO, YES = "No", "Yes"
WORDS = {
    "String": "text",
    "Numerical": "number",
    "Boolean": "true or false",
    "DateTime": "date and time",
    "Array": "list",
    "Map": "map",
    "Struct": "struct",
    "Image": "picture",
    "Audio": "sound",
    "Any": "any value",
}


def card(form: Form) -> None:
    """Draw the rows and the button that adds one."""
    st.caption("What the model takes. Variables declared here are automatically available in the Scoring Logic.")
    rows = form.draft["rows"]
    if not rows:
        st.caption("No arguments yet. Most models take a `text` (String, required).")
    for place, row in enumerate(rows):
        with st.container(border=True, key=f"register.row.{row['id']}"):
            _row(form, place, row)
    st.button("+ Add Argument", key="register.add_argument", on_click=_add)


def parsed(type_text: str, default: str) -> str:
    """Say what a default means by its type: `0.5 · number`; empty when it has no meaning yet.

    The text `None` of a String is None, and so it says.
    """
    if not default:
        return ""
    try:
        kind = types.parse(type_text)
        value = kind.from_default(default, "default")
    except HfregError:
        return ""
    return f"{value!r} · {'no value' if value is None else WORDS.get(kind.kind, kind.kind)}"


def _row(form: Form, place: int, row: Row) -> None:
    number = row["id"]
    name, kind, optional = st.columns([5, 5, 4])
    with name:
        _text(number, "alias", "Alias", row["alias"], placeholder="threshold")
    with kind:
        key = _key(number, "type")
        take = hold(key, row["type"], partial(_take, number, "type"))
        known = TYPES if row["type"] in TYPES else (*TYPES, row["type"])
        st.selectbox("Type", known, key=key, on_change=take, accept_new_options=True)
    with optional:
        key = _key(number, "optional")
        take = hold(key, YES if row["optional"] else NO, partial(_take, number, "optional"))
        st.segmented_control("Optional", (NO, YES), required=True, key=key, on_change=take)
    default, usage = st.columns([3, 5])
    with default:
        _text(number, "default", "Default Value", row["default"], placeholder="0.5" if row["optional"] else "N/A")
        if meaning := parsed(row["type"], row["default"]):
            st.caption(sentence(meaning))
    with usage:
        _text(number, "usage", "Usage", row["usage"], placeholder="Classification threshold")
    field = f"arguments[{place}]"
    told = [f for f in form.findings if f.field.startswith(f"{field}.") and f.level != "hint"]
    _buttons(row, place, len(form.draft["rows"]) - 1, limit_fields.summary(form.definition.arguments[place]))
    with st.container():
        limit_fields.draw(row, told, _take)
    empty = not row["alias"] and not form.draft["tried"]
    with st.container(gap="xsmall"):
        beside_limits = tuple(f"{field}.{name}" for name in LIMIT_FIELDS)
        findings.beside(f for f in told if f.field not in beside_limits and not (empty and f.field == f"{field}.alias"))


def _buttons(row: Row, place: int, last: int, limits: str) -> None:
    number = row["id"]
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        limit_fields.button(row, limits)
        for label, by, edge in (("Up", -1, 0), ("Down", 1, last)):
            icon, key = f":material/arrow_{label.lower()}ward:", _key(number, label.lower())
            off = place == edge
            st.button(label, key=key, icon=icon, on_click=_move, args=(number, by), disabled=off, type="tertiary")
        key = _key(number, "delete")
        st.button("Delete", key=key, icon=":material/delete:", on_click=_delete, args=(number,), type="tertiary")


def _text(number: int, field: str, label: str, value: str, **options: Any) -> None:
    key = _key(number, field)
    take = hold(key, value, partial(_take, number, field))
    st.text_input(label, key=key, on_change=take, **options)


def _key(number: int, field: str) -> str:
    return f"register.argument.{number}.{field}"


def _take(number: int, field: str) -> None:
    draft = form_state.current()
    if not any(row["id"] == number for row in draft["rows"]):
        return  # deleted meanwhile
    row: dict[str, Any] = draft["rows"][form_draft.place_of(draft, number)]  # type: ignore[assignment]
    value = session.get(_key(number, field))
    row[field] = value == YES if field == "optional" else [*value] if field == "choices" else value or ""
    if field == "type":
        row[field] = form_draft.completed(row[field], TYPES)
    form_state.touch()


def _add() -> None:
    form_draft.add_row(form_state.current())
    form_state.touch()


def _move(number: int, by: int) -> None:
    form_draft.move_row(form_state.current(), number, by)
    form_state.touch()


def _delete(number: int) -> None:
    place, row = form_draft.take_row(form_state.current(), number)
    session.put(form_state.UNDO, (f"Deleted the argument `{row['alias'] or place + 1}`.", (place, row)))
    form_state.touch()
