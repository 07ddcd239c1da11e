"""Limit fields: the row under an argument in which its limits are entered, shown on demand.

Which limits there are depends on the type; one that the type has no use for stays in view until it is emptied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from hfreg import types
from hfreg.argument import Argument
from hfreg.argument_limits import FIELDS, KINDS
from hfreg.errors import HfregError, TypeNotationError
from hfreg.ui import findings, session
from hfreg.ui.form_draft import Row
from hfreg.ui.form_fields import hold
from hfreg.ui.form_words import LABELS
from hfreg.ui.widgets import plain, short
from hfreg.values import Finding

Take = Callable[[int, str], None]
EXAMPLES = {
    "Numerical": {"minimum": "0", "maximum": "1", "choices": "256"},
    "DateTime": {"minimum": "2026-01-01", "maximum": "2026-12-31T23:59"},
    "String": {"choices": "positive", "max_length": "512"},
    "Array": {"max_length": "10"},
}
HELP = {
    "choices": "The only values that a call may give. Type one and press Enter.",
    "max_length": "The most characters of a text, or items of a list.",
}


def button(row: Row, limits: str) -> None:
    """Draw what opens and closes the row, saying the limits while it is closed; no button for a type without any."""
    if possible(row):
        key, closed = _key(row, "limits"), f"Limits: {plain(short(limits, 40))}" if limits else "Limits"
        label = "Hide limits" if session.get(_open_key(row)) else closed
        st.button(label, key=key, icon=":material/tune:", on_click=_switch, args=(row["id"],), type="tertiary")


def summary(argument: Argument) -> str:
    """Say the limits of an argument in a few words; nothing when there are none, or some that cannot be used."""
    try:
        return str(argument.limits or "")
    except HfregError:
        return ""


def draw(row: Row, told: Iterable[Finding], take: Take) -> None:
    """Draw the row when it was opened or something is wrong in it, its findings under it."""
    of_limit = {name: [f for f in told if f.field.endswith(f"].{name}")] for name in FIELDS}
    if not (session.get(_open_key(row)) or any(of_limit.values())):
        return
    fields = possible(row)
    for column, name in zip(st.columns([1 if name != "choices" else 2 for name in fields]), fields, strict=True):
        with column:
            _field(row, name, take)
    with st.container(gap="xsmall"):  # under the fields, which are too narrow for a sentence
        for name in fields:
            findings.beside(of_limit[name], LABELS[name])


def possible(row: Row) -> tuple[str, ...]:
    """Return the limits that an argument may have, and those it has all the same."""
    its = KINDS.get(_kind(row["type"]), ())
    return tuple(name for name in FIELDS if name in its or row[name])  # type: ignore[literal-required]


def _field(row: Row, name: str, take: Take) -> None:
    key, value = _key(row, name), row[name]  # type: ignore[literal-required]
    changed = hold(key, [*value] if name == "choices" else value, partial(take, row["id"], name))
    example = EXAMPLES.get(_kind(row["type"]), {}).get(name, "")
    if name == "choices":
        st.multiselect(
            LABELS[name],
            [*value],
            key=key,
            help=HELP.get(name),
            placeholder=f"{example} …",
            accept_new_options=True,
            on_change=changed,
        )
    else:
        st.text_input(LABELS[name], key=key, help=HELP.get(name), placeholder=example, on_change=changed)


def _kind(notation: str) -> str:
    try:
        return types.parse(notation).kind
    except TypeNotationError:
        return ""


def _switch(number: int) -> None:
    key = f"register.argument.{number}.limits_open"
    session.put(key, not session.get(key))


def _open_key(row: Row) -> str:
    return _key(row, "limits_open")


def _key(row: Row, field: str) -> str:
    return f"register.argument.{row['id']}.{field}"
