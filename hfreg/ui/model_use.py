"""Model use: the calls of one model over the last thirty days, in a few numbers. All of it is on the Usage page."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from hfreg.errors import StoreError
from hfreg.store.events import CallFilter, utc_now
from hfreg.ui import frame, session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import ago, milliseconds
from hfreg.version import Version

DAYS = 30


def draw(version: Version) -> None:
    """Draw the calls of a model, all versions together."""
    now = utc_now()
    try:
        usage = session.registry().events.usage(CallFilter(now - timedelta(days=DAYS), alias=version.alias), now=now)
    except StoreError as error:
        st.error(sentence(str(error)))
        return
    tiles = usage.tiles
    if not tiles.calls:
        st.info(f"No calls in the last {DAYS} days. Try it in the Playground, or call it by its alias.")
        return
    st.caption(f"All versions, last {DAYS} days, every source. Durations are of calls that were answered.")
    told = (
        ("Calls", f"{tiles.calls:,}"),
        ("Without an answer", f"{tiles.calls - tiles.by_status.get('ok', 0):,}"),
        ("p50", "none" if tiles.p50 is None else milliseconds(tiles.p50)),
        ("p95", "none" if tiles.p95 is None else milliseconds(tiles.p95)),
        ("Cold loads", f"{tiles.cold:,}"),
    )
    with st.container(horizontal=True, key="use_tiles"):
        for label, value in told:
            st.metric(label, value, border=True, width=150)
    for group in usage.models:
        st.caption(f"Last call {ago(group.last_use)}.")
    for failure in usage.failures[:5]:
        st.markdown(sentence(f"{failure.calls} × {failure.status} {failure.kind}: {failure.message}"))
    st.page_link(
        frame.USAGE,
        label="All about its use",
        icon=":material/monitoring:",
        query_params={"alias": version.alias},
    )
