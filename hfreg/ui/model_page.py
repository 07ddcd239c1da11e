"""Model page: one version of one model, its head with what can be done, and its tabs.

Which model, version and tab are shown stands in the address (`?alias=&version=&tab=`). Only the open tab is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import streamlit as st

from hfreg.errors import UnknownModel
from hfreg.lifecycle import State
from hfreg.ui import actions, address, checks, frame, history, model_overview, model_use, review, session
from hfreg.ui.editor import code_editor
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import ago, badge_of, plain, state_badge, title
from hfreg.version import Version

OVERVIEW, CODE, HISTORY, REVIEW, CHECKS, USE = "Overview", "Code", "History", "Review", "Checks", "Use"
TABS = (OVERVIEW, CODE, HISTORY, REVIEW, CHECKS, USE)
NEAR = 5
CHOOSER, TAB = "model_version", "model_tab"


def draw() -> None:
    """Draw the model that the address names, or say what it names instead."""
    alias, number = session.param("alias"), session.param("version")
    address.confirm(CHOOSER, "alias")
    registry = session.registry()
    if not alias:
        _nothing("Which model? The address names none.", registry.definitions.aliases()[:NEAR])
        return
    try:
        versions = registry.versions(alias)
    except UnknownModel as error:
        _nothing(str(error), near(alias, registry.definitions.aliases()))
        return
    version = next((v for v in versions if str(v.number) == number), None)
    if number and version is None:
        known = ", ".join(str(v.number) for v in versions)
        _nothing(f"`{alias}` has no version {number}. There is: {known}.", [alias])
        return
    version = version or versions[-1]
    _head(version, versions)
    _tabs(version, versions)


def near(alias: str, known: Sequence[str]) -> list[str]:
    """Return the registered aliases that look like one that is not, the nearest first."""
    lowered = {name.lower(): name for name in known}
    return [lowered[name] for name in get_close_matches(alias.lower(), lowered, n=NEAR, cutoff=0.5)]


def _nothing(message: str, offered: Sequence[str]) -> None:
    title("Model", "One registered model: what it promises, its code, its history and its use.")
    actions.notice()
    st.warning(sentence(message), icon=":material/search_off:")
    for alias in offered:
        st.page_link(frame.MODEL, label=plain(alias), icon=":material/deployed_code:", query_params={"alias": alias})
    st.page_link(frame.MODELS, label="All models", icon=":material/arrow_back:")


def _head(version: Version, versions: Sequence[Version]) -> None:
    st.page_link(frame.MODELS, label="All models", icon=":material/arrow_back:")
    name, alias = st.columns([3, 2], vertical_alignment="bottom")
    with name:
        st.title(plain(version.definition.title), anchor=False)
    with alias:
        st.code(version.alias, language=None)
    with st.container(horizontal=True, vertical_alignment="center", key="model_state"):
        _chooser(version, versions)
        st.markdown(_standing(version, versions), width="content")
    _buttons(version)
    actions.notice()


def _standing(version: Version, versions: Sequence[Version]) -> str:
    at, by = version.saved_at or version.created_at, version.saved_by or version.author
    marks = checks.mark(session.registry(), version.alias, version.number)
    line = f"{state_badge(version)} {marks} :gray[snapshot {version.snapshot}, saved {ago(at)} by {plain(by)}]"
    called = session.registry().get(version.alias)
    if called.number != version.number:
        line += f"  \n:gray[Calls by the alias use version {called.number}] {badge_of(called.state)}"
    elif len(versions) > 1:
        line += "  \n:gray[Calls by the alias use this version]"
    return line


def _chooser(version: Version, versions: Sequence[Version]) -> None:
    states = {v.number: v.state for v in versions}
    session.put(CHOOSER, version.number)  # the address decides, also after Back
    st.selectbox(
        "Version",
        [v.number for v in reversed(versions)],
        key=CHOOSER,
        on_change=lambda: session.set_param("version", str(session.get(CHOOSER))),
        format_func=lambda number: f"Version {number}, {states[number]}",
        label_visibility="collapsed",
        width=230,
    )


def _buttons(version: Version) -> None:
    possible = actions.possible(version)
    change = actions.change(version)
    chosen = None
    with st.container(horizontal=True, key="model_actions"):
        if actions.TRY in possible and st.button(
            "Try it", key="model_try", type="primary", icon=":material/play_circle:"
        ):
            chosen = actions.TRY
        if change != actions.REVIEW and st.button(
            change, key="model_change", icon=f":material/{actions.ICONS[change]}:"
        ):
            chosen = change
        if version.state in (State.DRAFT, State.PENDING):
            asked = "Request Approval" if version.state is State.DRAFT else "Review"
            st.button(
                asked,
                key="model_review",
                icon=":material/rate_review:",
                on_click=session.set_param,
                args=("tab", REVIEW),
            )
        rest = [a for a in possible if a not in (actions.TRY, change)]
        chosen = chosen or st.menu_button("More", rest, key="model_more", format_func=actions.label)
    actions.perform(chosen, version)


def _tabs(version: Version, versions: Sequence[Version]) -> None:
    drawn = st.tabs(TABS, key=TAB, on_change=address.follow(TAB, "tab", OVERVIEW, TABS))
    overview, code, saves, reviewed, checked, use = drawn
    with overview:
        if overview.open:
            model_overview.draw(version)
    with code:
        if code.open:
            if before := version.definition.initialization_logic:
                st.caption("The initialization logic: runs once when the model is loaded. Read-only here.")
                code_editor("model_initialization", before, label="Initialization logic", readonly=True)
            st.caption("The scoring logic: a function body, with the arguments as variables. Read-only here.")
            code_editor("model_code", version.definition.scoring_logic, label="Scoring logic", readonly=True)
    with saves:
        if saves.open:
            history.draw(version, versions)
    with reviewed:
        if reviewed.open:
            review.draw(version)
    with checked:
        if checked.open:
            checks.draw(version)
    with use:
        if use.open:
            model_use.draw(version)
