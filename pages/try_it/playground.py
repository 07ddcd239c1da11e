"""Playground: run a registered model and see its answer."""

import streamlit as st

from hfreg.ui import frame, playground, session
from hfreg.ui.widgets import empty, title

title("Playground", "Try a registered model: fill in its arguments, run it, and see what it answers.")

if session.registry().definitions.aliases():
    playground.workspace()
else:
    empty("No models yet. Register one, and try it here.")
    st.page_link(frame.REGISTER, label="Register a model", icon=":material/add_circle:")
