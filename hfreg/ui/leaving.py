"""Leaving: what was typed or chosen last is taken before another page opens.

A field hands its value over when it is left. A click on a link leaves it and asks for the next page at once, and that
request carries no fields and stops the script run that would have taken the value, if it has not begun: the value was
lost, now and then. So a link waits until Python says that it has everything; the links of the navigation, those to
pages, and the product mark. Not covered: Back and Forward, closing or reloading the tab while a field is typed in, and
the moments of a first page before the browser has loaded this.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from hfreg.ui import session

KEY = "frame.leaving"
SCRIPT = """
const LINKS = "[data-testid=stSidebarNavLink], [data-testid=stPageLink-NavLink], [data-testid=stLogoLink]"
const PATIENCE_MS = 5000 // a server that does not answer keeps nobody here
const sameTab = (event, link) =>
  event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && link.target !== "_blank"

let ask = null // sends a number; Python sends it back with the next run, so that what was sent with it has arrived
let asked = 0
let touched = true // since Python last had everything; who knows what was typed before this was loaded
let held = null
let timer

const touch = () => { touched = true }

function clicked(event) {
  const link = event.target.closest?.(LINKS)
  if (!link) return touch()
  if (!ask || !touched || !sameTab(event, link)) return
  event.preventDefault()
  event.stopImmediatePropagation()
  held = link
  document.activeElement?.blur()
  clearTimeout(timer)
  timer = setTimeout(leave, PATIENCE_MS)
  setTimeout(() => ask?.(asked = Date.now()), 0) // after the field that was left
}

function leave() {
  clearTimeout(timer)
  const link = held
  held = null
  touched = false
  const same = `a[href="${CSS.escape(link?.getAttribute("href") ?? "")}"]` // where it was drawn anew meanwhile
  const there = link?.isConnected ? link : document.querySelector(same)
  there?.click()
}

for (const change of ["input", "change", "keydown"]) document.addEventListener(change, touch, true)
document.addEventListener("click", clicked, true)
document.documentElement.dataset.fieldsFirst = "ready"

export default function ({ data, setStateValue }) {
  ask = (number) => setStateValue("asked", number)
  if (held && data.seen === asked) leave()
}
"""
HIDDEN = "<style>.st-key-frame-leaving-box {display: none}</style>"

_mount = st.components.v2.component("hfreg_leaving", js=SCRIPT)


def take_fields_first() -> None:
    """Let links to other pages wait for the fields of this one; draws nothing. To be called after the page is drawn."""
    sent = session.get(KEY)
    seen = sent.get("asked") if isinstance(sent, Mapping) else None
    with st.sidebar.container(height=1, key=f"{KEY}.box", border=False):
        st.html(HIDDEN)
        _mount(key=KEY, data={"seen": seen}, on_asked_change=lambda: None)
