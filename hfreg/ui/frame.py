"""Frame: what stands around every page — navigation, who you are, how code runs, whether the Hub is in reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from hfreg.lifecycle import State
from hfreg.ui import session

MODELS = "pages/catalog/models.py"
REGISTER = "pages/catalog/register.py"
MODEL = "pages/catalog/model.py"
PLAYGROUND = "pages/try_it/playground.py"
USAGE = "pages/monitor/usage.py"
INTEGRATIONS = "pages/settings/integrations.py"

TIERS = {
    "inline": "Scoring logic runs inside the workbench, unconfined: it can do what this process can. "
    "Register only code that you would run yourself.",
}


def pages() -> Mapping[str, Sequence[Any]]:
    """Return the pages by section; icons stand in the titles, where they need no font from elsewhere."""
    return {
        "Catalog": [
            st.Page(MODELS, title=":material/deployed_code: Models", url_path="models", default=True),
            st.Page(REGISTER, title=":material/add_circle: New model", url_path="register"),
            st.Page(MODEL, title="Model", url_path="model", visibility="hidden"),
        ],
        "Try it": [st.Page(PLAYGROUND, title=":material/play_circle: Playground", url_path="playground")],
        "Monitor": [st.Page(USAGE, title=":material/monitoring: Usage", url_path="usage")],
        "Settings": [st.Page(INTEGRATIONS, title=":material/key: Platform Integrations", url_path="integrations")],
    }


def sidebar() -> None:
    """Draw what stands below the navigation."""
    registry = session.registry()
    tier = registry.engine.tier
    waiting = registry.catalog(state=State.PENDING)
    with st.sidebar.container(key="frame_status"):
        st.markdown(f":material/person: **{session.user()}**")
        st.markdown(f":material/shield: Engine: **{tier}**", help=TIERS.get(tier))
        hub = "offline" if registry.hub.offline else "online"
        mirror = "" if registry.hub.endpoint == "https://huggingface.co" else f", mirror {registry.hub.endpoint}"
        st.markdown(f":material/cloud: Hub: **{hub}**{mirror}")
        if waiting:
            st.page_link(MODELS, label=f"{len(waiting)} waiting for review", query_params={"state": State.PENDING})
