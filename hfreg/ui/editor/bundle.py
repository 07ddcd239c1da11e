"""Where the browser part lies and how a page asks for it.

Covers: the address of ``static/editor/editor.js``, which Streamlit serves beside ``app.py``, and the few lines of
JavaScript that go with each rerun in place of the whole bundle. Does not: build it (``frontend/``).
"""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import streamlit as st

BUNDLE = Path(__file__).parents[3] / "static" / "editor" / "editor.js"

# Sent with every rerun that changes something, so it stays small. If the file does not arrive (an app started from
# another folder, a proxy in between), a plain field takes its place; the text still reaches Python.
# One promise for all calls, so that two reruns during the download are drawn in their order.
LOADER = """
let loading
export default async function (component) {
  const { data, parentElement, setStateValue } = component
  let bundle
  try {
    bundle = await (loading ??= import(new URL(data.src, location.origin)))
  } catch (error) {
    console.error("The editor did not load.", error)
    if (parentElement.querySelector("textarea")?.dataset.rev === String(data.rev)) return
    const field = document.createElement("textarea")
    Object.assign(field, { value: data.value ?? data.after, rows: 14, ariaLabel: data.label, readOnly: data.readonly })
    field.style.cssText = "width: 100%; font: 0.875rem monospace; box-sizing: border-box"
    field.dataset.rev = data.rev
    field.onkeydown = (event) => event.stopPropagation()
    field.onchange = () => setStateValue("document", { rev: data.rev, text: field.value })
    parentElement.replaceChildren(data.label + " (the editor did not load; this is a plain field)", field)
    return
  }
  return bundle[data.kind](component)
}
"""


def find_bundle_url(bundle: Path) -> str | None:
    """Return the address of `bundle` on this server, or None if it is missing or static serving is off."""
    if not st.get_option("server.enableStaticServing") or not bundle.is_file():
        return None
    prefix = str(st.get_option("server.baseUrlPath") or "").strip("/")
    path = f"/{prefix}/app/static/editor/{bundle.name}".replace("//", "/")
    return f"{path}?v={_digest(bundle, bundle.stat().st_mtime_ns)}"


@lru_cache(maxsize=4)
def _digest(bundle: Path, changed: int) -> str:
    # The time of change is only part of the key: a rebuilt bundle gets a new address without a restart.
    return sha256(bundle.read_bytes()).hexdigest()[:12]
