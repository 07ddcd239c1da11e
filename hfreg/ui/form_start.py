"""Form start: what a new model begins with, and what stands in for the form where there is nothing to edit.

Covers templates, copies of registered models, exported files, forms begun earlier, and versions that are locked.
Models of the Hub are the matter of `hfreg.ui.hub_start`.
"""

from __future__ import annotations

import streamlit as st

from hfreg import portable, templates
from hfreg.errors import HfregError
from hfreg.ui import form_draft, form_state, frame, hub_start, session
from hfreg.ui.findings import sentence
from hfreg.ui.form_state import Form
from hfreg.ui.widgets import ago, state_badge
from hfreg.version import Version

FILE_ROUND = "start.file_round"


def draw(form: Form) -> None:
    """Draw *Start from*; a form that was begun keeps it folded."""
    if not form_draft.is_new(form.draft):
        return
    _begun_earlier()
    begun = form_draft.changed(form.draft)
    with st.expander("Start from a template, a registered model or a file", expanded=not begun, key="register.start"):
        titles = {template.task: template.title for template in templates.offered()}
        st.pills(
            "Template",
            list(titles),
            format_func=lambda task: titles[task],
            key="register.template",
            on_change=_template,
        )
        model, file = st.columns(2)
        known = form.registry.definitions.aliases()
        with model:
            st.selectbox(
                "Registered model",
                known,
                index=None,
                key="register.origin",
                on_change=_model,
                placeholder="Choose a model" if known else "None yet",
                disabled=not known,
            )
        with file:
            key = f"register.file.{session.get(FILE_ROUND, 0)}"
            st.file_uploader("Exported file", type="json", key=key, on_change=_file, args=(key,), max_upload_size=4)
    hub_start.draw(form)


def locked(version: Version) -> None:
    """Say why this version cannot be edited, and offer what can be done instead."""
    st.markdown(f"**{sentence(version.definition.title)}** version {version.number} {state_badge(version)}")
    registry = session.registry()
    with st.container(horizontal=True):
        if version.state == "Pending Approval":
            st.info("It waits for review, so nobody changes it. A reviewer can ask for changes, which reopens it.")
        else:
            st.info(f"It is {version.state} and stays as it is. Clone it to go on with version {version.number + 1}.")
    if registry.autosaves.find(form_draft.edit_key(version.alias), session.user()):
        st.caption("Your unsaved changes are kept: they wait for you in the next Draft.")
    with st.container(horizontal=True):
        if version.state != "Pending Approval":
            label = f"Clone as version {version.number + 1}"
            st.button(label, key="register.clone", type="primary", on_click=_clone, args=(version,))
        if st.button("Open the model", key="register.open_locked"):
            st.switch_page(frame.MODEL, query_params={"alias": version.alias, "version": str(version.number)})
    if problem := session.get(form_state.PROBLEM):
        st.error(sentence(problem))


def _begun_earlier() -> None:
    for kept in form_state.others()[:3]:
        draft = form_draft.restore(kept.data)
        name = (draft["fields"]["alias"] or draft["fields"]["name"]) if draft else ""
        with st.container(horizontal=True, vertical_alignment="center", key=f"register.begun.{kept.key}"):
            st.markdown(sentence(f"You began `{name or 'a model without a name'}` {ago(kept.at)} and did not save it."))
            st.button("Continue", key=f"register.continue.{kept.key}", on_click=_continue, args=(kept.key,))
            st.button("Drop it", key=f"register.drop.{kept.key}", on_click=_drop, args=(kept.key,), type="tertiary")


def _continue(key: str) -> None:
    form_state.go_on(key)


def _drop(key: str) -> None:
    session.registry().autosaves.delete(key, session.user())


def _template() -> None:
    template = templates.find(session.get("register.template") or "")
    if template is not None:
        form_state.fill(template.definition, f"Filled the form with the template {template.title}.")


def _model() -> None:
    alias = session.get("register.origin")
    try:
        definition = form_state.copied(session.registry(), alias)
    except HfregError as error:
        session.put(form_state.PROBLEM, str(error))
        return
    form_state.fill(definition, f"Filled the form with a copy of `{alias}`.")


def _file(key: str) -> None:
    uploaded = session.get(key)
    if uploaded is None:
        return
    session.put(FILE_ROUND, session.get(FILE_ROUND, 0) + 1)
    try:
        definition = portable.load(uploaded.getvalue())
    except HfregError as error:
        session.put(form_state.PROBLEM, f"{uploaded.name}: {error}")
        return
    form_state.fill(definition, f"Filled the form from {uploaded.name}.")


def _clone(version: Version) -> None:
    try:
        session.registry().clone(version.alias, version.number, author=session.user())
    except HfregError as error:
        session.put(form_state.PROBLEM, str(error))
