"""The workbench: page config, navigation, and the page that was asked for."""

import streamlit as st

from hfreg.ui import frame

st.set_page_config(page_title="hfreg", page_icon="static/favicon.png", layout="wide")

page = st.navigation(frame.pages(), position="sidebar")
frame.sidebar()
page.run()
