"""The workbench: page config, navigation, and the page that was asked for."""

import streamlit as st

from hfreg.ui import cold_start, frame, leaving

first_run = cold_start.is_first_run()
st.set_page_config(page_title="hfreg", page_icon="static/favicon.png", layout="wide")

page = st.navigation(frame.pages(), position="sidebar")
if first_run:
    cold_start.close_dialog()
frame.sidebar()
page.run()
leaving.take_fields_first()
