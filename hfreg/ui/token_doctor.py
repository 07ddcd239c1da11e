"""Token doctor: whether the token and the way to the Hub are good, and whether one model would load with them.

Drawn on Platform Integrations. What was found belongs to the token of that moment; `forget` drops it when the token
changes. What is looked at is the matter of `hfreg.hub.diagnosis`.
"""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from hfreg.hub.access import Verdict, looks_like_token
from hfreg.hub.diagnosis import Diagnosis, Light, Line
from hfreg.registry import Registry
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import Colour, moment, plain

NAME = "integrations.access"
FIELD, ASKED, FOUND = f"{NAME}.repo", f"{NAME}.asked", f"{NAME}.found"
LIGHTS: dict[Light, tuple[Colour, str]] = {
    "green": ("green", "OK"),
    "amber": ("orange", "Advice"),
    "red": ("red", "Problem"),
    "grey": ("gray", "Not judged"),
}
SAID: dict[Verdict, tuple[Colour, str]] = {
    "readable": ("green", "Can be read"),
    "gated": ("orange", "Gated, access not granted"),
    "awaiting review": ("orange", "Gated, request awaiting review"),
    "turned down": ("red", "Gated, request rejected"),
    "no right": ("red", "No right"),
    "missing or private": ("red", "Missing or private"),
    "missing": ("red", "Not found"),
    "empty": ("orange", "Empty"),
    "refused": ("orange", "Not loaded here"),
    "rejected": ("red", "Token rejected"),
    "offline": ("gray", "Not asked"),
    "unreachable": ("red", "Hub unreachable"),
}


def draw(registry: Registry) -> None:
    """Draw the field, its button, and what the last look found."""
    with st.container(key=f"{NAME}.box", gap="small"):
        with (
            st.form(f"{NAME}.form", border=False, enter_to_submit=True),
            st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
        ):
            st.text_input(
                "Check access to a model",
                key=FIELD,
                placeholder="owner/name",
                help="A repo id, or the address of its page. It is tried the way a load takes; nothing is kept.",
                persist_state="session",
            )
            st.form_submit_button("Check access", key=f"{NAME}.check", on_click=_take)
        if (asked := session.get(ASKED)) is not None:
            session.drop(ASKED)
            with st.spinner(f"Asking {plain(registry.hub.endpoint)} …"):
                session.put(FOUND, (registry.diagnose(asked), datetime.now(UTC)))
        if (kept := session.get(FOUND)) is not None:
            _result(*kept)


def ask() -> None:
    """Look at the token and the way to the Hub, at no model; the callback of Test connection."""
    forget()
    session.put(ASKED, "")


def forget() -> None:
    """Forget what was found with another token."""
    session.drop(FOUND)


def _take() -> None:
    """Take what was entered, and out of the page if it is a token that landed in the wrong field."""
    text = str(session.get(FIELD) or "")
    forget()
    session.put(ASKED, text)
    if looks_like_token(text):
        session.put(FIELD, "")


def _result(found: Diagnosis, at: datetime) -> None:
    with st.container(key=f"{NAME}.result", gap="small"):
        _summary(found)
        for line in found.lines:
            st.markdown(_line(line, found))
        if found.access and found.access.commit:
            st.markdown(f"Commit `{found.access.commit}`")
        st.caption(f"Checked {moment(at)}.")


def _summary(found: Diagnosis) -> None:
    named = found.access.repo if found.access else ""
    red = [line for line in found.lines if line.light == "red"]
    if not red and not named and found.line("Offline mode"):
        st.warning("Nothing is downloaded in offline mode; what is on this disk loads.")
    elif not red:
        st.success(sentence(f"`{named}` loads." if named else "Downloads can work."))
    else:
        what = f"`{named}` does not load" if named else "Downloads do not work"
        why = SAID[found.access.verdict][1] if found.access and red[0].name == "Repository" else red[0].name
        st.error(sentence(f"{what}. Look at: {why}."))


def _line(line: Line, found: Diagnosis) -> str:
    """Return one line in Markdown: its light as a word, what was found, and the way out below."""
    colour, word = LIGHTS[line.light]
    if line.name == "Repository" and found.access:
        colour, word = SAID[found.access.verdict]
    text = f":{colour}-badge[{word}] **{plain(line.name)}** · {sentence(line.found)}"
    if line.way_out:
        text += f"  \n:material/arrow_forward: {sentence(line.way_out)}"
    if line.link:
        text += f" [Open its page]({line.link})"
    return text
