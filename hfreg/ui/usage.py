"""Usage: what the Usage page is asked for, its filters, tiles and tables.

The address is the truth: `?range=7d&alias=guard&status=error` opens the page as somebody left it, and whatever
filters (a widget, a row, a period drawn in a chart) ends up there. All numbers come from one
`hfreg.metrics.Usage`. Charts are in `hfreg.ui.charts`, the list of calls in `hfreg.ui.call_log`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from hfreg.metrics import STATUSES, Usage
from hfreg.registry import Registry
from hfreg.store.calls import CallFilter
from hfreg.store.events import Events
from hfreg.ui import session
from hfreg.ui.widgets import plain
from hfreg.version import Version

RANGES: Mapping[str, tuple[str, timedelta]] = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}
CUSTOM = "custom"
USUAL = "24h"
SOURCES = ("playground", "test", "python", "cli", "simulation", "check", "resource", "load")
ADDRESS, TABLES = "usage.address", "usage.tables"


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows, in the words of its address; `since` and `until` are ISO 8601 in UTC, for a custom range.

    >>> View.read({"range": "7d", "alias": "guard,embedder", "status": "nonsense"}).alias
    ('guard', 'embedder')
    """

    range: str = USUAL
    since: str = ""
    until: str = ""
    alias: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    kind: str = ""

    @classmethod
    def read(cls, address: Mapping[str, str]) -> View:
        """Read an address; what makes no sense is left out."""
        lists = {name: _split(address.get(name, "")) for name in ("alias", "source", "status", "user")}
        lists["source"] = tuple(value for value in lists["source"] if value in SOURCES)
        lists["status"] = tuple(value for value in lists["status"] if value in STATUSES)
        chosen, since, until = (address.get(name, "") for name in ("range", "since", "until"))
        whole = chosen == CUSTOM and find_moment(since) is not None and find_moment(until) is not None
        if not whole:
            chosen, since, until = chosen if chosen in RANGES else USUAL, "", ""
        return cls(chosen, since, until, kind=address.get("kind", ""), **lists)

    def address(self) -> dict[str, str]:
        """Return the parameters of the address; what is as usual is empty."""
        lists = {name: ",".join(quote(v, safe="@ ") for v in getattr(self, name)) for name in _LISTS}
        plain_range = "" if self.range == USUAL else self.range
        return {"range": plain_range, "since": self.since, "until": self.until, "kind": self.kind, **lists}

    @property
    def narrowed(self) -> bool:
        """Whether anything but the range is restricted."""
        return bool(self.kind or any(getattr(self, name) for name in _LISTS))

    def calls(self, now: datetime) -> CallFilter:
        """Return which calls are meant; a range that ends now has no end, so that it takes in what comes."""
        since = find_moment(self.since) or now - RANGES.get(self.range, RANGES[USUAL])[1]
        return CallFilter(
            since,
            find_moment(self.until),
            self.alias or None,
            self.source or None,
            self.status or None,
            self.user or None,
            error_kind=self.kind or None,
        )


_LISTS = ("alias", "source", "status", "user")
_NAMES = tuple(field.name for field in fields(View))


def zone() -> tuple[tzinfo, str]:
    """Return the time zone of the reader's browser and its name, UTC where it says none."""
    name = st.context.timezone or "UTC"
    try:
        return (UTC if name == "UTC" else ZoneInfo(name)), name
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC, "UTC"


def current(local: tzinfo) -> View:
    """Return what to show: the widgets as they stand, or the address where it is newer than they are."""
    address = {name: session.param(name) for name in _NAMES}
    if session.get(ADDRESS) != address or session.get("usage.range") is None:
        view = View.read(address)
        _fill_widgets(view, local)
    else:
        view = _read_widgets(View.read(address), local)
    _write_address(view)
    return view


def go(view: View) -> None:
    """Show something else: write its address and run the page again."""
    _write_address(view, known=False)
    session.put(TABLES, session.get(TABLES, 0) + 1)  # tables with nothing selected in them
    st.rerun()


def table_key(name: str) -> str:
    """Return the key of a table, a new one after each selection."""
    return f"usage.{name}.{session.get(TABLES, 0)}"


def filters(view: View, aliases: Sequence[str]) -> None:
    """Draw the line of filters, under it the ends of a custom range and what else narrows the page."""
    with st.container(key="usage.filters"):
        columns = st.columns([3, 4, 3, 3, 2], vertical_alignment="bottom")
        ranges = [*RANGES, CUSTOM]
        columns[0].selectbox(
            "Range", ranges, format_func=lambda r: RANGES[r][0] if r in RANGES else "Custom", key="usage.range"
        )
        known = sorted({*aliases, *view.alias})
        columns[1].multiselect("Model", known, key="usage.alias", placeholder="Every model")
        columns[2].multiselect("Source", SOURCES, key="usage.source", placeholder="Every source")
        columns[3].multiselect("Status", STATUSES, key="usage.status", placeholder="Every status")
        columns[4].button("Refresh", key="usage.refresh", icon=":material/refresh:", width="stretch")
        if view.range == CUSTOM:
            _ends()
    _narrowed(view)


def freshness(events: Events, page: Usage, now: datetime, zone_name: str) -> None:
    """Say when the numbers are from, of which period, in which time zone, and what is not among them yet."""
    local = now.tzinfo
    since, until = (end.astimezone(local) for end in (page.since, page.until))
    before = ""
    if page.previous is not None:
        many = "no calls" if page.previous.calls == 0 else f"{page.previous.calls:,} calls"
        before = f" Changes are to the period before, of the same length ({many})."
    st.caption(
        f"{since:%a %d %b %Y %H:%M} – {until:%a %d %b %Y %H:%M}, times in {plain(zone_name)}. "
        f"As of {now:%H:%M:%S}; what other programs logged in the last second may be missing.{before}"
    )
    if events.waiting:
        st.warning(
            f"{events.waiting:,} calls are not among these numbers yet: they wait in memory, because the log at "
            f"{plain(events.place)} cannot be written now."
        )
    if events.dropped:
        st.warning(f"{events.dropped:,} calls of this server could not be logged and are missing from these numbers.")


def versions(registry: Registry, alias: str) -> list[Version]:
    """List the versions of a model, none for one that is not registered any more."""
    return registry.versions(alias) if registry.definitions.find(alias) else []


def find_moment(text: str) -> datetime | None:
    """Read a moment of the address; None when it is none, or has no zone.

    >>> find_moment("2026-11-23T10:00Z").hour, find_moment("yesterday")
    (10, None)
    """
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def between(view: View, low: datetime, high: datetime) -> View:
    """Return the view of a period, on whole minutes around it."""
    low = low.replace(second=0, microsecond=0)
    high = high.replace(second=0, microsecond=0) + timedelta(minutes=1)
    return replace(view, range=CUSTOM, since=_iso(low), until=_iso(high))


def _ends() -> None:
    first, second, _ = st.columns([3, 3, 6])
    step = timedelta(minutes=1)
    first.datetime_input("From", key="usage.since", step=step, format="YYYY-MM-DD")
    second.datetime_input("To", key="usage.until", step=step, format="YYYY-MM-DD")


def _narrowed(view: View) -> None:
    """Draw what only a row of a table can choose, and a way back from all of it."""
    if not view.narrowed:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="usage.chips"):
        for who in view.user:
            others = tuple(user for user in view.user if user != who)
            if st.button(f"User: {plain(who)}", icon=":material/close:", key=f"usage.chip.user.{who}"):
                go(replace(view, user=others))
        if view.kind and st.button(f"Error: {plain(view.kind)}", icon=":material/close:", key="usage.chip.kind"):
            go(replace(view, kind=""))
        if st.button("Clear filters", key="usage.clear", type="tertiary"):
            go(View(view.range, view.since, view.until))


def _fill_widgets(view: View, local: tzinfo) -> None:
    session.put("usage.range", view.range)
    for name in ("alias", "source", "status"):
        session.put(f"usage.{name}", list(getattr(view, name)))
    for name in ("since", "until"):
        if at := find_moment(getattr(view, name)):
            session.put(f"usage.{name}", at.astimezone(local).replace(tzinfo=None))


def _read_widgets(view: View, local: tzinfo) -> View:
    """Return the view that the widgets say; users and error kinds have none and stay as they are."""
    chosen: dict[str, Any] = {name: tuple(session.get(f"usage.{name}") or ()) for name in ("alias", "source", "status")}
    before, view = view, replace(view, range=session.get("usage.range"), **chosen)
    if view.range != CUSTOM:
        return replace(view, since="", until="")
    ends = [session.get(f"usage.{name}") for name in ("since", "until")]
    if not all(ends):  # just chosen: begin with what was on the page
        now = datetime.now(local).replace(second=0, microsecond=0) + timedelta(minutes=1)
        ends = [(now - RANGES.get(before.range, RANGES[USUAL])[1]).replace(tzinfo=None), now.replace(tzinfo=None)]
        for name, end in zip(("since", "until"), ends, strict=True):
            session.put(f"usage.{name}", end)
    since, until = (_iso(end.replace(tzinfo=local)) for end in ends)
    return replace(view, since=since, until=until)


def _write_address(view: View, known: bool = True) -> None:
    for name, value in view.address().items():
        session.set_param(name, value)
    if known:  # the widgets agree with it
        session.put(ADDRESS, {name: session.param(name) for name in _NAMES})


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(unquote(part) for part in text.split(",") if part))
