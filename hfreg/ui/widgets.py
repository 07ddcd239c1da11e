"""Widgets: small things that look the same on every page.

Covers the head of a page, state badges, empty states, and how texts of users, numbers and times are written.
"""

from __future__ import annotations

from datetime import UTC, datetime
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
    badge = badge_of(version.state)
    return f"{badge} :blue-badge[Demonstration]" if version.demonstration else badge


def badge_of(state: State) -> str:
    """Return a state as a badge in Markdown."""
    return f":{STATE_COLOURS[state]}-badge[{state}]"


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


def short(text: str, length: int) -> str:
    """Return a text on one line of at most so many characters, cut between words where it can be."""
    line = " ".join(text.split())
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut[length // 2 :] else cut}…"


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


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 call`, `1,200 calls`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def ago(at: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was: `12 s ago`, `3 min ago`, `2 h ago`, `5 days ago`."""
    seconds = max(0, int(((now or datetime.now(UTC)) - at).total_seconds()))
    for unit_seconds, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= unit_seconds:
            number = seconds // unit_seconds
            return f"{counted(number, unit)} ago" if unit == "day" else f"{number} {unit} ago"
    return f"{seconds} s ago"


def moment(at: datetime) -> str:
    """Return a moment to the minute, in UTC and saying so."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
