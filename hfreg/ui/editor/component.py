"""Draw the editor and the difference in a page.

Covers: mounting the component, reading what it sent, and the plain widgets used when its file is missing.
Does not: hold the text. Streamlit drops a component's state on a page switch, so the caller keeps a draft.
"""

from collections.abc import Callable, Mapping, Sequence
from difflib import unified_diff
from typing import Any, get_args

import streamlit as st

from hfreg.ui import session
from hfreg.ui.editor import bundle
from hfreg.ui.editor.content import Completion, EditorState, Event, Marker, as_data, entries

_mount = st.components.v2.component("hfreg_editor", js=bundle.LOADER)


def code_editor(
    key: str,
    value: str,
    *,
    label: str,
    rev: int = 0,
    completions: Sequence[Completion | Mapping[str, Any]] = (),
    markers: Sequence[Marker | Mapping[str, Any]] = (),
    readonly: bool = False,
    min_height: int = 220,
    max_height: int = 480,
    debounce_ms: int = 600,
    on_change: Callable[[str, int], None] | None = None,
) -> EditorState:
    """Draw an editor and return its text and the event of this rerun.

    `value` is what a fresh editor shows: pass the draft. A drawn one keeps what the user typed until `rev` changes
    (a read-only one always shows `value`).
    `on_change` gets the new text and its rev before the script runs, also when the user leaves for another page;
    it ignores a rev that is no longer the draft's, because a button's callback may have raised it a moment ago.
    Heights are pixels; text arrives `debounce_ms` after the last key.
    """
    found = entries(Marker, markers)
    url = bundle.find_bundle_url(bundle.BUNDLE)

    def changed() -> None:
        if on_change is not None:
            on_change(current_text(key, value, rev=rev), rev)

    if url is None:
        return _plain_editor(_plain_key(key, rev), value, label, found, readonly, min_height, changed)
    data = {
        "kind": "editor", "src": url, "key": key, "label": label, "value": value, "rev": rev, "readonly": readonly,
        "completions": as_data(entries(Completion, completions)), "markers": as_data(found),
        "min_height": min_height, "max_height": max_height, "debounce": debounce_ms,
    }  # fmt: skip
    result = _mount(key=key, data=data, on_document_change=changed, on_pressed_change=lambda: None)
    return EditorState(value) if readonly else _answer(result, value, rev)


def current_text(key: str, value: str, *, rev: int = 0) -> str:
    """Return what the browser last sent for the editor `key`, before it is drawn; `value` if it sent nothing.

    Check this text for markers: they then belong to what the user sees, not to the rerun before.
    """
    plain = session.get(_plain_key(key, rev))
    if isinstance(plain, str):
        return plain
    return _answer(session.get(key), value, rev).text


def code_diff(key: str, before: str, after: str, *, label: str, max_height: int = 480) -> None:
    """Draw what turns `before` into `after`, read-only: removed lines red, added ones green, the rest folded."""
    url = bundle.find_bundle_url(bundle.BUNDLE)
    if url is None:
        lines = unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="")
        st.caption(label)
        st.code("\n".join(lines) or "no difference", language="diff")
        return
    _mount(
        key=key,
        data={
            "kind": "difference", "src": url, "key": key, "label": label, "before": before, "after": after,
            "readonly": True, "max_height": max_height,
        },
    )  # fmt: skip


def _answer(sent: object, value: str, rev: int) -> EditorState:
    """Read the component's state; what belongs to an older `rev` was replaced by `value` and counts no more."""
    state = sent if isinstance(sent, Mapping) else {}
    for name in ("pressed", "document"):
        message = state.get(name)
        # The browser wrote it, so its shape is checked like any other input.
        if isinstance(message, Mapping) and message.get("rev") == rev and isinstance(message.get("text"), str):
            event = message.get("event", "")
            return EditorState(message["text"], event if event in get_args(Event) else "")
    return EditorState(value)


def _plain_key(key: str, rev: int) -> str:
    return f"{key}@{rev}"


def _plain_editor(
    key: str, value: str, label: str, found: Sequence[Marker], readonly: bool, height: int, changed: Callable[[], None]
) -> EditorState:
    if readonly:
        st.caption(label)
        st.code(value, language="python")
        text = value
    else:
        text = st.text_area(label, value, key=key, height=height, on_change=changed)
    for marker in found:
        st.text(f"{marker.severity.capitalize()}. {marker}")
    return EditorState(text)
