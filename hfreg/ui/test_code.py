"""Test code: the panel that runs the form as it stands, without saving it.

The call stands in an editor; its literal arguments are read, never run. The run goes on in the engine whether or
not anyone looks, and a fragment asks for it until it is done.
"""

from __future__ import annotations

import streamlit as st

from hfreg.errors import ArgumentError
from hfreg.ui import answers, form_state, live, session, test_call
from hfreg.ui.editor import Completion, EditorState, code_editor
from hfreg.ui.findings import sentence
from hfreg.ui.form_draft import place_name
from hfreg.ui.form_state import RUN, Form
from hfreg.ui.runs import LiveRun

EDITOR, CALL, REV, REFUSED, SEEN = (f"register.test.{name}" for name in ("call", "generated", "rev", "refused", "seen"))


def draw(form: Form, asked: bool) -> EditorState:
    """Draw the call, Run and Stop, and what came of it; `asked` runs it at once (Ctrl+Enter in the code)."""
    state = _editor(form)
    with st.container(horizontal=True):
        pressed = st.button("Run", key="register.test.run", icon=":material/play_arrow:")
        if form.draft["test_call"] is not None:
            st.button("Reset call", key="register.test.reset", on_click=_reset, type="tertiary")
    run = session.runs().find(session.get(RUN, ""))
    if pressed or asked or state.event == "run":
        run = _start(form, state.text)
    with st.container(key="register.test.result"):
        if problem := session.get(REFUSED):
            st.error(sentence(problem))
        elif run is None:
            st.caption("Runs the form as it stands, without saving it. The call is logged with source `test`.")
        else:
            _result(form, run)
    return state


def _result(form: Form, run: LiveRun) -> None:
    if not live.settle(run, 0.0 if run.id == session.get(SEEN) else live.WAIT_S) or run.outcome is None:
        session.put(SEEN, run.id)
        live.follow(run, "register.test")
        return
    ran, now = run.version.definition, form.definition
    if (ran.code_digest, ran.output_type, ran.arguments) != (now.code_digest, now.output_type, now.arguments):
        st.caption("The form has changed since this run.")
    answers.draw(run.outcome, run.version.definition, "register.test.answer")


def _editor(form: Form) -> EditorState:
    """Draw the call and return it; while nobody changes it, it follows the form."""
    fresh, mine = test_call.generated(form.definition), form.draft["test_call"]
    if session.get(CALL) != (fresh if mine is None else mine):
        session.put(REV, session.get(REV, 0) + 1)
        session.put(CALL, fresh if mine is None else mine)
    rev = session.get(REV)
    state = code_editor(
        EDITOR,
        session.get(CALL),
        label="Test Code",
        rev=rev,
        min_height=60,
        max_height=240,
        completions=[Completion(f"{a.alias}=", "property", a.type, a.usage) for a in form.definition.arguments],
        on_change=_changed,
    )
    _changed(state.text, rev)
    return state


def _changed(text: str, rev: int) -> None:
    if rev == session.get(REV) and text != session.get(CALL):
        session.put(CALL, text)
        form_state.current()["test_call"] = text
        form_state.touch()


def _reset() -> None:
    form_state.current()["test_call"] = None
    form_state.touch()


def _start(form: Form, text: str) -> LiveRun | None:
    """Begin the run, or say why not; an answer that comes at once is waited for."""
    session.drop(REFUSED)
    if form.errors:
        first = form.errors[0]
        where = place_name(first.field, form.draft) + (f", line {first.line}" if first.line else "")
        session.put(REFUSED, f"Nothing was run. {where}: {first.message}")
        return session.runs().find(session.get(RUN, ""))
    try:
        arguments = test_call.arguments_of(text, form.definition)
    except ArgumentError as error:
        session.put(REFUSED, f"Nothing was run. {error}")
        return session.runs().find(session.get(RUN, ""))
    user = session.user()
    run = session.runs().start(form.registry, form.registry.unsaved(form.definition, user), arguments, "test", user)
    session.put(RUN, run.id)
    return run
