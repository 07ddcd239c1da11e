"""History: every save of a version as a timeline, what changed between two of them, and all that was done to a model.

A save can be restored while its version is a Draft; that is one more save, so nothing is ever lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import streamlit as st

from hfreg.definition import Definition
from hfreg.lifecycle import State
from hfreg.store.definitions import Entry, Snapshot
from hfreg.ui import actions, session
from hfreg.ui.editor import code_diff
from hfreg.ui.form_words import as_text
from hfreg.ui.widgets import ago, moment, plain
from hfreg.version import Version

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Save:
    """One save of one version, as it can be picked for a comparison."""

    version: int
    snapshot: int
    author: str
    at: datetime
    definition: Definition

    def __str__(self) -> str:
        return f"Version {self.version}, snapshot {self.snapshot}: {self.author}, {ago(self.at)}"


def draw(version: Version, versions: Sequence[Version]) -> None:
    """Draw the history of the version on the page and of its model."""
    st.subheader("What changed", anchor=False)
    _comparison(version, all_saves(versions))
    st.subheader(f"Saves of version {version.number}", anchor=False)
    _timeline(version)
    st.subheader("Everything that was done", anchor=False)
    _log(session.registry().history(version.alias))


def all_saves(versions: Sequence[Version]) -> list[Save]:
    """List every save of every version of a model, oldest first."""
    registry = session.registry()
    return [
        Save(v.number, s.number, s.author, s.at, s.definition)
        for v in versions
        for s in registry.snapshots(v.alias, v.number)
    ]


def _timeline(version: Version) -> None:
    saved = session.registry().snapshots(version.alias, version.number)[::-1]
    all_of_them = f"history_all_{version.alias}_{version.number}"
    shown = saved if session.get(all_of_them) else saved[:SHOWN]
    for snapshot in shown:
        _point(version, snapshot)
    if len(shown) < len(saved):
        st.button(f"Show all {len(saved)} saves", key="history_more", on_click=session.put, args=(all_of_them, True))


def _point(version: Version, snapshot: Snapshot) -> None:
    newest = snapshot.number == version.snapshot
    with st.container(key=f"history_point_{snapshot.number}", horizontal=True, vertical_alignment="center"):
        mark = " :green-badge[newest]" if newest else ""
        note = f"  \n{plain(snapshot.note)}" if snapshot.note else ""
        when = f":gray[{ago(snapshot.at)}, {moment(snapshot.at)}]"
        st.markdown(
            f":gray[:material/radio_button_checked:] **Snapshot {snapshot.number}**{mark} · "
            f"{plain(snapshot.author)} · {when}{note}"
        )
        if version.state is State.DRAFT and not newest:
            st.button(
                "Restore",
                key=f"history_restore_{snapshot.number}",
                icon=":material/settings_backup_restore:",
                type="tertiary",
                on_click=_restore,
                args=(version, snapshot.number),
            )


def _restore(version: Version, snapshot: int) -> None:
    def act() -> actions.Notice:
        made = session.registry().restore(version.alias, snapshot, version.number, session.user())
        return actions.Notice(f"Restored snapshot {snapshot} as snapshot {made.snapshot}; the others are kept.")

    actions.attempt(act)


def _comparison(version: Version, saves: Sequence[Save]) -> None:
    if len(saves) < 2:
        st.caption("There is one save so far. After the next one, the two can be compared here.")
        return
    newest = next(i for i, s in enumerate(saves) if (s.version, s.snapshot) == (version.number, version.snapshot))
    base = f"{version.alias}_{version.number}_{version.snapshot}"
    labels = [str(save) for save in saves]
    places = range(len(saves))
    before, after = st.columns(2)
    with before:
        first = st.selectbox(
            "From", places, _before(saves, newest), key=f"history_from_{base}", format_func=lambda i: labels[i]
        )
    with after:
        second = st.selectbox("To", places, newest, key=f"history_to_{base}", format_func=lambda i: labels[i])
    _difference(saves[first], saves[second])


def _before(saves: Sequence[Save], newest: int) -> int:
    """Return which save to compare with: the last one before that says something else."""
    different = (i for i in range(newest - 1, -1, -1) if saves[i].definition != saves[newest].definition)
    return next(different, max(newest - 1, 0))


def _difference(before: Save, after: Save) -> None:
    old, new = before.definition, after.definition
    code = old.scoring_logic != new.scoring_logic
    rest = as_text(old) != as_text(new)
    if not code and not rest:
        st.caption("The two say the same.")
    if code:
        code_diff("history_code", old.scoring_logic, new.scoring_logic, label="Difference of the scoring logic")
    if rest:
        code_diff("history_rest", as_text(old), as_text(new), label="Difference of everything else")


def _log(entries: Sequence[Entry]) -> None:
    st.dataframe(
        {
            "When": [moment(e.at) for e in entries],
            "Who": [e.actor for e in entries],
            "What": [e.action for e in entries],
            "Version": [e.version for e in entries],
            "Snapshot": [e.snapshot for e in entries],
            "State": [_states(e) for e in entries],
            "Comment": [e.comment for e in entries],
        },
        hide_index=True,
        key="history_log",
    )


def _states(entry: Entry) -> str:
    if entry.to_state is None or entry.from_state == entry.to_state:
        return str(entry.to_state or "")
    return f"{entry.from_state} → {entry.to_state}" if entry.from_state else str(entry.to_state)
