"""Frame: what stands around every page — navigation, who you are, how code runs, whether the Hub is in reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from hfreg.lifecycle import State
from hfreg.ui import session
from hfreg.ui.widgets import plain

MODELS = "pages/catalog/models.py"
REGISTER = "pages/catalog/register.py"
MODEL = "pages/catalog/model.py"
PLAYGROUND = "pages/try_it/playground.py"
SIMULATION = "pages/try_it/simulation.py"
COMPARISON = "pages/try_it/comparison.py"
THRESHOLDS = "pages/try_it/thresholds.py"
USAGE = "pages/monitor/usage.py"
LOADED = "pages/monitor/loaded.py"
INTEGRATIONS = "pages/settings/integrations.py"

STATIC = Path(__file__).parents[2] / "static"
MARK, ICON = STATIC / "logo.svg", STATIC / "favicon.png"
STYLE = """<style>
[data-testid="stMainBlockContainer"] {padding: 3.5rem 3.5rem 6rem}
[data-testid="stTabs"] [role="tab"][aria-selected="true"] {color: inherit; font-weight: 600}
@media (max-width: 640px) {[data-testid="stMainBlockContainer"] {padding: 3.5rem 1rem 4rem}}
</style>"""
PUBLIC_HUB = "https://huggingface.co"
TIERS = {
    "remote": "The model runs elsewhere and is called over the network; its code, if any, runs as every other here.",
    "confined": "Each loaded model is a process that reaches nothing but its own files; time and memory are limited.",
    "process only": "Each loaded model is a process with limits of time and memory. This kernel cannot confine it: "
    "it can do what the user of the workbench can.",
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
        "Try it": [
            st.Page(PLAYGROUND, title=":material/play_circle: Playground", url_path="playground"),
            st.Page(SIMULATION, title=":material/table_rows: Simulation", url_path="simulation"),
            st.Page(COMPARISON, title=":material/compare_arrows: Comparison", url_path="comparison"),
            st.Page(THRESHOLDS, title=":material/tune: Threshold studio", url_path="thresholds"),
        ],
        "Monitor": [
            st.Page(USAGE, title=":material/monitoring: Usage", url_path="usage"),
            st.Page(LOADED, title=":material/memory: Loaded models", url_path="loaded"),
        ],
        "Settings": [st.Page(INTEGRATIONS, title=":material/key: Platform Integrations", url_path="integrations")],
    }


def sidebar() -> None:
    """Draw the product mark, and what stands below the navigation."""
    st.html(STYLE)
    st.logo(str(MARK), size="medium", icon_image=str(ICON))
    registry = session.registry()
    tier = registry.engine.tier
    waiting = len(registry.catalog(state=State.PENDING))
    with st.sidebar.container(key="frame_status", gap="xxsmall"):
        if waiting:
            st.page_link(
                MODELS,
                label=f":orange-badge[{waiting} waiting for review]",
                query_params={"state": State.PENDING},
            )
        st.caption(f":material/person: {plain(session.user())}")
        st.caption(f":material/shield: Engine: {tier}", help=TIERS.get(tier))
        st.caption(f":material/cloud: Hub: {_hub()}")


def _hub() -> str:
    hub = session.registry().hub
    if hub.offline:
        return "offline"
    return "online" if hub.endpoint == PUBLIC_HUB else f"mirror {plain(hub.endpoint)}"
