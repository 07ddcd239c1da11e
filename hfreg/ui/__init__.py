"""ui: what the pages of the workbench are made of. Alone in hfreg to import streamlit."""
