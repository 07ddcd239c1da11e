"""New model / Edit: the registration form, with contract, findings and Test Code beside it."""

import streamlit as st

from hfreg.errors import UnknownModel
from hfreg.ui import (
    contract,
    findings,
    form_save,
    form_start,
    form_state,
    forms,
    frame,
    keys,
    session,
    test_code,
    widgets,
)
from hfreg.ui.findings import sentence
from hfreg.ui.form_draft import place_name
from hfreg.ui.form_state import Form


def side(form: Form, asked: bool) -> bool:
    """Draw what stands beside the form; returns whether to save."""
    pressed = form_save.bar(form)
    with st.container(border=True, key="register.test"):
        st.subheader("Test Code", anchor="test-code")
        state = test_code.draw(form, asked)
    with st.container(border=True, key="register.findings"):
        st.subheader("Findings", anchor="findings")
        findings.listed(form.findings, lambda field: place_name(field, form.draft), forms.anchor)
        if not form.findings:
            st.caption("Nothing to say: this can be saved.")
    with st.container(border=True, key="register.contract"):
        st.subheader("Contract", anchor="contract")
        contract.draw(form)
    return pressed or state.event == "save"


def page() -> None:
    """Draw the form of the draft that the address asks for."""
    alias = session.param("alias")
    widgets.title(
        f"Edit {sentence(alias)}" if alias else "New Model",
        "Register a Hugging Face model under an alias: what it takes, what it answers, and the code between.",
    )
    try:
        version = form_state.locked()
    except UnknownModel as error:
        widgets.empty(sentence(str(error)))
        st.page_link(frame.REGISTER, label="Register a new model")
        return
    if version is not None:
        form_start.locked(version)
        return
    form_state.open_draft()
    forms.take_sent()
    form = Form(session.registry(), form_state.current())
    forms.style()
    keys.commit_before_shortcuts("register.keys")
    with st.container(key="register.messages"):
        form_save.messages(form)
    with st.container(key="register.begin"):
        form_start.draw(form)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        state = forms.draw(form)
    with right, st.container(key="register.side"):
        save = side(form, asked=state.event == "run")
    if save or state.event == "save":
        form_save.save(form_state.current())
        st.rerun()


page()
