"""Access check: whether the token in use can read one repository of the Hub, asked on Platform Integrations.

What was found belongs to the token of that moment; `forget` drops it when the token changes.
"""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from hfreg.hub.access import Access, Verdict, check_access, looks_like_token
from hfreg.registry import Registry
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import Colour, milliseconds, moment, plain

NAME = "integrations.access"
FIELD, ASKED, FOUND = f"{NAME}.repo", f"{NAME}.asked", f"{NAME}.found"
SAID: dict[Verdict, tuple[Colour, str]] = {
    "readable": ("green", "Can be read"),
    "gated": ("orange", "Gated, access not granted"),
    "no right": ("red", "No right"),
    "missing or private": ("red", "Missing or private"),
    "missing": ("red", "Not found"),
    "empty": ("orange", "Empty"),
    "rejected": ("red", "Token rejected"),
    "offline": ("gray", "Not asked"),
    "unreachable": ("red", "Hub unreachable"),
}


def draw(registry: Registry) -> None:
    """Draw the field, its button, and what the last check found."""
    with st.container(key=f"{NAME}.box", gap="small"):
        with (
            st.form(f"{NAME}.form", border=False, enter_to_submit=True),
            st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
        ):
            st.text_input(
                "Check access to a model",
                key=FIELD,
                placeholder="owner/name",
                help="A repo id of the Hub, or the address of its page. Nothing is downloaded.",
                persist_state="session",
            )
            st.form_submit_button("Check access", key=f"{NAME}.check", on_click=_take)
        if (asked := session.get(ASKED)) is not None:
            session.drop(ASKED)
            with st.spinner(f"Asking {plain(registry.hub.endpoint)} …"):
                session.put(FOUND, (check_access(registry.hub, asked), datetime.now(UTC)))
        if (kept := session.get(FOUND)) is not None:
            _result(*kept)


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


def _result(found: Access, at: datetime) -> None:
    colour, word = SAID[found.verdict]
    message = found.message.replace(found.ask_at, f"`{found.ask_at}`") if found.ask_at else found.message
    with st.container(key=f"{NAME}.result", gap="xsmall"):
        st.markdown(f":{colour}-badge[{word}] {sentence(message)}")
        facts = []
        if found.commit:
            facts.append(f"Commit `{found.commit}`")
        if found.latency_ms is not None:
            facts.append(f"Answered in {milliseconds(found.latency_ms)}")
        if facts:
            st.markdown("  \n".join(facts))
        st.caption(f"Checked {moment(at)}.")
