"""Endpoint fields: where an API Based model is called, and which argument is sent as which parameter.

Drawn into the cards of the form when that input type is chosen; what was entered stays when another is.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from hfreg.endpoint import MAX_RETRIES, MAX_TIMEOUT_S, PROVIDERS, STREAMED, TASKS
from hfreg.ui import findings, form_fields, form_state, session
from hfreg.ui.findings import sentence
from hfreg.ui.form_fields import hold
from hfreg.ui.form_state import Form

BY_NAME, NOT_SENT = "", "not sent"


def chosen(form: Form) -> bool:
    """Whether the model of the form is called elsewhere."""
    return form.definition.endpoint is not None


def address(form: Form) -> None:
    """Draw who is called, and for which task."""
    with st.container(key="register.endpoint"):
        form_fields.choice(
            form,
            "endpoint_task",
            "Task",
            tuple(TASKS),
            help="What the model does. It decides which parameters there are and what the reply looks like.",
        )
        left, right = st.columns([2, 3])
        with left:
            form_fields.choice(
                form,
                "endpoint_provider",
                "Inference Provider",
                PROVIDERS,
                disabled=bool(form.draft["fields"]["endpoint_base_url"]),
                help="Who runs the model for the Hub; auto lets the Hub choose. Not used with a server address.",
            )
        with right:
            form_fields.text(
                form,
                "endpoint_model",
                "Model",
                placeholder="owner/name",
                help="A model of the Hub; with a server address the name that the server wants, if any.",
            )
        form_fields.text(
            form,
            "endpoint_base_url",
            "Server Address (instead of a provider)",
            live=True,
            placeholder="https://…endpoints.huggingface.cloud, http://127.0.0.1:8000/v1",
            help="An Inference Endpoint, TGI, vLLM or `transformers serve`.",
        )
        if form.draft["fields"]["endpoint_base_url"]:
            form_fields.switch(form, "endpoint_send_token", "Send the Hugging Face token to this address")
            st.caption("Whoever runs the server can read and use the token. Reviewers see the switch.")
        _patience(form)


def mapping(form: Form) -> None:
    """Draw for each argument what it is sent as."""
    endpoint, arguments = form.definition.endpoint, [(a.alias, a.type) for a in form.definition.arguments if a.alias]
    task = TASKS.get(endpoint.task) if endpoint else None
    if endpoint is None or task is None or not arguments:
        st.caption("Choose the task and add an argument; then it is said here what each one is sent as.")
        return
    st.markdown("Sent as")
    sent = endpoint.sent_as(arguments)
    by_name = endpoint.model_copy(update={"parameters": {}}).sent_as(arguments)
    for alias, _ in arguments:
        key, given = f"register.sent_as.{alias}", endpoint.parameters
        value = BY_NAME if alias not in given else given[alias] or NOT_SENT
        usual = f"{by_name.get(alias, NOT_SENT)} (by its name)"
        known = [BY_NAME, *task.parameters, NOT_SENT]
        options = known if value in known else [*known, value]
        take = hold(key, value, partial(_take, alias))
        st.selectbox(
            sentence(f"`{alias}`"),
            options,
            key=key,
            format_func=partial(_named, usual),
            on_change=take,
        )
    st.caption(sentence("Sent: " + (", ".join(f"`{alias}` as {name}" for alias, name in sent.items()) or "nothing.")))
    findings.beside(form.at("endpoint_parameters"))


def _patience(form: Form) -> None:
    with st.expander("Waiting and retries", key="register.endpoint_patience"):
        form_fields.number(
            form,
            "endpoint_timeout_s",
            "Timeout (seconds)",
            min_value=0.1,
            max_value=MAX_TIMEOUT_S,
            help="How long one answer may take; the time limit of the call counts all of them.",
        )
        form_fields.number(
            form,
            "endpoint_retries",
            "Retries",
            min_value=0,
            max_value=MAX_RETRIES,
            help="How often a server that is busy (429) or not ready (503) is asked again.",
        )
        if form.draft["fields"]["endpoint_task"] in STREAMED:
            form_fields.switch(
                form,
                "endpoint_stream",
                "Ask for the answer in pieces",
                help="The playground shows a text while it is written. Switch it off for a server that cannot stream.",
            )
        form_fields.switch(form, "endpoint_wait_for_model", "Have the server wait until the model is loaded")


def _named(usual: str, option: str) -> str:
    return option or usual


def _take(alias: str) -> None:
    given = dict(form_state.current()["fields"]["endpoint_parameters"])
    value = session.get(f"register.sent_as.{alias}")
    given.pop(alias, None)
    if value != BY_NAME:
        given[alias] = "" if value == NOT_SENT else value
    form_state.write("endpoint_parameters", given)
