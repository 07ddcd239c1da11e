"""Catalog: the list of registered models, what it is narrowed to, and what stands where it is empty.

Search, filters, order and page live in the address, so that a list can be shared and reloaded. What is known of all
models comes from three calls (definitions, activity, loaded); nothing is asked model by model but for the rows shown.
What can be done to a row is in `hfreg.ui.actions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from hfreg import starters
from hfreg.errors import HfregError, StoreError
from hfreg.lifecycle import State
from hfreg.ui import actions, address, checks, frame, session
from hfreg.ui.findings import sentence
from hfreg.ui.sparkline import bars
from hfreg.ui.widgets import ago, counted, empty, plain, short, state_badge
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.metrics import Activity

ROWS = 20
SEARCH = "models_q"
DESCRIPTION = 90
FEW = 6
"""Choices that still fit side by side."""
SORTS = ("Alias", "Last used", "Most called", "Last saved")
STYLE = """<style>
[class*="st-key-models_row_"] {padding: 0.6rem 1rem}
[class*="st-key-models_row_"] [data-testid="stHorizontalBlock"] {gap: 0.25rem 1rem}
[class*="st-key-models_row_"] [data-testid="stVerticalBlock"] {gap: 0.1rem}
[class*="st-key-models_row_"] [data-testid="stPageLink-NavLink"] {padding: 0; margin: 0}
.hfreg-use {display: flex; gap: 0.75rem; align-items: center; font-size: 0.875rem; line-height: 1.3; opacity: 0.85}
</style>"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the list says of all models beside their definitions."""

    activity: Mapping[str, Activity]
    loaded: frozenset[str]
    problem: str = ""

    def calls(self, alias: str) -> int:
        """Return how often a model was called."""
        return self.activity[alias].calls if alias in self.activity else 0

    def last_use(self, alias: str) -> datetime:
        """Return when a model was called last; one that never was comes last."""
        return self.activity[alias].last_use if alias in self.activity else datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to, as the filters say it."""

    query: str = ""
    state: str | None = None
    model_type: str | None = None
    group: str | None = None
    sort: str = SORTS[0]

    @property
    def narrowed(self) -> bool:
        """Whether anything is left out on purpose."""
        return bool(self.query.strip() or self.state or self.model_type or self.group)


def known() -> Known:
    """Ask once for the calls of all models and for what is in memory."""
    registry = session.registry()
    loaded = frozenset(one.alias for one in registry.loaded(measure=False))
    try:
        return Known(registry.events.activity(), loaded)
    except StoreError as error:
        return Known({}, loaded, str(error))


def filters(versions: Sequence[Version]) -> Wanted:
    """Draw search, filters and order, and return what they say."""
    address.confirm(SEARCH, "state", "q", "type", "group", "sort")
    search, sort = st.columns([3, 1], vertical_alignment="bottom")
    with search:
        query = st.text_input(
            "Search",
            key=SEARCH,
            live=True,
            on_change=address.follow(SEARCH, "q", "", resets="page"),
            type="search",
            icon=":material/search:",
            placeholder="Words of alias, name, description, group or purpose",
        )
    with sort:
        ordered = address.follow("models_sort", "sort", SORTS[0], SORTS, resets="page")
        order = st.selectbox("Sort by", SORTS, key="models_sort", on_change=ordered)
    with st.container(horizontal=True, key="models_filters"):
        state = _facet("State", "state", [s.value for s in State])
        model_type = _facet("Model type", "type", _values(v.definition.model_type for v in versions))
        group = _facet("Group", "group", _values(v.definition.group for v in versions))
    return Wanted(query or "", state, model_type, group, order)


def select(wanted: Wanted, known: Known) -> list[Version]:
    """Return the models that are wanted, in order; archived ones only when asked for."""
    found = [
        version
        for version in session.registry().catalog(wanted.query, wanted.state)
        if (wanted.state or version.state is not State.ARCHIVED)
        and wanted.model_type in (None, version.definition.model_type)
        and wanted.group in (None, version.definition.group)
    ]
    if wanted.sort == "Last used":
        found.sort(key=lambda v: known.last_use(v.alias), reverse=True)
    elif wanted.sort == "Most called":
        found.sort(key=lambda v: -known.calls(v.alias))
    elif wanted.sort == "Last saved":
        found.sort(key=lambda v: v.saved_at or v.created_at, reverse=True)
    return found


def listed(found: Sequence[Version], known: Known) -> None:
    """Draw one page of the list."""
    st.html(STYLE)
    pages = max(1, -(-len(found) // ROWS))
    said = session.param("page")
    page = min(max(int(said), 1), pages) if said.isdecimal() and len(said) < 6 else 1
    for version in found[(page - 1) * ROWS : page * ROWS]:
        _row(version, known)
    if pages > 1:
        session.put("models_page", page)
        st.pagination(pages, key="models_page", on_change=_turn)


def _turn() -> None:
    page = session.get("models_page")
    session.set_param("page", str(page) if page > 1 else None)


def waiting(versions: Sequence[Version]) -> None:
    """Say how many models wait for a review, and show them on a click."""
    many = sum(version.state is State.PENDING for version in versions)
    if many:
        waits = "waits" if many == 1 else "wait"
        st.button(
            f":orange-badge[:material/rate_review: {counted(many, 'model')} {waits} for review]",
            key="models_waiting",
            type="tertiary",
            on_click=session.set_param,
            args=("state", State.PENDING.value),
        )


def nothing_registered() -> None:
    """Draw the list of a registry that holds no model, with what to do about it."""
    shipped = starters.definitions()
    empty(f"No models yet. Start from a template{' or load the starter models' if shipped else ''}.")
    with st.container(horizontal=True):
        if st.button("Start from a template", key="models_template", type="primary", icon=":material/add_circle:"):
            st.switch_page(frame.REGISTER)
        if shipped and st.button("Load the starter models", key="models_starters", icon=":material/download:"):
            actions.attempt(_load_starters)
            st.rerun()


def import_file() -> None:
    """Draw the way in for an exported file."""
    with st.popover("Import", icon=":material/upload_file:", key="models_import"):
        st.markdown("A file that **Export** gave becomes a Draft: a new model, or the next save of a known one.")
        uploaded = st.file_uploader("Exported file", type="json", key="models_file", max_upload_size=4)
        if uploaded is None:
            return
        if st.button("Import as a Draft", key="models_take", type="primary"):
            try:
                made = session.registry().import_(uploaded.getvalue(), session.user())
            except HfregError as error:
                st.error(sentence(f"{uploaded.name}: {error}"))
                return
            session.put(actions.NOTICE, actions.Notice(f"Imported `{made.alias}` as version {made.number}, a Draft."))
            st.switch_page(frame.MODEL, query_params={"alias": made.alias, "version": str(made.number)})


def _values(given: Iterable[str]) -> list[str]:
    return sorted(set(given) - {""})


def _facet(name: str, param: str, options: list[str]) -> str | None:
    if not options:
        return None
    key = f"models_{param}"
    changed = address.follow(key, param, None, options, resets="page")
    if len(options) > FEW:
        return st.selectbox(name, options, index=None, key=key, on_change=changed, placeholder="Any", width=220)
    return st.segmented_control(name, options, key=key, on_change=changed, wrap=True)


def _row(version: Version, known: Known) -> None:
    alias, definition = version.alias, version.definition
    with st.container(border=True, key=f"models_row_{alias}"):
        what, state, use, menu = st.columns([10, 6, 6, 3], vertical_alignment="center")
        with what:
            address = {"alias": alias, "version": str(version.number)}
            st.page_link(frame.MODEL, label=f"**{plain(alias)}**", query_params=address)
            name = f"**{plain(definition.name)}** · " if definition.name else ""
            about = plain(short(definition.description, DESCRIPTION)) or "No description yet"
            st.caption(f"{name}{about}")
        with state:
            st.markdown(_standing(version, alias in known.loaded))
        with use:
            st.html(_use(known.activity.get(alias)))
        with menu:
            chosen = st.menu_button(
                "Actions",
                [actions.OPEN, *actions.possible(version)],
                key=f"models_menu_{alias}",
                format_func=actions.label,
                type="tertiary",
            )
    actions.perform(chosen, version)


def _standing(version: Version, loaded: bool) -> str:
    facts = [f"version {version.number}"]
    if version.definition.model_type:
        facts.insert(0, plain(version.definition.model_type))
    if loaded:
        facts.append(":green[●] loaded")
    called = session.registry().get(version.alias)
    if called.number != version.number:
        facts.append(f"calls use version {called.number}, {called.state}")
    marks = checks.mark(session.registry(), version.alias)
    return f"{state_badge(version)} {marks}  \n:small[:gray[{' · '.join(facts)}]]"


def _use(activity: Activity | None) -> str:
    if activity is None:
        return '<div class="hfreg-use">Not called yet</div>'
    told = f"{counted(activity.calls, 'call')}<br>{ago(activity.last_use)}"
    return f'<div class="hfreg-use">{bars(activity.days)}<span>{told}</span></div>'


def _load_starters() -> actions.Notice:
    made = starters.register(session.registry())
    return actions.Notice(f"Registered {counted(len(made), 'starter model')}. Try one in the Playground.")
