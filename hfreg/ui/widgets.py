"""Widgets: small things that look the same on every page."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from hfreg.lifecycle import State
from hfreg.version import Version

Colour = Literal["gray", "orange", "green", "red", "blue", "violet"]

STATE_COLOURS: dict[State, Colour] = {
    State.DRAFT: "gray",
    State.PENDING: "orange",
    State.APPROVED: "green",
    State.REJECTED: "red",
    State.ARCHIVED: "violet",
}


def state_badge(version: Version) -> str:
    """Return the state of a version as a badge in Markdown, its flags beside it."""
    badge = f":{STATE_COLOURS[version.state]}-badge[{version.state}]"
    return f"{badge} :blue-badge[Demonstration]" if version.demonstration else badge


def title(text: str, purpose: str) -> None:
    """Draw the head of a page: its name, and one line that says what it is for."""
    st.title(text, anchor=False)
    st.caption(purpose)


def empty(message: str) -> None:
    """Draw an empty state: what is missing and what to do next."""
    st.info(message, icon=":material/info:")


def plain(text: str) -> str:
    """Escape a text of a user, so that Markdown shows it as it was written."""
    for sign in "\\`*_{}[]()#+-.!|<>$~:&":
        text = text.replace(sign, "\\" + sign)
    return text


def milliseconds(value: float) -> str:
    """Return a duration in a unit that people read: `0.4 ms`, `14 ms`, `2.1 s`."""
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def size(count: float) -> str:
    """Return bytes in a unit that people read: `12 kB`, `4.2 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit in {"bytes", "kB"} else f"{count:.1f} {unit}"
        count /= 1000
    return ""
