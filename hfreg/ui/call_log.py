"""Call log: the list of calls on the Usage page, one call with all that is known of it, and the CSV.

The list is a fragment: turning its pages reads the same snapshot as the numbers above it, so that they agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import tzinfo
from typing import Any

import streamlit as st

from hfreg.errors import HfregError
from hfreg.metrics import Usage
from hfreg.metrics.sketch import Sketch
from hfreg.registry import Registry
from hfreg.store.calls import Call, CallFilter, calls_csv
from hfreg.ui import check_saving, frame, session, usage, usage_numbers
from hfreg.ui.findings import sentence
from hfreg.ui.usage_numbers import clock, safe, table
from hfreg.ui.widgets import STATE_COLOURS, Colour, milliseconds, plain, size

ROWS = 25
MOST_ROWS_CSV = 100_000
STATUS_COLOURS: dict[str, Colour] = {"ok": "green", "error": "red", "timeout": "orange"}
NOT_STORED = (
    "The arguments and the answer of this call are not stored. Whether those of later calls are is a switch of each "
    "model: **Store texts and answers of each call**, under Additional Information in its form."
)


@st.fragment
def recent(registry: Registry, where: CallFilter, page: Usage, local: tzinfo) -> None:
    """Draw one page of the calls that the numbers of `page` count, the newest first."""
    where = replace(where, since=page.since, until=page.until)
    total = page.tiles.calls
    first = _first(total, where)
    try:
        calls = registry.events.calls(where, limit=ROWS, offset=first, up_to=page.last_seq)
    except HfregError as error:
        st.error(sentence(str(error)))
        return
    with st.container(horizontal=True, vertical_alignment="center", key="usage.log"):
        st.subheader("Calls", anchor=False)
        st.markdown(f"{first + 1:,}–{first + len(calls):,} of {total:,}", width="stretch")
        back, on = first == 0, first + ROWS >= total
        st.button("Newer", key="usage.newer", icon=":material/chevron_left:", disabled=back, on_click=_turn, args=[-1])
        st.button("Older", key="usage.older", icon=":material/chevron_right:", disabled=on, on_click=_turn, args=[1])
        _download(registry, where, page)
    if (row := table("calls", _columns(calls, local), _FORMATS)) is not None:
        session.set_param("call", calls[row].id)
        session.put(usage.TABLES, session.get(usage.TABLES, 0) + 1)
        st.rerun()


def opened(registry: Registry, call_id: str, local: tzinfo, zone_name: str) -> None:
    """Draw the call that the address names, over the page."""
    show = st.dialog("Call", width="medium", on_dismiss=close)(_draw)
    show(registry, call_id, local, zone_name)


def close() -> None:
    """Take the call out of the address."""
    session.set_param("call", None)


def csv_of(registry: Registry, where: CallFilter, up_to: int) -> Callable[[], bytes]:
    """Return what makes the CSV of the newest calls when somebody asks for it."""

    def make() -> bytes:
        return calls_csv(registry.events.calls(where, limit=MOST_ROWS_CSV, up_to=up_to)).encode()

    return make


def _download(registry: Registry, where: CallFilter, page: Usage) -> None:
    total = page.tiles.calls
    bounded = f"The newest {MOST_ROWS_CSV:,} of {total:,} calls" if total > MOST_ROWS_CSV else f"All {total:,} calls"
    st.download_button(
        "Download CSV",
        csv_of(registry, where, page.last_seq),
        file_name=f"hfreg-calls-{page.until:%Y%m%d-%H%M%S}.csv",
        mime="text/csv",
        key="usage.csv",
        icon=":material/download:",
        on_click="ignore",
        help=f"{bounded} of this range and these filters, times in UTC. No cell is a formula to a spreadsheet.",
    )


def _first(total: int, where: CallFilter) -> int:
    """Return the number of the first call on this page of the list; another filter begins at the newest."""
    about = replace(where, since=None, until=None)
    if session.get("usage.listed") != about:
        session.put("usage.listed", about)
        session.put("usage.turned", 0)
    last = max(0, (total - 1) // ROWS)
    turned = min(max(0, session.get("usage.turned", 0)), last)
    session.put("usage.turned", turned)
    return int(turned) * ROWS


def _turn(by: int) -> None:
    session.put("usage.turned", session.get("usage.turned", 0) + by)


_FORMATS: dict[str, Any] = {
    "Time": st.column_config.NumberColumn("Took (ms)", format="%.1f"),
    "Error": st.column_config.TextColumn(width="medium"),
}


def _columns(calls: list[Call], local: tzinfo) -> dict[str, Any]:
    return {
        "When": [clock(call.at, local) for call in calls],
        "Model": [call.alias for call in calls],
        "Version": [f"{call.version or 'not saved'}" for call in calls],
        "Status": [call.status for call in calls],
        "Time": [call.total_ms for call in calls],
        "Cold": ["cold" if call.cold else "" for call in calls],
        "Source": [call.source for call in calls],
        "User": [safe(call.user) for call in calls],
        "Error": [safe(f"{call.error_kind}: {call.error}") if call.error_kind else "" for call in calls],
    }


def _draw(registry: Registry, call_id: str, local: tzinfo, zone_name: str) -> None:
    try:
        call = registry.events.get(call_id)
    except HfregError as error:
        st.error(sentence(str(error)))
        return
    colour = STATUS_COLOURS.get(call.status, "gray")
    state = next((c for name, c in STATE_COLOURS.items() if name == call.state), "gray")
    version = f"version {call.version}" if call.version else "not saved"
    st.markdown(
        f"**`{call.alias}`** {version} · :{colour}-badge[{call.status}] :{state}-badge[{plain(call.state)}] "
        f":{'blue' if call.cold else 'gray'}-badge[{'cold' if call.cold else 'warm'}]"
    )
    st.caption(f"{clock(call.at, local)} ({zone_name}), by {plain(call.user)}, through {plain(call.source)}")
    if call.error_kind or call.error:
        st.error(f"**{plain(call.error_kind)}**  \n{sentence(call.error)}")
    if call.rows:
        _rows(call)
    else:
        _timings(call)
    _facts(call)
    if not call.rows:
        _payloads(registry, call)
    if call.version:
        _links(call)


def _rows(call: Call) -> None:
    """Draw what one record says of many rows."""
    sketch = Sketch(json.loads(call.sketch or "{}"))
    parts = {
        "Rows": f"{call.rows:,}",
        "Without an answer": f"{call.failed:,}",
        "All of it": milliseconds(call.total_ms),
    }
    for name, share in (("p50 of a row", 0.5), ("p95 of a row", 0.95)):
        value = sketch.percentile(share)
        parts[name] = "–" if value is None else milliseconds(value)
    with st.container(horizontal=True, key="usage.call.rows", gap="small"):
        for label, text in parts.items():
            st.metric(label, text, border=True, width="stretch")
    st.caption("Percentiles are from counts in bins of 12 %. The rows themselves are kept with the simulation.")


def _timings(call: Call) -> None:
    rest = max(0.0, call.total_ms - call.queue_ms - call.load_ms - call.run_ms)
    parts = {
        "Total": call.total_ms,
        "Queue": call.queue_ms,
        "Load": call.load_ms,
        "Scoring logic": call.run_ms,
        "Platform": rest,
    }
    with st.container(horizontal=True, key="usage.call.timings", gap="small"):
        for label, value in parts.items():
            st.metric(label, milliseconds(value), border=True, width="stretch")


def _facts(call: Call) -> None:
    yes = {True: "allowed", False: "not asked for"}
    facts = {
        "Id": f"`{call.id}`",
        "Engine": f"{plain(call.tier)} · network {yes[call.network]} · token {yes[call.token]}",
        "Input": size(call.input_bytes),
        "Output": size(call.output_bytes),
        "Warnings": f"{call.warnings}",
        **{label: text for label, text, _ in usage_numbers.used(call)},
    }
    st.markdown("  \n".join(f"{name}: {value}" for name, value in facts.items()))


def _payloads(registry: Registry, call: Call) -> None:
    if call.arguments is None and call.answer is None:
        st.info(NOT_STORED, icon=":material/lock:")
        return
    for title, text in (("Arguments", call.arguments), ("Answer", call.answer)):
        st.markdown(f"**{title}**")
        if text is None:
            st.caption("There is no answer.")
        else:
            st.code(_pretty(text), language="json", wrap_lines=True, height=240 if len(text) > 600 else "content")
    if call.status == "ok" and call.version and call.arguments is not None and call.answer is not None:
        _as_check(registry, call)


def _as_check(registry: Registry, call: Call) -> None:
    if st.button("Save as check", key="usage.call.check", icon=":material/checklist:"):
        try:
            given, answer = json.loads(call.arguments or "{}"), json.loads(call.answer or "null")
        except ValueError:
            st.error("What the log holds of this call is no JSON, so no check can be made of it.")
            return
        done, text, _ = check_saving.save(registry, call.alias, given, answer, session.user())
        (st.success if done else st.info)(sentence(text))


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _links(call: Call) -> None:
    where = {"alias": call.alias, "version": str(call.version)}
    with st.container(horizontal=True, key="usage.call.links"):
        st.page_link(frame.MODEL, label="Open the model", icon=":material/deployed_code:", query_params=where)
        st.page_link(
            frame.PLAYGROUND, label="Open in the Playground", icon=":material/play_circle:", query_params=where
        )
