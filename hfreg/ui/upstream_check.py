"""Upstream check: what changed on the Hub since the shown version was registered, asked on the model page by a button.

It asks only when the button is pressed. What was found belongs to one save of one version and is shown with no other.
"""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from hfreg.hub.upstream import Upstream, sources_of
from hfreg.ui import session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import moment, plain
from hfreg.version import Version

NAME = "model_upstream"
FOUND = f"{NAME}.found"
BUTTON = "Look for changes on the Hub"
HELP = "One request for each source. Nothing is downloaded."


def draw(version: Version) -> None:
    """Draw the button where a source is on the Hub, and what the last look found."""
    if not sources_of(version):
        return
    registry, shown = session.registry(), (version.alias, version.number, version.snapshot)
    if st.button(BUTTON, key=NAME, icon=":material/update:", help=HELP):
        with st.spinner(f"Asking {plain(registry.hub.endpoint)} …"):
            session.put(FOUND, (shown, registry.upstream(version.alias, version.number), datetime.now(UTC)))
    kept = session.get(FOUND)
    if kept is None or kept[0] != shown:
        return
    with st.container(key=f"{NAME}_found", gap="xsmall"):
        for found in kept[1]:
            st.markdown(f"{_icon(found)} {sentence(str(found))}")
        st.caption(f"Asked {moment(kept[2])}. This version keeps the commits that it was registered with.")


def _icon(found: Upstream) -> str:
    if found.changed:
        return ":orange[:material/update:]"
    return ":gray[:material/cloud_off:]" if found.error else ":green[:material/check:]"
