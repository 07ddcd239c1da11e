"""Listening: whether the workbench is reached from this machine alone.

Only then may a page take a path of the server: whoever reaches it from elsewhere must not choose among its files.
"""

from __future__ import annotations

import streamlit as st

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def on_loopback() -> bool:
    """Say whether the server listens on loopback alone."""
    return st.get_option("server.address") in LOOPBACK
