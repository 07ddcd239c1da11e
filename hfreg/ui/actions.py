"""Actions: what can be done to a version from the catalog and from its page, the same in both.

Covers the menu, going to another page, the dialogs that ask before something is renamed, deleted or downloaded, and
the notice that says what was done and takes it back. Reviewing is in `hfreg.ui.review`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import streamlit as st

from hfreg.argument import name_problem
from hfreg.errors import HfregError
from hfreg.lifecycle import RUNNABLE, State
from hfreg.store.definitions import Deleted
from hfreg.ui import frame, session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import counted, size
from hfreg.version import Version

OPEN, TRY, EDIT, CLONE, REVIEW = "Open", "Try it", "Edit", "Clone", "Review"
EXPORT, ARCHIVE, UNARCHIVE, RENAME, DELETE = "Export", "Archive", "Unarchive", "Rename", "Delete"
ICONS = {
    OPEN: "open_in_new",
    TRY: "play_circle",
    EDIT: "edit",
    CLONE: "content_copy",
    REVIEW: "rate_review",
    EXPORT: "download",
    ARCHIVE: "archive",
    UNARCHIVE: "unarchive",
    RENAME: "drive_file_rename_outline",
    DELETE: "delete",
}
NOTICE = "actions.notice"
KEPT_S = 120.0


@dataclass(frozen=True, slots=True)
class Notice:
    """What was done or refused, and how to take it back."""

    text: str
    failed: bool = False
    undo: Callable[[], str] | None = None
    at: float = field(default_factory=time.monotonic)


def possible(version: Version) -> list[str]:
    """List what may be done to a version now, most wanted first."""
    found = [TRY] if version.state in RUNNABLE else []
    found.append(change(version))
    found.append(EXPORT)
    found.append(UNARCHIVE if version.state is State.ARCHIVED else ARCHIVE)
    if version.state is State.PENDING:
        found.remove(ARCHIVE)  # its review ends first
    definitions = session.registry().definitions
    if not any(definitions.submitted(version.alias, v.number) for v in definitions.versions(version.alias)):
        found.append(RENAME)
    if version.state is State.DRAFT and not definitions.submitted(version.alias, version.number):
        found.append(DELETE)
    return found


def change(version: Version) -> str:
    """Return how a version is changed from where it stands: a Draft is edited, others are reviewed or cloned."""
    if version.state is State.DRAFT:
        return EDIT
    return REVIEW if version.state is State.PENDING else CLONE


def label(action: str) -> str:
    """Return an action as a menu shows it."""
    return f":material/{ICONS[action]}: {action}"


def perform(action: str | None, version: Version) -> None:
    """Do what was chosen: go there, ask first, or do it and say so."""
    if action is None:
        return
    address = {"alias": version.alias, "version": str(version.number)}
    if action == OPEN:
        st.switch_page(frame.MODEL, query_params=address)
    elif action == REVIEW:
        st.switch_page(frame.MODEL, query_params={**address, "tab": "Review"})
    elif action == TRY:
        st.switch_page(frame.PLAYGROUND, query_params=address)
    elif action == EDIT:
        st.switch_page(frame.REGISTER, query_params={"alias": version.alias})
    elif action == EXPORT:
        export(version)
    elif action == RENAME:
        rename(version)
    elif action == DELETE:
        delete(version)
    elif action == CLONE:
        if attempt(lambda: _clone(version)):
            st.switch_page(frame.REGISTER, query_params={"alias": version.alias})
        st.rerun()
    else:
        attempt(lambda: _archive(version) if action == ARCHIVE else _unarchive(version))
        st.rerun()


def attempt(act: Callable[[], Notice]) -> bool:
    """Do something, keep what is to be said of it for `notice`, and return whether it was done."""
    try:
        made = act()
    except HfregError as error:
        made = Notice(str(error), failed=True)
    session.put(NOTICE, made)
    return not made.failed


def notice() -> None:
    """Draw what was done last, with Undo where it can be taken back."""
    said: Notice | None = session.get(NOTICE)
    if said is None or time.monotonic() - said.at > KEPT_S:
        session.drop(NOTICE)
        return
    with st.container(key="actions_notice", horizontal=True, vertical_alignment="center"):
        if said.failed:
            st.error(sentence(said.text), icon=":material/error:")
        else:
            st.success(sentence(said.text), icon=":material/check_circle:")
        if said.undo is not None:
            st.button("Undo", key="actions_undo", icon=":material/undo:", on_click=_undo, args=(said.undo,))
        st.button("Dismiss", key="actions_dismiss", type="tertiary", on_click=session.drop, args=(NOTICE,))


@st.dialog("Export")
def export(version: Version) -> None:
    """Offer a version as a file."""
    try:
        text = session.registry().export(version.alias, version.number)
    except HfregError as error:
        st.error(sentence(str(error)))
        return
    st.markdown(
        f"`{version.alias}` version {version.number}, {version.state}, as a JSON file of {size(len(text.encode()))}. "
        "It holds the definition and its pins: no calls, no reviews, no token."
    )
    st.download_button(
        "Download",
        text,
        file_name=f"{version.alias}-v{version.number}.json",
        mime="application/json",
        key="actions_download",
        type="primary",
        icon=":material/download:",
        on_click="ignore",
    )


@st.dialog("Rename")
def rename(version: Version) -> None:
    """Ask for the new alias and rename."""
    st.markdown(
        f"`{version.alias}` was never submitted, so nobody is promised its alias. Calls logged so far stay under the "
        "old one."
    )
    wanted = st.text_input("New alias", version.alias, key="actions_alias").strip()
    problem = name_problem(wanted)
    if problem:
        st.error(sentence(problem))
    same = wanted == version.alias
    if st.button("Rename", key="actions_rename", type="primary", disabled=bool(problem) or same):
        try:
            session.put(NOTICE, _rename(version.alias, wanted))
        except HfregError as error:
            st.error(sentence(str(error)))
            return
        if session.param("alias") == version.alias:
            session.set_param("alias", wanted)
        st.rerun()


@st.dialog("Delete")
def delete(version: Version) -> None:
    """Ask, then delete a Draft that was never submitted."""
    saves = counted(version.snapshot, "save")
    st.markdown(
        f"Delete `{version.alias}` version {version.number} with its {saves}? Its history and its calls stay on record."
    )
    with st.container(horizontal=True):
        sure = st.button("Delete", key="actions_delete", type="primary", icon=":material/delete:")
        if st.button("Keep it", key="actions_keep"):
            st.rerun()
    if sure:
        attempt(lambda: _delete(version))
        st.rerun()


def gone(version: Version, deleted: Deleted) -> Notice:
    """Return what is said of a deleted version; its Undo brings all of it back."""

    def undo() -> str:
        back = session.registry().undelete(deleted, session.user())
        return f"`{back.alias}` version {back.number} is back with its {counted(back.snapshot, 'save')}."

    return Notice(f"Deleted `{version.alias}` version {version.number}.", undo=undo)


def _undo(undo: Callable[[], str]) -> None:
    if not attempt(lambda: Notice(undo())):
        refused: Notice = session.get(NOTICE)
        session.put(NOTICE, replace(refused, undo=undo))  # what stood in the way can be cleared


def _clone(version: Version) -> Notice:
    made = session.registry().clone(version.alias, version.number, author=session.user())
    return Notice(f"Cloned `{version.alias}` version {version.number} as version {made.number}, a Draft.")


def _archive(version: Version) -> Notice:
    def undo() -> str:
        back = session.registry().unarchive(version.alias, version.number, session.user())
        return f"`{version.alias}` version {version.number} is {back.state} again."

    session.registry().archive(version.alias, version.number, session.user())
    return Notice(f"Archived `{version.alias}` version {version.number}. It does not run until unarchived.", undo=undo)


def _unarchive(version: Version) -> Notice:
    back = session.registry().unarchive(version.alias, version.number, session.user())
    return Notice(f"`{version.alias}` version {version.number} is {back.state} again.")


def _rename(alias: str, wanted: str) -> Notice:
    def undo() -> str:
        session.registry().rename(wanted, alias, session.user())
        if session.param("alias") == wanted:
            session.set_param("alias", alias)
        return f"It is `{alias}` again."

    session.registry().rename(alias, wanted, session.user())
    return Notice(f"`{alias}` is `{wanted}` now.", undo=undo)


def _delete(version: Version) -> Notice:
    return gone(version, session.registry().delete(version.alias, version.number, session.user()))
