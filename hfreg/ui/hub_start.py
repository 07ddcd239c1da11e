"""Hub start: find a model of the Hub inside the form, look at it, and fill the form with it.

Covers the search with its filters, the results, and *Use this model*; a repository is drawn by `hfreg.ui.hub_view`.
The first answer is waited for; what follows it is asked in a thread of its own and polled, so that the form is there
meanwhile. Nothing is filled in before everything was looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import streamlit as st

from hfreg.errors import HfregError
from hfreg.from_repository import from_repository
from hfreg.hub.access import looks_like_token
from hfreg.hub.card import first_paragraph
from hfreg.hub.client import Hub
from hfreg.hub.look import Details, Look, details, look
from hfreg.hub.repo import Repo
from hfreg.hub.search import SORTS, Query, Results, Sort, search
from hfreg.licensing import WHERE
from hfreg.scoring.architectures import model_types
from hfreg.ui import form_draft, form_state, hub_view, session
from hfreg.ui.findings import sentence
from hfreg.ui.form_state import Form
from hfreg.ui.widgets import counted, plain

NAME = "start.hub"
WORDS, TASK, LIBRARY, LICENCE, SIZE, SORT = (
    f"{NAME}.{name}" for name in ("words", "task", "library", "licence", "size", "sort")
)
ASKED, FOUND, LOOKED, PENDING, PROBLEM = (f"{NAME}.{n}" for n in ("asked", "found", "looked", "pending", "problem"))
SIZES = {
    "Any size": (0, 0),
    "up to 100 M": (0, 100_000_000),
    "up to 500 M": (0, 500_000_000),
    "up to 1 B": (0, 1_000_000_000),
    "1 B to 8 B": (1_000_000_000, 8_000_000_000),
    "over 8 B": (8_000_000_000, 0),
}
TASKS = (
    "text-classification", "zero-shot-classification", "token-classification", "fill-mask", "text-generation",
    "feature-extraction", "sentence-similarity", "text-ranking", "image-classification", "image-text-to-text",
    "automatic-speech-recognition",
)  # fmt: skip
LIBRARIES = ("transformers", "sentence-transformers")
LICENCES = ("apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-nc-4.0", "llama3", "gemma", "openrail")


class Pending:
    """What is asked after the first look, in a thread of its own; `found` is None until it is there."""

    def __init__(self, hub: Hub, looked: Look) -> None:
        self.found: Details | None = None
        self._thread = threading.Thread(target=self._work, args=(hub, looked), daemon=True, name="hub details")
        self._thread.start()

    def _work(self, hub: Hub, looked: Look) -> None:
        try:
            self.found = details(hub, looked)
        except Exception as error:  # shown instead of waiting for ever
            self.found = Details(problems=(f"The rest could not be asked: {type(error).__name__}.",))

    def wait(self, seconds: float) -> None:
        """Wait a little: what a near Hub answers at once need not be polled for."""
        self._thread.join(seconds)


def draw(form: Form) -> None:
    """Draw the search and what it found; a form that was begun keeps it folded until it is used."""
    used = any(session.get(key) is not None for key in (ASKED, FOUND, LOOKED, PROBLEM))
    begun = form_draft.changed(form.draft)
    with st.expander("Start from a model of the Hub", expanded=used or not begun, key="register.hub"):
        _fields(form)
        if (asked := session.get(ASKED)) is not None:
            session.drop(ASKED)
            with st.spinner(f"Asking {plain(form.registry.hub.endpoint)} …"):
                _ask(form.registry.hub, asked)
        if problem := session.get(PROBLEM):
            st.error(sentence(problem))
        looked: Look | None = session.get(LOOKED)
        if looked is None and (found := session.get(FOUND)) is not None:
            _results(found)
        if looked is not None:
            _looked(form, looked)


def _fields(form: Form) -> None:
    with st.form(f"{NAME}.form", border=False, enter_to_submit=True):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            st.text_input(
                "Search, or paste a repo id or the address of a model",
                key=WORDS,
                placeholder="sentiment · owner/name · https://huggingface.co/owner/name",
                persist_state="session",
            )
            st.form_submit_button("Find", key=f"{NAME}.find", on_click=_take)
        with st.container(horizontal=True, gap="small"):
            _choice("Task", TASK, TASKS)
            _choice("Library", LIBRARY, LIBRARIES)
            _choice("Licence", LICENCE, LICENCES)
            st.selectbox("Parameters", list(SIZES), key=SIZE, width=130, persist_state="session")
            st.selectbox("Sort by", SORTS, key=SORT, width=130, persist_state="session")


def _choice(label: str, key: str, options: Sequence[str]) -> None:
    st.selectbox(
        label,
        options,
        index=None,
        key=key,
        placeholder="Any",
        accept_new_options=True,
        width=150,
        persist_state="session",
    )


def _take() -> None:
    """Take what was entered; a token that landed here goes out of the page."""
    text = str(session.get(WORDS) or "").strip()
    session.drop(FOUND, LOOKED, PENDING, PROBLEM)
    session.put(ASKED, text)
    if looks_like_token(text):
        session.put(WORDS, "")


def _open(repo: str) -> None:
    session.drop(LOOKED, PENDING, PROBLEM)
    session.put(ASKED, repo)


def _back() -> None:
    session.drop(LOOKED, PENDING, PROBLEM)


def _is_repo(text: str) -> bool:
    """Say whether what was entered means one repository; what looks like none of the Hub's ids is refused as such."""
    return looks_like_token(text) or (not any(c.isspace() for c in text) and ("/" in text or len(text) > 96))


def _ask(hub: Hub, asked: str) -> None:
    try:
        if _is_repo(asked):
            found = look(hub, asked, model_types())
            pending = Pending(hub, found)
            pending.wait(0.3)
            session.registry().licensing.licences.remember(found.repo.id, found.repo.commit, found.repo.licences)
            session.put(LOOKED, found)
            session.put(PENDING, pending)
        else:
            session.put(FOUND, search(hub, _query(asked)))
    except HfregError as error:
        session.put(PROBLEM, str(error))


def _query(words: str) -> Query:
    smallest, largest = SIZES.get(session.get(SIZE) or "", (0, 0))
    task, library, licence = (str(session.get(key) or "").strip() for key in (TASK, LIBRARY, LICENCE))
    sort: Sort = next((one for one in SORTS if one == session.get(SORT)), "downloads")
    return Query(words, task, library, licence.lower(), smallest, largest, sort)


def _results(found: Results) -> None:
    if found.message:
        st.info(sentence(found.message))
    if not found.repos:
        st.caption("Nothing was found. Try fewer words or filters." if found.online else "Nothing that fits is there.")
        return
    st.caption(f"{counted(len(found.repos), 'model')}.")
    with st.container(key=f"{NAME}.results", gap="xsmall", height=360 if len(found.repos) > 5 else "content"):
        for repo in found.repos:
            _row(repo)


def _row(repo: Repo) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"{NAME}.row.{repo.id}"):
        st.markdown(f"**{plain(repo.id)}**  \n:small[{hub_view.facts_in_a_line(repo)}]", width="stretch")
        st.button("Look", key=f"{NAME}.look.{repo.id}", on_click=_open, args=[repo.id])


def _looked(form: Form, looked: Look) -> None:
    pending: Pending = session.get(PENDING)
    ready = pending.found is not None
    problems = (*looked.problems, *(pending.found.problems if pending.found else ()))
    if form.registry.licensing.policy.verdict(looked.repo.licences) == "denied":
        problems = (*problems, f"The licence policy denies `{looked.repo.licence or 'unknown'}` ({WHERE}).")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Use this model",
            key=f"{NAME}.use",
            type="primary",
            on_click=_use,
            args=[looked],
            disabled=not ready or bool(problems),
        )
        if session.get(FOUND) is not None:
            st.button("Back to the results", key=f"{NAME}.back", on_click=_back)
    for problem in problems:
        st.error(sentence(problem))
    hub_view.draw(form.registry, looked)
    if pending.found is not None:
        hub_view.details(looked, pending.found)
    else:
        st.fragment(_follow, run_every=0.4)()
    hub_view.card(looked)


def _follow() -> None:
    """Wait for what comes after the first look; the page is drawn anew once it is there."""
    pending: Pending | None = session.get(PENDING)
    if pending is not None and pending.found is not None:
        st.rerun()
    st.caption("Asking for base models, scans and access …")


def _use(looked: Look) -> None:
    """Fill the form with the model; undo brings back what was there."""
    repo, registry = looked.repo, session.registry()
    start = from_repository(
        repo.task,
        repo.id,
        repo.commit,
        library=repo.library,
        conversational=repo.conversational,
        summary=first_paragraph(looked.readme),
        taken=registry.definitions.aliases(),
    )
    session.drop(f"{NAME}.")
    form_state.fill(start.definition, start.message)
