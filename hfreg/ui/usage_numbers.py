"""Usage numbers: the tiles, the tables and the empty states of the Usage page, drawn from one Usage.

A row that is selected narrows the page to what it stands for. Tables can be copied and downloaded by the browser, so
no cell of them is a formula to a spreadsheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any, Literal

import pyarrow as pa  # type: ignore[import-untyped]
import streamlit as st

from hfreg.metrics import Failure, Group, Tiles, Usage, change
from hfreg.store.calls import Call
from hfreg.ui import frame, usage
from hfreg.ui.usage import View
from hfreg.ui.widgets import counted, empty, milliseconds

Colour = Literal["normal", "inverse", "off"]

ROW, MOST_ROWS = 35, 10  # pixels of a row of a table; rows before it scrolls
SAME = "no change"
USE = {"tokens_in": "Tokens in", "tokens_out": "Tokens out", "cost": "Cost"}
_FORMULA = ("=", "+", "-", "@")


def tiles(page: Usage) -> None:
    """Draw the totals, each with its change to the period before."""
    now, before = page.tiles, page.previous
    with st.container(horizontal=True, key="usage.tiles.calls", gap="small"):
        _tile("Calls", f"{now.calls:,}", _relative(now.calls, before, "calls"), "off")
        share = "–" if now.success is None else f"{_percent(now.success)}"
        _tile("Success", share, _points(now, before), "normal", "Answered calls of all calls.")
        _tile("Users", f"{now.users:,}", _relative(now.users, before, "users"), "off")
        _tile("Cold loads", f"{now.cold:,}", _relative(now.cold, before, "cold"), "off", "Calls that had to load.")
    with st.container(horizontal=True, key="usage.tiles.time", gap="small"):
        for name in ("p50", "p95", "p99"):
            value = getattr(now, name)
            shown = "–" if value is None else milliseconds(value)
            words = f"{name[1:]} % of the answered calls took no longer, cold ones included."
            _tile(name, shown, _relative(value, before, name), "inverse", words)
        compute = _relative(now.compute_s, before, "compute_s")
        _tile("Compute", seconds(now.compute_s), compute, "off", "The time that scoring logic ran.")
    if told := used(now):
        with st.container(horizontal=True, key="usage.tiles.use", gap="small"):
            for label, text, field in told:
                change_to = _relative(getattr(now, field), before, field)
                _tile(label, text, change_to, "off", "Of the calls whose reply tells it: those of API Based models.")
    if now.simulations:
        counts = "counts as one call" if now.simulations == 1 else "count as one call each"
        st.caption(
            f"{counted(now.simulations, 'simulation')} {counts}. {counted(now.rows, 'row')} ran in them, "
            f"{now.rows_failed:,} without an answer; rows are in Compute, and not in the percentiles."
        )


def used(one: Tiles | Group | Call) -> list[tuple[str, str, str]]:
    """Return what was used up elsewhere, as label, text and field; only what a reply told."""
    told = ((label, getattr(one, field), field) for field, label in USE.items())
    return [
        (label, cost(value) if field == "cost" else f"{value:,}", field)
        for label, value, field in told
        if value is not None
    ]


def cost(value: float) -> str:
    """Return an amount, with as many places as it needs; which currency it is in is for the provider to say.

    >>> cost(0.0005), cost(0), cost(1234.5)
    ('0.0005', '0', '1,234.5')
    """
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value >= 10 else f"{value:.4g}"


def models(page: Usage, view: View, local: tzinfo) -> None:
    """Draw the table of models."""
    _groups("Models", page.models, "alias", view, local)


def users(page: Usage, view: View, local: tzinfo) -> None:
    """Draw the table of users."""
    _groups("Users", page.users, "user", view, local)


def sources(page: Usage, view: View, local: tzinfo) -> None:
    """Draw the table of sources."""
    _groups("Sources", page.sources, "source", view, local)


def failures(page: Usage, view: View, local: tzinfo) -> None:
    """Draw the most frequent errors, each with its latest message."""
    st.subheader("Top errors", anchor=False)
    if not page.failures:
        st.caption("Every call was answered.")
        return
    columns: Mapping[str, Any] = {
        "Model": [one.alias for one in page.failures],
        "Status": [one.status for one in page.failures],
        "Error": [safe(one.kind) for one in page.failures],
        "Calls": [one.calls for one in page.failures],
        "Latest": [clock(one.last_use, local) for one in page.failures],
        "Latest message": [safe(one.message) for one in page.failures],
    }
    if (row := table("failures", columns, {"Latest message": st.column_config.TextColumn(width="large")})) is not None:
        chosen: Failure = page.failures[row]
        usage.go(replace(view, alias=(chosen.alias,), status=(chosen.status,), kind=chosen.kind))


def nothing(page: Usage, view: View) -> None:
    """Draw what to do when there is no call to show."""
    if page.last_seq == 0:
        empty("No calls yet. Run a model in the Playground, or call one by its alias from Python: it shows up here.")
        st.page_link(frame.PLAYGROUND, label="Open the Playground", icon=":material/play_circle:")
        return
    within = "between these moments" if view.range == usage.CUSTOM else f"in the {usage.RANGES[view.range][0].lower()}"
    empty(f"No calls {within}{' that pass these filters' if view.narrowed else ''}. Widen the range or the filters.")
    if st.button("Show the last 30 days", key="usage.widen", type="primary"):
        usage.go(View("30d"))


def table(name: str, columns: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> int | None:
    """Draw a table whose rows can be selected; returns the selected row, if any."""
    count = len(next(iter(columns.values())))
    state = st.dataframe(
        pa.table(columns),
        hide_index=True,
        height=(min(count, MOST_ROWS) + 1) * ROW + 3,
        column_config=dict(config or {}),
        key=usage.table_key(name),
        placeholder="–",
        on_select="rerun",
        selection_mode="single-row",
    )
    rows: Sequence[int] = state["selection"]["rows"]
    return rows[0] if rows and rows[0] < count else None


def clock(at: datetime, local: tzinfo) -> str:
    """Return a moment as tables show it, in the time zone of the page; as text it sorts by time."""
    return f"{at.astimezone(local):%Y-%m-%d %H:%M:%S}"


def seconds(value: float) -> str:
    """Return a long duration in a unit that people read.

    >>> seconds(0.25), seconds(90), seconds(7_300)
    ('250 ms', '1.5 min', '2.0 h')
    """
    if value < 60:
        return milliseconds(value * 1000)
    return f"{value / 60:.1f} min" if value < 3600 else f"{value / 3600:,.1f} h"


def safe(text: str) -> str:
    """Return a text of somebody as a cell that no spreadsheet runs.

    >>> safe("=1+1"), safe("guard")
    ("'=1+1", 'guard')
    """
    text = " ".join(text.split())
    return f"'{text}" if text.startswith(_FORMULA) else text


def _groups(title: str, groups: Sequence[Group], field: str, view: View, local: tzinfo) -> None:
    st.subheader(title, anchor=False)
    columns: dict[str, Any] = {
        title[:-1]: [safe(one.name) for one in groups],
        "Calls": [one.calls for one in groups],
        "Success": [one.success for one in groups],
        "p50": [one.p50 for one in groups],
        "p95": [one.p95 for one in groups],
        "p99": [one.p99 for one in groups],
        "Cold": [one.cold for one in groups],
        "Compute": [one.compute_s for one in groups],
        "Users": [one.users for one in groups],
        "Last use": [clock(one.last_use, local) for one in groups],
    }
    if field == "alias":
        for name, label in USE.items():
            if any(getattr(one, name) is not None for one in groups):
                columns[label] = [getattr(one, name) for one in groups]
    else:
        for name in ("p99", "Cold", "Compute", "Users", "Last use"):
            del columns[name]
    row = table(field, columns, _group_columns())
    if row is not None and getattr(view, field) != (groups[row].name,):
        narrower: dict[str, Any] = {field: (groups[row].name,)}
        usage.go(replace(view, **narrower))


def _group_columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    latency = {name: number(f"{name} (ms)", format="%.1f") for name in ("p50", "p95", "p99")}
    return {
        "Calls": number(format="localized"),
        "Success": number(format="percent"),
        "Compute": number("Compute (s)", format="%.1f"),
        "Tokens in": number(format="localized"),
        "Tokens out": number(format="localized"),
        "Cost": number(format="%.4g"),
        **latency,
    }


def _tile(label: str, value: str, delta: str | None, colour: Colour, words: str | None = None) -> None:
    # The help of a metric is drawn as Markdown; these sentences are ours.
    if delta == SAME:
        st.metric(label, value, delta, delta_color="off", delta_arrow="off", help=words, border=True)
    else:
        st.metric(label, value, delta, delta_color=colour, help=words, border=True)


def _relative(now: float | None, before: Tiles | None, name: str) -> str | None:
    found = change(now, getattr(before, name)) if before else None
    if found is None or abs(found) < 0.005:
        return None if found is None else SAME
    return f"{found * 100:+,.0f} %" if found < 9 else f"× {found + 1:,.0f}"


def _points(now: Tiles, before: Tiles | None) -> str | None:
    if now.success is None or before is None or before.success is None:
        return None
    found = (now.success - before.success) * 100
    return SAME if abs(found) < 0.05 else f"{found:+.1f} points"


def _percent(share: float) -> str:
    """Return a share in percent; never rounds a failure away.

    >>> _percent(0.99999), _percent(1.0), _percent(0.5)
    ('99.9 %', '100 %', '50.0 %')
    """
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"
