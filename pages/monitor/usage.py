"""Usage: what was called, by whom, how it ended and how long it took."""

from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from hfreg.errors import HfregError
from hfreg.metrics import Usage
from hfreg.registry import Registry
from hfreg.ui import call_log, charts, session, usage, usage_numbers, widgets
from hfreg.ui.findings import sentence
from hfreg.ui.usage import View

LOCAL, ZONE = usage.zone()


def pictures(registry: Registry, page: Usage, view: View) -> None:
    """Draw the charts; a period drawn in the first one becomes the range."""
    period = (page.since.astimezone(LOCAL), page.until.astimezone(LOCAL))
    left, right = st.columns(2)
    with left:
        st.subheader("Calls over time", anchor=False)
        st.caption("By status. Drag across the bars to look into a period.")
        chosen = charts.calls_over_time(page.buckets, period, usage.table_key("over_time"))
    with right:
        st.subheader("Latency over time", anchor=False)
        one = len(view.alias) == 1
        st.caption(f"Percentiles of answered calls{', dashed lines where a version begins' if one else ''}.")
        marks = [(v.created_at, f"version {v.number}") for v in usage.versions(registry, view.alias[0])] if one else []
        if page.histogram:
            charts.latency_over_time(page.buckets, period, marks, "usage.latency")
        else:
            st.text("No call was answered.")
    with left:
        st.subheader("How long calls took", anchor=False)
        st.caption("Answered calls, cold ones included.")
        if page.histogram:
            charts.latency_histogram(page.histogram, "usage.histogram")
        else:
            st.text("No call was answered.")
    with right:
        st.subheader("Hours of the week", anchor=False)
        st.caption(f"When calls came in, in {ZONE}.")
        charts.hours_of_week(page.hours, "usage.hours")
    if chosen:
        usage.go(usage.between(view, *chosen))


def tables(page: Usage, view: View) -> None:
    """Draw the tables; a row that is selected narrows the page to what it stands for."""
    st.caption("Select a row to see only its calls.")
    usage_numbers.models(page, view, LOCAL)
    left, right = st.columns(2)
    with left:
        usage_numbers.users(page, view, LOCAL)
    with right:
        usage_numbers.sources(page, view, LOCAL)
    usage_numbers.failures(page, view, LOCAL)


def draw(registry: Registry) -> None:
    """Draw the page from one look at the log."""
    view, now = usage.current(LOCAL), datetime.now(UTC)
    where = view.calls(now)
    try:
        page = registry.events.usage(where, LOCAL, now)
    except HfregError as error:
        st.error(f"**The call log cannot be read.** {sentence(str(error))}")
        st.caption("Calls are answered all the same; what they leave behind waits in memory.")
        st.button("Try again", key="usage.again", icon=":material/refresh:")
        return
    usage.filters(view, registry.definitions.aliases())
    usage.freshness(registry.events, page, now.astimezone(LOCAL), ZONE)
    if page.tiles.calls == 0:
        usage_numbers.nothing(page, view)
    else:
        usage_numbers.tiles(page)
        pictures(registry, page, view)
        tables(page, view)
        call_log.recent(registry, replace(where, until=page.until), page, LOCAL)
    if call_id := session.param("call"):
        call_log.opened(registry, call_id, LOCAL, ZONE)


widgets.title("Usage", "What was called, by whom, how it ended and how long it took.")
draw(session.registry())
