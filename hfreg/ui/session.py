"""Session: the registry, the person, and what one browser session remembers.

The only module that touches `st.session_state`, `st.query_params` and `st.cache_resource`. The one Registry
in the cache holds every loaded model, so that all sessions share them; runs are held there too, so that a
click elsewhere, a reload or a lost connection never loses one.
"""

from __future__ import annotations

import sys
from typing import Any

import streamlit as st

import hfreg
from hfreg import starters
from hfreg.registry import Registry
from hfreg.ui.background import Tasks
from hfreg.ui.runs import Runs


@st.cache_resource(show_spinner=False)
def registry() -> Registry:
    """Open the registry of this server once; a home without any model gets the starter models."""
    opened = hfreg.open(engine="isolated" if sys.platform.startswith("linux") else "inline")
    starters.register_on_first_start(opened)
    return opened


@st.cache_resource(show_spinner=False)
def runs() -> Runs:
    """Return the runs of all sessions, by id."""
    return Runs()


@st.cache_resource(show_spinner=False)
def tasks() -> Tasks:
    """Return the longer work of all sessions, by key."""
    return Tasks()


def user() -> str:
    """Return who is using the page: the signed-in identity, else the operating-system user."""
    if getattr(st.user, "is_logged_in", False):
        return str(st.user.get("email") or st.user.get("name") or "unknown")
    return registry().user


def get(key: str, default: Any = None) -> Any:
    """Return what this session remembers under a key such as `playground.history`."""
    return st.session_state.get(key, default)


def put(key: str, value: Any) -> None:
    """Remember a value; for the key of a widget this must happen before the widget is drawn."""
    st.session_state[key] = value


def drop(*prefixes: str) -> None:
    """Forget every key that starts with one of the prefixes."""
    for key in [k for k in st.session_state if str(k).startswith(prefixes)]:
        del st.session_state[key]


def keep(*keys: str) -> None:
    """Keep the values of widgets that this run may not draw: Streamlit forgets them otherwise."""
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def param(name: str, default: str = "") -> str:
    """Return a parameter of the page's address."""
    return st.query_params.get(name, default)


def set_param(name: str, value: str | None) -> None:
    """Write a parameter into the page's address, or take it out."""
    if value:
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    elif name in st.query_params:
        del st.query_params[name]


def confirm_param(name: str) -> None:
    """Have the browser show a parameter that it may not show: a link to the open page changes no address bar."""
    if name in st.query_params:
        st.query_params[name] = st.query_params[name]
