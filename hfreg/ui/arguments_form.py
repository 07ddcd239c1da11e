"""Arguments form: the inputs of one call, drawn from what a definition says about its arguments.

    errors = {}
    arguments_form.prepare(definition, "playground.shout")
    arguments_form.draw(definition, "playground.shout", errors)
    reading = arguments_form.read(definition, "playground.shout")   # in the callback of Run

Each type has its widget (`hfreg.ui.argument_widgets`); usage is the help, an optional argument shows its default, and
None can be given to every one: by leaving an optional field empty, else by ticking None. What was typed travels as text
and is read by type and limits on the server, whatever the browser let through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import streamlit as st

from hfreg.argument import Argument
from hfreg.definition import Definition
from hfreg.errors import ArgumentError
from hfreg.ui import argument_widgets, session
from hfreg.ui.argument_widgets import SAFE_INTEGER, widget_of
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import plain


@dataclass(frozen=True)
class Reading:
    """What a form says: values by argument, and a sentence by argument that cannot be read."""

    arguments: Mapping[str, Any]
    errors: Mapping[str, str]


def prepare(definition: Definition, prefix: str) -> None:
    """Give each field that was not drawn yet its default, and an untouched one the default that changed since."""
    for argument in definition.arguments:
        key = field_key(prefix, argument)
        shown_before = session.get(f"{key}.default", _UNSET)
        default = _shown(argument, argument.default_value)
        untouched = shown_before is not _UNSET and session.get(key) == shown_before
        if shown_before is _UNSET or (untouched and default != shown_before):
            _put(prefix, argument, argument.default_value)
            session.put(f"{key}.default", default)


def fill(definition: Definition, prefix: str, arguments: Mapping[str, Any]) -> None:
    """Put the values of a call into the form; what it does not give gets its default. Before the form is drawn."""
    for argument in definition.arguments:
        value = arguments.get(argument.alias, argument.default_value)
        _put(prefix, argument, value, given=argument.alias in arguments)


def read(definition: Definition, prefix: str) -> Reading:
    """Read the form by the types of the arguments."""
    arguments: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for argument in definition.arguments:
        try:
            text = _text(prefix, argument)
            value = definition.parse_arguments({argument.alias: text})[argument.alias]
            arguments[argument.alias] = _with_zone(value, field_key(prefix, argument))
        except ArgumentError as error:
            errors[argument.alias] = str(error)
    return Reading(arguments, errors)


def draw(definition: Definition, prefix: str, errors: Mapping[str, str]) -> None:
    """Draw a field for each argument, with the sentence about it under it."""
    if not definition.arguments:
        st.caption("This model takes no arguments.")
    for argument in definition.arguments:
        _field(argument, field_key(prefix, argument))
        if problem := errors.get(argument.alias):
            st.markdown(f":red[:material/error: {sentence(problem)}]")


def field_key(prefix: str, argument: Argument) -> str:
    """Return the key of the widget of an argument; another type is another widget."""
    return f"{prefix}.{argument.alias}.{widget_of(argument)}"


def _field(argument: Argument, key: str) -> None:
    none = bool(session.get(f"{key}.none")) and _ticks_none(argument)
    label = argument.alias if argument.alias.strip("_") == argument.alias else plain(argument.alias)
    common: dict[str, Any] = {
        "key": key,
        "help": plain(argument.usage) or None,
        "disabled": none,
        "persist_state": "session",
    }
    argument_widgets.draw(argument, label, may_be_empty=argument.optional or none, common=common)
    _about(argument, key)


def _about(argument: Argument, key: str) -> None:
    """Draw the line under a field: its type, whether it is needed, and the tick for None."""
    need = "required"
    if argument.optional:
        default = "None" if argument.default is None else argument.default
        need = f"optional, default {default if len(default) <= 40 else default[:39] + '…'}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        said = argument.type if widget_of(argument) == "choice" else argument.described
        st.caption(plain(f"{said} · {need}"), width="stretch")
        if _ticks_none(argument):
            st.checkbox("None", key=f"{key}.none", persist_state="session")


def _ticks_none(argument: Argument) -> bool:
    return not argument.optional or widget_of(argument) == "switch"


def _put(prefix: str, argument: Argument, value: Any, given: bool = False) -> None:
    key = field_key(prefix, argument)
    session.put(key, _shown(argument, value))
    if _ticks_none(argument):
        session.put(f"{key}.none", value is None and (given or argument.optional))
    if widget_of(argument) == "date":
        session.put(f"{key}.zone", _moment(argument, value).tzinfo if value is not None else None)


def _shown(argument: Argument, value: Any) -> Any:
    """Return a value as its widget holds it."""
    widget = widget_of(argument)
    if widget == "switch":
        return bool(value)
    if widget == "choice":
        return value
    if widget == "number":
        fits = isinstance(value, (int, float)) and abs(value) <= SAFE_INTEGER
        return float(value) if fits else None
    if widget == "date":
        return None if value is None else _moment(argument, value).replace(tzinfo=None)
    return "" if value is None else argument.parsed_type.to_text(value)


def _moment(argument: Argument, value: Any) -> datetime:
    """Return a moment; an example keeps it as text."""
    moment = argument.parsed_type.from_text(value, argument.alias) if isinstance(value, str) else value
    assert isinstance(moment, datetime)  # noqa: S101 - from_text of a DateTime gives one or raises
    return moment


def _text(prefix: str, argument: Argument) -> str:
    """Return what a field holds as text; raises ArgumentError for a required one left empty."""
    key = field_key(prefix, argument)
    if _ticks_none(argument) and session.get(f"{key}.none"):
        return ""
    value = session.get(key)
    if widget_of(argument) == "choice" and value is not None:
        return argument.parsed_type.to_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if float(value).is_integer() else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.isoformat()
    if not value and not argument.optional:
        raise ArgumentError(f"`{argument.alias}` is empty. Give a value, or tick None.")
    return value or ""


def _with_zone(value: Any, key: str) -> Any:
    zone = session.get(f"{key}.zone")
    return value.replace(tzinfo=zone) if isinstance(value, datetime) and zone is not None else value


_UNSET = object()
