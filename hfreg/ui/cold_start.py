"""Cold start: a deep link as the first visit of a fresh server opens its page, and nothing in the way of it.

Until `st.navigation` was called once in a process, Streamlit takes the folder `pages/` for its older way of
building apps: it finds no script there for the address, says "Page not found" in a dialog over the whole page,
and then runs app.py, which shows the right one. This closes that one dialog, on that one run.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

CLOSE = """<script>
const until = Date.now() + 5000;
const close = () => {
  for (const dialog of document.querySelectorAll('[role="dialog"]')) {
    if (dialog.textContent.includes("Page not found")) {
      dialog.querySelector('button[aria-label="Close"]')?.click();
      return;
    }
  }
  if (Date.now() < until) setTimeout(close, 50);
};
close();
</script>"""


def is_first_run() -> bool:
    """Say whether this process has not called `st.navigation` yet; to be asked before it does."""
    return bool(PagesManager.uses_pages_directory)


def close_dialog() -> None:
    """Take away the dialog of the first run."""
    st.sidebar.html(CLOSE, unsafe_allow_javascript=True)
