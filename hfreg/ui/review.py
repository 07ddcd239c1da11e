"""Review: where a version stands on its way to Approved, what keeps it, and the words of its reviewers.

Reviewing is open to everyone for now; each act is recorded with who did it. The rules are `hfreg.lifecycle`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hfreg import lifecycle
from hfreg.lifecycle import REVIEW_ACTIONS, Action, State
from hfreg.store.definitions import Entry
from hfreg.ui import actions, session
from hfreg.ui.findings import sentence
from hfreg.ui.widgets import ago, badge_of, moment, plain
from hfreg.version import Version

NEED_WORDS = frozenset({Action.NEED_INFO, Action.NEED_CHANGES, Action.REJECT, Action.COMMENT})
"""What says nothing to the author without a comment."""
ICONS = {
    Action.ACCEPT: ":material/check:",
    Action.NEED_INFO: ":material/help:",
    Action.NEED_CHANGES: ":material/edit_note:",
    Action.REJECT: ":material/close:",
    Action.COMMENT: ":material/chat:",
}
NEXT = {
    State.DRAFT: "It is being written. Request approval when it is ready; nobody changes it from then on.",
    State.PENDING: "It waits for a reviewer: Accept locks it, Need Changes gives it back, Need Info asks.",
    State.APPROVED: "It is locked, and calls by its alias use the newest Approved version. Clone it to go on.",
    State.REJECTED: "It does not run. Clone it to try again, or archive it.",
    State.ARCHIVED: "It does not run. Unarchive it to bring it back to the state it was in.",
}
WAY = (State.DRAFT, State.PENDING, State.APPROVED)


def draw(version: Version) -> None:
    """Draw the review of one version."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.subheader("Where it stands", anchor=False)
        st.markdown(_way(version.state))
        st.markdown(NEXT[version.state])
        if version.state is State.DRAFT:
            _request(version)
        _say(version)
    with right:
        st.subheader("What was said", anchor=False)
        _said([e for e in session.registry().history(version.alias) if e.version == version.number])


def _way(state: State) -> str:
    here = [f"**{badge_of(s)}**" if s is state else f":gray[{s}]" for s in WAY]
    line = " → ".join(here)
    return line if state in WAY else f"{line} · now {badge_of(state)}"


def _request(version: Version) -> None:
    if version.unresolved:
        st.markdown(":orange[:material/warning:] **Not every source is pinned, and submitting needs that:**")
        for reason in version.unresolved:
            st.markdown(f"- {sentence(reason)}")
        st.caption("Requesting approval asks the Hub once more. A run that loads them pins them, too.")
    with st.form("review_request", border=False):
        note = st.text_area("Note to the reviewer", key="review_note", height=80)
        asked = st.form_submit_button("Request Approval", key="review_submit", type="primary")
    if asked:
        registry = session.registry()

        def act() -> actions.Notice:
            registry.submit(version.alias, note.strip(), session.user())
            return actions.Notice(f"`{version.alias}` version {version.number} waits for approval.")

        with st.spinner("Looking up the commits of its sources …"):
            done = actions.attempt(act)
        if done:
            session.drop("review_note")
        st.rerun()


def _say(version: Version) -> None:
    possible = [a for a in REVIEW_ACTIONS if a in lifecycle.actions(version.state)]
    if not possible:
        return
    key = f"review_comment_{session.get('review_round', 0)}"
    st.text_area("Comment", key=key, height=100, placeholder="What you looked at, and what you found")
    if session.get("review_wordless"):
        st.error(f"{session.get('review_wordless')} needs a comment: say what is missing.")
        session.drop("review_wordless")
    with st.container(horizontal=True):
        for action in possible:
            st.button(
                str(action),
                key=f"review_{action.name.lower()}",
                icon=ICONS[action],
                type="primary" if action is Action.ACCEPT else "secondary",
                on_click=_review,
                args=(version, action, key),
            )
    st.caption(f"Recorded as {plain(session.user())}.")


def _review(version: Version, action: Action, key: str) -> None:
    comment = str(session.get(key, "")).strip()
    if action in NEED_WORDS and not comment:
        session.put("review_wordless", str(action))
        return

    def act() -> actions.Notice:
        made = session.registry().review(version.alias, action, session.user(), comment, version.number)
        return actions.Notice(f"{action} is recorded: `{made.alias}` version {made.number} is {made.state}.")

    if actions.attempt(act):
        session.put("review_round", session.get("review_round", 0) + 1)


def _said(entries: Sequence[Entry]) -> None:
    words = [e for e in entries if e.action in {*REVIEW_ACTIONS, Action.SUBMIT}]
    if not words:
        st.caption("Nobody has reviewed this version yet.")
    for number, entry in enumerate(words):
        with st.container(border=True, key=f"review_entry_{number}", gap="xxsmall"):
            state = f" {badge_of(entry.to_state)}" if entry.to_state and entry.to_state != entry.from_state else ""
            st.markdown(f"**{plain(entry.action)}** · {plain(entry.actor)} · {ago(entry.at)}{state}")
            if entry.comment:
                st.text(entry.comment)
            st.caption(f"{moment(entry.at)}, snapshot {entry.snapshot}")
