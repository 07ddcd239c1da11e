"""Argument widgets: the field that fits the type of an argument and its limits.

A limit is shown where the browser can hold it and where what the field holds lies within; a value beyond it, such as
that of an older example, stays in view, and the server says what is wrong with it. What the field holds means is
`hfreg.ui.arguments_form`.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import streamlit as st

from hfreg.argument import Argument
from hfreg.ui import media_field, session

SAFE_INTEGER = 2**53 - 1
"""What a number of a browser holds without loss."""
EARLIEST, LATEST = datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59)
EXAMPLES = {"Array": '["a", "b"]', "Map": '{"key": "value"}', "Struct": '{"field": "value"}', "Any": "JSON or text"}
MOST_STEPS = 1000
"""A slider of more steps than pixels hits none of them."""


def widget_of(argument: Argument) -> str:
    """Return which widget an argument has: that of its type, or `choice`."""
    return "choice" if argument.limits and argument.limits.choices else argument.parsed_type.widget


def draw(argument: Argument, label: str, may_be_empty: bool, common: dict[str, Any]) -> None:
    """Draw the field of an argument; `common` are the options of every widget, its key among them."""
    widget = widget_of(argument)
    if widget == "choice":
        _choice(argument, label, "None" if may_be_empty else "Choose one", common)
    elif widget == "number":
        _number(argument, label, common)
    elif widget == "switch":
        st.toggle(label, **common)
    elif widget == "upload":
        media_field.draw(argument, label, common)
    elif widget == "date":
        least, most = _moments(argument, session.get(common["key"]))
        st.datetime_input(label, value=None, min_value=least, max_value=most, format="YYYY-MM-DD", **common)
    else:
        height = 68 if argument.optional else 136
        placeholder = "None" if may_be_empty else EXAMPLES.get(argument.parsed_type.kind, "")
        st.text_area(label, height=height, placeholder=placeholder, **common)


def _choice(argument: Argument, label: str, placeholder: str, common: dict[str, Any]) -> None:
    options, held = [*(argument.limits.choices if argument.limits else ())], session.get(common["key"])
    if held is not None and held not in options:
        options.append(held)
    st.selectbox(label, options, index=None, placeholder=placeholder, **common)


def _number(argument: Argument, label: str, common: dict[str, Any]) -> None:
    """Draw a number field, and a slider under it when there is a range that one can be moved through."""
    key, step = common["key"], _step(argument)
    slide, given = f"{key}.slide", session.get(f"{key}.slide.given")
    if session.get(slide, given) != given == session.get(key):
        _slid(key)  # it was moved, and a newer run cut off the one that would have called back
    held = session.get(key)
    least, most = _bounds(argument, held)
    options = {**common, "value": None, "format": "%g", "placeholder": "None"}
    st.number_input(label, min_value=least, max_value=most, step=step, **options)
    if held is None or least is None or most is None or not 1 < (most - least) / step <= MOST_STEPS:
        return
    if session.get(slide) != float(held):  # else a slider that is being moved would be set back
        session.put(slide, float(held))
    session.put(f"{slide}.given", float(held))
    st.slider(
        f"{label}, as a slider",
        least,
        most,
        step=step,
        format="%g",
        key=slide,
        label_visibility="collapsed",
        disabled=common["disabled"],
        on_change=_slid,
        args=(key,),
    )


def _slid(key: str) -> None:
    session.put(key, session.get(f"{key}.slide"))


def _bounds(argument: Argument, held: float | None) -> tuple[float | None, float | None]:
    """Return least and most as the field can hold them: none of them while it holds a value beyond."""
    limits = argument.limits
    if limits is None or (held is not None and not limits.admits(held)):
        return None, None
    least, most = (None if one is None or abs(one) > SAFE_INTEGER else float(one) for one in _range(argument))
    return least, most


def _range(argument: Argument) -> tuple[Any, Any]:
    return (argument.limits.minimum, argument.limits.maximum) if argument.limits else (None, None)


def _moments(argument: Argument, held: datetime | None) -> tuple[datetime, datetime]:
    limits = argument.limits
    if limits is None or (held is not None and not limits.admits(held)):
        return EARLIEST, LATEST
    least, most = (None if one is None else one.replace(tzinfo=None) for one in _range(argument))
    return least or EARLIEST, most or LATEST


def _step(argument: Argument) -> float:
    default = argument.default_value
    least, most = _range(argument)
    whole = all(one is None or isinstance(one, int) or one.is_integer() for one in (default, least, most))
    if least is not None and most is not None and most > least and not (whole and most - least > 1):
        return float(10.0 ** (math.floor(math.log10(most - least)) - 2))
    if whole:
        return 1.0
    return 0.05 if default is not None and abs(default) < 1 else 0.1
