"""Form fields: widgets that are drawn from the draft and write into it.

A widget's own value is set only when it differs from the draft's (a page switch, a template, an undo), so that
a rerun never takes back what is being typed. Findings stand under their field.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Concatenate

import streamlit as st

from hfreg.ui import findings, form_draft, form_state, session
from hfreg.ui.form_state import Form

HELD = "register.held"
"""By widget, the draft's value that it was last drawn with, and what takes its own into the draft."""
_NOTHING = object()
Take = Callable[[], None]
_Draw = Callable[Concatenate[Form, str, str, ...], None]


def _steady(draw: _Draw) -> _Draw:
    """Keep a field and its findings in a place of their own: a finding that comes must not move what is typed in."""

    @wraps(draw)
    def inside(form: Form, field: str, label: str, *given: Any, **options: Any) -> None:
        with st.container(gap="xsmall"):
            draw(form, field, label, *given, **options)
            under(form, field)

    return inside


def hold(key: str, value: Any, take: Take) -> Take:
    """Give a widget the draft's value where it has another or none, and return what its `on_change` has to be."""
    if session.get(key, _NOTHING) != value:
        session.put(key, value)
    held: dict[str, tuple[Any, Take]] = session.get(HELD) or {}
    held[key] = (value, take)
    session.put(HELD, held)
    return take


def take_missed() -> None:
    """Take what widgets hold and the draft does not have; before anything is made of the draft.

    Streamlit stops a script run for a newer one also between a widget's new value and its callback, and the newer run
    does not call it again: typed, then a button clicked at once.
    """
    for key, (given, take) in list((session.get(HELD) or {}).items()):
        if session.get(key, given) != given:
            take()


def key_of(field: str) -> str:
    """Return the key of the widget of a field."""
    return f"register.{field}"


@_steady
def text(form: Form, field: str, label: str, *, tall: bool = False, **options: Any) -> None:
    """Draw a line of text, or an area when `tall`."""
    key = key_of(field)
    take = hold(key, form.draft["fields"][field], partial(_take, field))
    draw = st.text_area if tall else st.text_input
    draw(label, key=key, on_change=take, **options)


@_steady
def choice(form: Form, field: str, label: str, options: Sequence[str], **more: Any) -> None:
    """Draw a choice that may be left open; the beginning of an option counts as it."""
    key, value = key_of(field), form.draft["fields"][field]
    complete = partial(_completed, options if field == "output_type" else ())
    take = hold(key, value or None, partial(_take, field, complete))
    known = [*options] if value in options or not value else [*options, value]
    st.selectbox(label, known, key=key, index=None, on_change=take, **more)


@_steady
def switch(form: Form, field: str, label: str, **options: Any) -> None:
    """Draw a switch."""
    key = key_of(field)
    take = hold(key, form.draft["fields"][field], partial(_take, field))
    st.toggle(label, key=key, on_change=take, **options)


@_steady
def several(form: Form, field: str, label: str, options: Sequence[str], **more: Any) -> None:
    """Draw a choice of any number."""
    key, value = key_of(field), form.draft["fields"][field]
    take = hold(key, value, partial(_take, field, list))
    known = [*options, *(one for one in value if one not in options)]
    st.multiselect(label, known, key=key, on_change=take, **more)


@_steady
def number(form: Form, field: str, label: str, **options: Any) -> None:
    """Draw a number that may be left open."""
    key = key_of(field)
    take = hold(key, form.draft["fields"][field], partial(_take, field))
    st.number_input(label, key=key, value=None, on_change=take, **options)


def note(form: Form) -> None:
    """Draw the note that the next save will bear."""
    take = hold("register.note", form.draft["note"], _note)
    st.text_input("Note of this save", key="register.note", placeholder="What changed, and why", on_change=take)


def under(form: Form, field: str) -> None:
    """Draw the findings of a field; an empty one is not blamed before the first try to save."""
    if form.draft["tried"] or form.draft["fields"].get(field):
        findings.beside(form.at(field))


def _take(field: str, read: Callable[[Any], Any] = lambda value: value) -> None:
    form_state.write(field, read(session.get(key_of(field))))


def _completed(options: Sequence[str], value: str | None) -> str:
    return form_draft.completed(value or "", options)


def _note() -> None:
    form_state.current()["note"] = session.get("register.note") or ""
    form_state.touch()
