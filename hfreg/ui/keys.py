"""Keys: what is being typed counts when a shortcut is pressed.

A text field hands its text over when it is left, and a shortcut such as Ctrl+S leaves nothing, so the last words
would be missing from what is saved. These few lines leave the field and come back to it before the shortcut acts.
"""

from __future__ import annotations

import streamlit as st

SCRIPT = """
export default function () {
  const commit = (event) => {
    const field = event.target
    const shortcut = (event.ctrlKey || event.metaKey) && ["s", "enter"].includes(event.key.toLowerCase())
    if (!shortcut || !field.matches?.("input, textarea")) return
    field.blur()
    field.focus()
  }
  document.addEventListener("keydown", commit, true)
  return () => document.removeEventListener("keydown", commit, true)
}
"""

_mount = st.components.v2.component("hfreg_keys", js=SCRIPT)


def commit_before_shortcuts(key: str) -> None:
    """Let Ctrl+S and Ctrl+Enter take the text of the field they are pressed in; draws nothing."""
    with st.container(height=1, key=f"{key}.box", border=False):
        _mount(key=key)
