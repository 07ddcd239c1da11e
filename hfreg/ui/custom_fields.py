"""Custom fields: the uploaded folder and the initialization logic of a Custom model, in the cards of the form.

What was entered stays in the draft when another input type is chosen. A folder of this machine is named by its path
only while the workbench listens on this machine alone: who reaches it from elsewhere must not choose among its files.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

import streamlit as st

from hfreg.errors import HfregError
from hfreg.ui import findings, form_state, session
from hfreg.ui.editor import Completion, EditorState, code_editor, current_text
from hfreg.ui.findings import sentence
from hfreg.ui.form_state import Form
from hfreg.ui.listening import on_loopback
from hfreg.ui.widgets import plain, size

INITIALIZATION = "register.initialization"
PROBLEM, ROUND, SAID = "register.folder_problem", "register.folder_round", "register.folder_said"
ADD = "register.folder_add"
TYPED, ASKED = "register.folder_path", "register.folder_asked"
LARGEST_UPLOAD_MB = 2048
SHOWN = 12


def chosen(form: Form) -> bool:
    """Whether the model of the form is a Custom one."""
    return form.definition.input_type == "Custom"


def folder(form: Form) -> None:
    """Draw the folder that the model has, and what takes in another."""
    address = form.draft["fields"]["folder"]
    with st.container(key="register.folder_box"):
        st.markdown("Model Folder")
        if address:
            _kept(form, address)
        adds = _adds(address)
        st.file_uploader(
            "A zip of the model's folder" if not address else "A further zip" if adds else "Another zip instead",
            type="zip",
            key=_uploader(),
            max_upload_size=LARGEST_UPLOAD_MB,
            help="Weights as safetensors, configurations, vocabularies. No code, no archives inside; pickles only with "
            "Allow pickled weights. Scoring logic finds it as model_dir.",
        )
        _path()
        _take(form)
        if said := session.get(SAID):
            st.info(said)
        if problem := session.get(PROBLEM):
            st.error(sentence(problem))
        findings.beside(form.at("folder"))


def _adds(address: str) -> bool:
    """Draw whether what comes next is added to the folder that is there."""
    return bool(address) and st.toggle(
        "Add to this folder",
        key=ADD,
        help="The next zip or path adds its files, in place of those of the same name. So a large model comes in "
        "several zips, and an upload that breaks off costs its own zip alone; put an index of shards into the last.",
    )


def initialization(form: Form) -> EditorState:
    """Draw the editor of the initialization logic."""
    draft = form.draft
    source = draft["fields"]["initialization_logic"]
    st.markdown("**Initialization Logic**")
    given = ", ".join(f"`{name}`" for name in ("model_dir", "cache", *form.definition.resources))
    st.caption(
        sentence(f"Runs once when the model is loaded; its names are there in Scoring Logic. Available: {given}.")
    )
    state = code_editor(
        INITIALIZATION,
        source,
        label="Initialization Logic",
        rev=draft["rev"],
        min_height=160,
        max_height=480,
        completions=[Completion("model_dir", "variable", "str", "The uploaded folder, read-only.")],
        markers=findings.markers(form.findings, source, "initialization_logic"),
        on_change=_changed,
    )
    if state.text != source:
        form_state.write("initialization_logic", state.text)
    findings.beside(f for f in form.at("initialization_logic") if draft["tried"] or f.level == "error")
    st.markdown("**Scoring Logic**")
    return state


def take_sent() -> None:
    """Take what the browser sent of the initialization logic into the draft."""
    draft = form_state.current()
    if draft["fields"]["input_type"] == "Custom":
        before = draft["fields"]["initialization_logic"]
        form_state.write("initialization_logic", current_text(INITIALIZATION, before, rev=draft["rev"]))


def _kept(form: Form, address: str) -> None:
    kept = form.registry.folders.find(address)
    st.code(address, language=None, wrap_lines=True)
    if kept is not None:
        names = ", ".join(plain(file.name) for file in kept.files[:SHOWN])
        more = f" and {len(kept.files) - SHOWN} more" if len(kept.files) > SHOWN else ""
        st.caption(f"{size(kept.size)}: {names}{more}")
    st.button("Remove the folder", key="register.folder_remove", type="tertiary", on_click=_remove)


def _path() -> None:
    """Draw the field for a folder of this machine, where the page may offer it."""
    if not on_loopback():
        st.caption("A folder of the server, or one of more than 2 GB, is taken in with `registry.add_folder(path)`.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Or its path on this machine",
            key=TYPED,
            placeholder="/data/my-model",
            help="A folder, or a zip of it; what it holds is copied and kept, of any size up to 20 GiB.",
        )
        st.button("Take it", key="register.folder_take", on_click=_ask)


def _ask() -> None:
    typed = str(session.get(TYPED) or "").strip()
    session.drop(PROBLEM, SAID)
    if typed:
        session.put(ASKED, typed)
    else:
        session.put(PROBLEM, "Type the path of a folder first, or upload a zip.")


def _take(form: Form) -> None:
    """Take in what was just uploaded or named, telling how far it is."""
    upload, typed = session.get(_uploader()), session.get(ASKED)
    session.drop(ASKED)
    source: Path | IO[bytes] | None = upload or (Path(typed).expanduser() if typed else None)
    if source is None:
        return
    bar = st.progress(0.0, "Reading …")

    def tell(done: int, total: int) -> None:
        bar.progress(done / max(1, total), f"{done / 1024**2:,.0f} of {total / 1024**2:,.0f} MiB")

    fields = form.draft["fields"]
    try:
        onto = fields["folder"] if session.get(ADD) else ""
        kept = form.registry.add_folder(source, fields["pickled_weights"], tell, onto)
    except (HfregError, OSError, RuntimeError, ValueError) as error:
        session.drop(SAID)
        session.put(PROBLEM, f"{upload.name if upload else typed}: {error} Nothing of it was kept.")
    else:
        session.drop(PROBLEM, SAID)
        if kept.already:
            session.put(SAID, "The same content was here already, so nothing new was stored.")
        form_state.write("folder", kept.address)
    session.put(ROUND, session.get(ROUND, 0) + 1)  # the next uploader is empty
    st.rerun()


def _uploader() -> str:
    return f"register.folder_upload.{session.get(ROUND, 0)}"


def _remove() -> None:
    session.drop(PROBLEM, SAID)
    form_state.write("folder", "")


def _changed(text: str, rev: int) -> None:
    if rev == form_state.current()["rev"]:
        form_state.write("initialization_logic", text)
