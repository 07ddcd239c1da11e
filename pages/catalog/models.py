"""Not built yet."""

import streamlit as st

st.info("This page is not available yet.")
