"""Models: the catalog, the first page of the workbench."""

import streamlit as st

from hfreg.ui import actions, catalog, frame, session, widgets
from hfreg.ui.findings import sentence


def head() -> None:
    """Draw the title, and how models get in here."""
    widgets.title("Model Catalog", "Every registered model: find one, open it, try it, or register the next.")
    with st.container(horizontal=True):
        if st.button("New model", key="models_new", type="primary", icon=":material/add_circle:"):
            st.switch_page(frame.REGISTER)
        catalog.import_file()
    actions.notice()


def page() -> None:
    """Draw the catalog."""
    head()
    versions = session.registry().catalog()
    if not versions:
        catalog.nothing_registered()
        return
    catalog.waiting(versions)
    wanted = catalog.filters(versions)
    known = catalog.known()
    if known.problem:
        st.warning(sentence(f"Calls cannot be shown: {known.problem}"))
    found = catalog.select(wanted, known)
    archived = sum(v.state == "Archived" for v in versions)
    hidden = f" {widgets.counted(archived, 'archived model')} not shown." if archived and not wanted.state else ""
    st.caption(f"{len(found)} of {widgets.counted(len(versions), 'model')}.{hidden}")
    if not found:
        widgets.empty("No model fits. Take a word out of the search, or lift a filter.")
        return
    catalog.listed(found, known)


page()
