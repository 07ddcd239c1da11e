"""Option fields: the advanced options in an expander of the form, with what each of them does here."""

from __future__ import annotations

import json

import streamlit as st

from hfreg.options import DEVICES, DTYPES, MAX_THREADS, QUANTIZATIONS
from hfreg.ui import findings, form_fields, form_state, session
from hfreg.ui.form_fields import hold
from hfreg.ui.form_state import Form

WARM_UP, PROBLEM = "register.warm_up", "register.warm_up_problem"


def draw(form: Form) -> None:
    """Draw them; what is wrong with one stands under it."""
    with st.expander("Advanced options", key="register.options"):
        left, right = st.columns(2)
        with left:
            help_ = "For loads whose code names no device. A confined model has the processor alone."
            form_fields.choice(form, "device", "Device", DEVICES, help=help_)
            help_ = "Threads of torch in the model's process; empty is one. The inline engine leaves them as they are."
            form_fields.number(
                form, "threads", "Threads", min_value=1, max_value=MAX_THREADS, step=1, placeholder="1", help=help_
            )
        with right:
            help_ = "For loads whose code names no dtype. bfloat16 and float16 take half the memory and are less exact."
            form_fields.choice(form, "dtype", "Weights as", DTYPES, help=help_)
            help_ = (
                "int8: the linear layers of an encoder, on the processor. Often faster and a quarter of the weights; "
            )
            help_ += "answers differ a little, and rows do not share forward passes. Compare before you rely on it."
            form_fields.choice(form, "quantization", "Quantization", QUANTIZATIONS[1:], placeholder="None", help=help_)
            findings.beside(form.at("quantization"))
        form_fields.switch(
            form, "keep_loaded", "Keep loaded", help="Once loaded it makes no room for others, until it is unloaded."
        )
        _warm_up(form)


def _warm_up(form: Form) -> None:
    given = form.draft["fields"]["warm_up"]
    text = json.dumps(given, ensure_ascii=False) if given is not None else ""
    take = hold(WARM_UP, session.get(WARM_UP) if session.get(PROBLEM) else text, _take)
    st.text_input(
        "Warm-up input",
        key=WARM_UP,
        placeholder='{"text": "…"}',
        help="The arguments of the call that runs when the model is loaded ahead of its first call, as JSON. "
        "Empty: its first example.",
        on_change=take,
    )
    if problem := session.get(PROBLEM):
        st.error(problem)
    findings.beside(form.at("warm_up"))


def _take() -> None:
    text = (session.get(WARM_UP) or "").strip()
    session.drop(PROBLEM)
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        value = text
    if value is not None and not isinstance(value, dict):
        session.put(PROBLEM, 'Write the arguments as JSON, such as {"text": "a sentence"}.')
        return
    form_state.write("warm_up", value)
