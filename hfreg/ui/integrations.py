"""Integrations: the Hugging Face card and the cached checkpoints of Platform Integrations.

The token goes one way. Its field is in a form, so that no half of it is sent while somebody types; what is sent is
saved in the callback of the button and taken out of the session before the page is drawn. After that only
`Token.masked` is ever drawn or remembered.
"""

from __future__ import annotations

from typing import Literal

import streamlit as st

from hfreg.errors import HfregError
from hfreg.hub import token as tokens
from hfreg.hub.token import SAVED
from hfreg.registry import Registry
from hfreg.settings import TOKEN_VARIABLES, Token, environment_token
from hfreg.ui import session, token_doctor
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import plain

FIELD = "integrations.token"
SAID, PROBLEM = "integrations.said", "integrations.problem"
REPLACING, REMOVING = "integrations.replacing", "integrations.removing"


def hugging_face(registry: Registry) -> None:
    """Draw the card: the token in use, what can be done with it, and the token doctor."""
    with st.container(border=True, key="integrations.huggingface"):
        st.subheader("Hugging Face", anchor=False)
        try:
            token = registry.token()
        except HfregError as error:
            st.error(sentence(str(error)))  # a saved token that cannot be read: it can be removed or replaced
            _messages()
            _form(saved=True)
            _actions(saved=True)
            token_doctor.draw(registry)
            return
        saved = token is not None and token.source == SAVED
        _status(token, registry)
        _messages()
        if not saved or session.get(REPLACING):
            _form(saved)
        _actions(saved)
        token_doctor.draw(registry)
        _who_sees_it(registry)


def save() -> None:
    """Save what was entered and forget it; the callback of the form."""
    text = str(session.get(FIELD) or "")
    session.put(FIELD, "")
    _forget()
    try:
        token = session.registry().save_token(text)
    except HfregError as error:
        session.put(PROBLEM, str(error))
        return
    session.drop(REPLACING)
    token_doctor.forget()
    session.put(SAID, f"Saved {token.masked}. Test the connection to see whose token it is.")


def remove() -> None:
    """Remove the saved token; the callback of the confirmation."""
    _forget()
    token_doctor.forget()
    session.drop(REMOVING, REPLACING)
    try:
        removed = session.registry().remove_token()
    except HfregError as error:
        session.put(PROBLEM, str(error))
        return
    session.put(SAID, "The saved token is removed." if removed else "There was no saved token.")


def _status(token: Token | None, registry: Registry) -> None:
    where = f"`{tokens.path(registry.settings.home)}`"
    if token is None:
        st.markdown(":gray-badge[No token] Public models work without one. Private and gated models need one.")
        st.caption("Make a token with the right to read in the settings of your account on the Hub, and enter it here.")
        return
    st.markdown(f":green-badge[Token set] `{token.masked}` · {plain(token.source)}")
    if token.source != SAVED:
        st.caption("It comes from the environment of the workbench. A token that you save here is used instead of it.")
        return
    st.caption(f"Kept in {where}, a file that only its owner can read, outside of the database.")
    if other := environment_token():
        st.caption(f"It is used instead of {plain(other.masked)} of {plain(other.source)}.")


def _messages() -> None:
    if said := session.get(SAID):
        st.success(plain(said), icon=":material/check:")
    if problem := session.get(PROBLEM):
        st.error(sentence(problem))


def _form(saved: bool) -> None:
    with st.form("integrations.form", border=False, enter_to_submit=True):
        st.text_input(
            "New token" if saved else "Token",
            key=FIELD,
            type="password",
            autocomplete="new-password",
            placeholder="hf_…",
            help="It is written to a file and never shown again but for its last four characters.",
        )
        st.form_submit_button("Save", key="integrations.save", type="primary", on_click=save)


def _actions(saved: bool) -> None:
    """Draw Test connection, and Replace and Remove for a token that was saved here."""
    with st.container(horizontal=True, key="integrations.actions"):
        weight: Literal["primary", "secondary"] = "primary" if saved else "secondary"
        st.button("Test connection", key="integrations.test", type=weight, on_click=_test)
        if saved:
            label = "Keep the old token" if session.get(REPLACING) else "Replace"
            st.button(label, key="integrations.replace", on_click=_switch, args=[REPLACING])
            st.button("Remove", key="integrations.remove", on_click=_switch, args=[REMOVING])
    if saved and session.get(REMOVING):
        _confirm()


def _confirm() -> None:
    other = environment_token()
    then = (
        f"{other.masked} of {other.source} is used then" if other else "Private and gated models cannot be loaded then"
    )
    with st.container(border=True, key="integrations.confirm"):
        st.markdown(
            f"Remove the saved token? {plain(then)}. On the Hub the token stays valid until you revoke it there."
        )
        with st.container(horizontal=True):
            st.button("Remove the token", key="integrations.remove.yes", type="primary", on_click=remove)
            st.button("Keep it", key="integrations.remove.no", on_click=_switch, args=[REMOVING])


def _who_sees_it(registry: Registry) -> None:
    names = ", ".join(f"`{name}`" for name in TOKEN_VARIABLES)
    versions = (version for alias in registry.definitions.aliases() for version in registry.versions(alias))
    asking = dict.fromkeys(version.alias for version in versions if version.definition.token)
    who = f"These ask for it: {', '.join(f'`{alias}`' for alias in asking)}." if asking else "No model asks for it now."
    st.markdown(
        f"**Who uses it.** Downloads use it by themselves. Scoring logic finds it in {names}, "
        f"and only if its definition asks for the token. {who}"
    )


def _switch(key: str) -> None:
    turned_on = not session.get(key)
    _forget()
    session.drop(REPLACING, REMOVING)
    if turned_on:
        session.put(key, True)


def _test() -> None:
    _forget()
    token_doctor.ask()


def _forget() -> None:
    """Forget what was said of an earlier state of the token."""
    session.drop(SAID, PROBLEM)
