"""Form save: the bar with Save draft, what saving said, and two saves of one draft set side by side.

A save that is refused loses nothing: the draft stays on the page and in its autosave.
"""

from __future__ import annotations

from functools import partial

import streamlit as st

from hfreg.definition import Definition
from hfreg.errors import DefinitionError, EditConflict, HfregError
from hfreg.ui import findings, form_draft, form_state, forms, frame, session
from hfreg.ui.editor import code_diff
from hfreg.ui.findings import sentence
from hfreg.ui.form_draft import Draft, place_name
from hfreg.ui.form_state import Form
from hfreg.ui.form_words import as_text
from hfreg.ui.widgets import ago, state_badge
from hfreg.version import Version

ASKED = "register.state.save"


def bar(form: Form) -> bool:
    """Draw the state and the actions; returns whether Save draft was pressed, also in a run that was cut off since."""
    draft = form.draft
    version = None if form_draft.is_new(draft) else form.registry.definitions.newest(draft["target"])
    with st.container(key="register.bar", gap="small"):
        badge = f"{state_badge(version)} version {version.number}" if version else ":gray-badge[Not registered]"
        st.markdown(badge)
        st.fragment(_when, run_every=10)(version)
        with st.container(horizontal=True):
            asked = partial(session.put, ASKED, True)
            st.button("Save draft", key="register.save", type="primary", shortcut="Ctrl+S", on_click=asked)
            if form_draft.changed(draft):
                st.button("Discard draft", key="register.discard", on_click=form_state.discard)
        if said := session.get(form_state.UNDO):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(sentence(said[0]))
                st.button("Undo", key="register.undo", on_click=form_state.undo)
    return bool(session.get(ASKED))


def messages(form: Form) -> None:
    """Draw what saving said, the errors that keep the form from being saved, and other saves of it."""
    if problem := session.get(form_state.PROBLEM):
        st.error(sentence(problem))
    if form.draft["tried"] and form.errors:
        many = "One error keeps" if len(form.errors) == 1 else f"{len(form.errors)} errors keep"
        with st.container(border=True, key="register.summary"):
            st.markdown(f"**{many} this from being saved.** Nothing is lost: the form is autosaved.")
            findings.listed(form.errors, lambda field: place_name(field, form.draft), forms.anchor)
    if (version := session.get(form_state.DONE)) is not None:
        _done(version)
    if (stored := session.get(form_state.ELSEWHERE)) is not None:
        _elsewhere(form, form_draft.restore(stored.data), ago(stored.at))
    elif (theirs := saved_since(form.draft)) is not None:
        _conflict(form, theirs)


def save(draft: Draft) -> None:
    """Save the draft as a snapshot, or say why not; the page is drawn anew after it."""
    form = Form(session.registry(), draft)
    draft["tried"] = True
    session.drop(form_state.PROBLEM, form_state.DONE, ASKED)
    if form.errors or saved_since(draft) is not None:
        return
    if not form_draft.is_new(draft) and not form_draft.changed(draft):
        session.put(form_state.PROBLEM, f"Nothing has changed since snapshot {draft['snapshot']}.")
        return
    try:
        with st.spinner("Saving, and looking up the commits of its sources …"):
            version = _saved(form)
    except EditConflict:
        return  # the page draws both
    except (DefinitionError, HfregError) as error:
        session.put(form_state.PROBLEM, str(error))
        return
    form_state.after_saving(version)


def saved_since(draft: Draft) -> Version | None:
    """Return the version as somebody else saved it since this draft was opened, or None."""
    if form_draft.is_new(draft):
        return None
    stored = session.registry().definitions.newest(draft["target"])
    same = (stored.number, stored.snapshot) == (draft["number"], draft["snapshot"])
    return None if same else stored


def _saved(form: Form) -> Version:
    draft, user = form.draft, session.user()
    if form_draft.is_new(draft):
        return form.registry.register(form.definition, draft["note"], user)
    return form.registry.edit(draft["target"], form.definition, draft["note"], user, draft["snapshot"])


def _when(version: Version | None) -> None:
    """Say when this was last kept; drawn again every ten seconds."""
    draft = form_state.current()
    if form_draft.changed(draft):
        at = session.get(form_state.SAVED_AT)
        st.caption(f"Autosaved {ago(at)}, not saved yet." if at else "Changed, not saved yet.")
    elif version is not None:
        at = version.saved_at or version.created_at
        st.caption(sentence(f"Snapshot {version.snapshot}, saved {ago(at)} by {version.saved_by or version.author}."))
    else:
        st.caption("Nothing to save yet.")


def _done(version: Version) -> None:
    with st.container(border=True, key="register.done"):
        st.markdown(
            f":green[:material/check_circle:] Saved **{sentence(version.alias)}** as snapshot {version.snapshot} of "
            f"version {version.number}, a {version.state}."
        )
        for reason in version.unresolved:
            st.markdown(f":orange[:material/warning:] {sentence(reason)}")
        with st.container(horizontal=True):
            where = {"alias": version.alias}
            if st.button("Try it in the Playground", key="register.try", icon=":material/play_circle:"):
                st.switch_page(frame.PLAYGROUND, query_params=where)
            if st.button("Open the model", key="register.open"):
                st.switch_page(frame.MODEL, query_params=where)


def _conflict(form: Form, theirs: Version) -> None:
    who, when = theirs.saved_by or theirs.author, ago(theirs.saved_at or theirs.created_at)
    with st.container(border=True, key="register.conflict"):
        st.warning(
            sentence(
                f"{who} saved snapshot {theirs.snapshot} of version {theirs.number} {when}, after you opened snapshot "
                f"{form.draft['snapshot']} of version {form.draft['number']}. Nothing was overwritten: both are here."
            )
        )
        _both(theirs.definition, form.definition)
        with st.container(horizontal=True):
            st.button("Save mine as a new snapshot", key="register.save_mine", on_click=_save_mine, args=(theirs,))
            st.button("Take theirs", key="register.take_theirs", on_click=_take_theirs, args=(theirs,))


def _elsewhere(form: Form, other: Draft | None, when: str) -> None:
    with st.container(border=True, key="register.elsewhere_panel"):
        st.warning(f"You went on with this draft in another window {when}. Nothing was overwritten: both are here.")
        if other is not None:
            _both(form_draft.definition(other), form.definition)
        with st.container(horizontal=True):
            st.button("Keep mine", key="register.keep_mine", on_click=form_state.keep_mine)
            take = form_state.take_elsewhere
            st.button("Take the other", key="register.take_other", on_click=take, disabled=other is None)


def _both(theirs: Definition, mine: Definition) -> None:
    if theirs.scoring_logic != mine.scoring_logic:
        code_diff("register.diff_code", theirs.scoring_logic, mine.scoring_logic, label="Scoring Logic: theirs to mine")
    if as_text(theirs) != as_text(mine):
        code_diff("register.diff_rest", as_text(theirs), as_text(mine), label="Everything else: theirs to mine")


def _save_mine(theirs: Version) -> None:
    draft = form_state.current()
    draft["number"], draft["snapshot"] = theirs.number, theirs.snapshot
    save(draft)


def _take_theirs(theirs: Version) -> None:
    draft = form_draft.edit(theirs)
    draft["rev"], draft["counter"] = form_state.current()["rev"] + 1, form_state.current()["counter"]
    form_state.replace(draft, "Took what is saved instead of yours.")
    form_state.touch()
