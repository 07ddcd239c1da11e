"""The page that test_editor.py opens: an editor with a draft, read-only code and a difference, and what Python has."""

import streamlit as st

from hfreg.ui import leaving
from hfreg.ui.editor import Marker, code_diff, code_editor, current_text

START = "def score(text):\n    return 1\n"

memory = st.session_state


def take(text: str) -> None:
    memory.rev += 1
    memory.draft = text


def reset() -> None:
    take(START)
    memory.events = []


def keep(text: str, rev: int) -> None:
    if rev == memory.rev:
        memory.draft = text


def marks(text: str) -> list[Marker]:
    places = [(number, line.find("oops")) for number, line in enumerate(text.splitlines(), 1)]
    return [Marker(number, "undefined name 'oops'", col=found + 1) for number, found in places if found >= 0]


def edit() -> None:
    memory.runs += 1
    st.button("Reset", on_click=reset)
    st.button("Template", on_click=take, args=["print('from Python')\n"])
    text = current_text("code", memory.draft, rev=memory.rev)
    state = code_editor(
        "code",
        text,
        label="Scoring logic",
        rev=memory.rev,
        markers=marks(text),
        completions=[{"label": "confidence_threshold", "detail": "number"}],
        debounce_ms=150,
        on_change=keep,
    )
    memory.events += [state.event] if state.event else []
    st.button("Rerun")
    st.button("Elsewhere", shortcut="Ctrl+Enter", on_click=memory.events.append, args=["button"])
    st.text(f"rev={memory.rev} runs={memory.runs} events=[{' '.join(memory.events)}]")
    st.text_area("Text in Python", state.text, key=f"echo{hash(state.text)}", height=300)
    code_editor("shown", "x = 1", label="Read only", readonly=True, min_height=40)
    code_diff("diff", "a = 1\nold = 2\n", "a = 1\nnew = 3\nmore = 4\n", label="Version 1 to 2")


if "draft" not in memory:
    memory.update(rev=0, runs=0)
    reset()
st.navigation([st.Page(edit, title="Edit"), st.Page(lambda: st.text("elsewhere"), title="Away", url_path="away")]).run()
leaving.take_fields_first()
