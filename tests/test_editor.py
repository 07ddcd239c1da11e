"""The editor without a browser: what Python takes, sends and falls back to, and what is committed.

Covers: the plain text area, reading what the browser sent, the address of the bundle, its size and origin.
Does not: anything typed or drawn (tests/browser/test_editor.py).
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from hfreg.ui.editor import Completion, EditorState, Marker, bundle
from hfreg.ui.editor.component import _answer
from hfreg.ui.editor.content import as_data, entries

FRONTEND = Path(bundle.__file__).parent / "frontend"


def page() -> None:
    import streamlit as st

    from hfreg.ui.editor import code_diff, code_editor, current_text

    memory = st.session_state
    memory.setdefault("rev", 0)
    memory.setdefault("draft", "a = 1")
    memory.setdefault("heard", [])
    if st.button("Template", key="template"):
        memory.rev += 1
        memory.draft = "b = 2"
    text = current_text("code", memory.draft, rev=memory.rev)
    memory.checked = text
    memory.state = code_editor(
        "code",
        text,
        label="Scoring logic",
        rev=memory.rev,
        markers=[{"line": 1, "message": f"<b>checked</b> {text}", "severity": "warning"}],
        on_change=lambda text, rev: memory.heard.append((text, rev)),
    )
    code_editor("shown", "x = 1", label="Read only", readonly=True)
    code_diff("diff", "old = 1\n", "new = 2\n", label="Version 1 to 2")


@pytest.fixture
def serving() -> Iterator[None]:
    before = st.get_option("server.enableStaticServing")
    st.config.set_option("server.enableStaticServing", True)
    yield
    st.config.set_option("server.enableStaticServing", before)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, serving: None) -> AppTest:
    """Run the page where the bundle was not built."""
    monkeypatch.setattr(bundle, "BUNDLE", tmp_path / "editor.js")
    started = AppTest.from_function(page).run()
    assert not started.exception
    return started


def test_without_the_bundle_a_text_area_takes_its_place_with_the_findings_below(app: AppTest) -> None:
    assert app.text_area[0].label == "Scoring logic"
    assert app.text_area[0].value == "a = 1"
    assert [line.value for line in app.text] == ["Warning. Line 1: <b>checked</b> a = 1"]
    assert app.session_state.state == EditorState("a = 1")


def test_the_text_area_answers_as_the_editor_does(app: AppTest) -> None:
    app.text_area[0].input("a = 3").run()
    assert app.session_state.state == EditorState("a = 3")
    assert app.session_state.checked == "a = 3"
    assert app.session_state.heard == [("a = 3", 0)]
    app.run()
    assert app.session_state.heard == [("a = 3", 0)]


def test_a_new_rev_replaces_the_text_in_the_text_area(app: AppTest) -> None:
    app.text_area[0].input("a = 3").run()
    app.button(key="template").click().run()
    assert app.text_area[0].value == "b = 2"
    assert app.session_state.state == EditorState("b = 2")


def test_without_the_bundle_the_difference_is_still_shown(app: AppTest) -> None:
    shown = [block.value for block in app.code]
    assert shown == ["x = 1", "--- before\n+++ after\n@@ -1 +1 @@\n-old = 1\n+new = 2"]


def test_with_the_bundle_the_component_is_drawn_and_its_state_is_read(serving: None) -> None:
    app = AppTest.from_function(page)
    app.session_state["code"] = {"document": {"rev": 0, "text": "typed"}}
    app.run()
    assert not app.exception
    assert not app.text_area
    assert app.session_state.state == EditorState("typed")
    assert app.session_state.checked == "typed"


def test_an_event_carries_its_own_text_and_what_belongs_to_an_older_rev_is_ignored() -> None:
    document = {"rev": 1, "text": "typed"}
    pressed = {"rev": 1, "text": "typed on", "event": "run"}
    assert _answer({"document": document}, "draft", 1) == EditorState("typed")
    assert _answer({"document": document, "pressed": pressed}, "draft", 1) == EditorState("typed on", "run")
    assert _answer({"document": document, "pressed": pressed}, "draft", 2) == EditorState("draft")


@pytest.mark.parametrize("sent", [None, "x", {"document": 3}, {"document": {"rev": 0, "text": 7}}, {"pressed": None}])
def test_a_message_of_another_shape_leaves_the_draft(sent: object) -> None:
    assert _answer(sent, "draft", 0) == EditorState("draft")


def test_an_unknown_event_is_no_event() -> None:
    assert _answer({"pressed": {"rev": 0, "text": "t", "event": "delete"}}, "", 0) == EditorState("t", "")


def test_only_what_says_something_is_sent() -> None:
    assert as_data([Marker(3, "wrong")]) == [{"line": 3, "message": "wrong", "severity": "error"}]
    assert as_data(entries(Completion, [{"label": "text", "detail": "string"}])) == [
        {"label": "text", "type": "variable", "detail": "string"}
    ]


def test_an_unknown_severity_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'fatal'.*error, warning, info, hint"):
        entries(Marker, [{"line": 1, "message": "m", "severity": "fatal"}])


def test_the_address_changes_with_the_bundle_and_needs_static_serving(tmp_path: Path, serving: None) -> None:
    file = tmp_path / "editor.js"
    file.write_text("1")
    first = bundle.find_bundle_url(file)
    file.write_text("22")
    second = bundle.find_bundle_url(file)
    assert first and second and first != second
    assert re.fullmatch(r"/app/static/editor/editor\.js\?v=[0-9a-f]{12}", first)
    st.config.set_option("server.enableStaticServing", False)
    assert bundle.find_bundle_url(file) is None


def test_the_committed_bundle_was_built_from_the_committed_sources() -> None:
    sources = [*sorted((FRONTEND / "src").iterdir()), FRONTEND / "build.js", FRONTEND / "package-lock.json"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    assert digest in bundle.BUNDLE.read_text(encoding="utf-8").splitlines()[0], "run `npm run build` in frontend/"


def test_the_bundle_stays_small_and_its_loader_tiny() -> None:
    assert bundle.BUNDLE.stat().st_size <= 520 * 1024
    assert len(bundle.LOADER) < 2048


def test_the_lock_names_no_registry_and_every_bundled_package_has_its_licence() -> None:
    text = (FRONTEND / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text and "://" not in text
    licences = bundle.BUNDLE.with_name("LICENSES.txt").read_text(encoding="utf-8")
    for name in json.loads((FRONTEND / "package.json").read_text(encoding="utf-8"))["dependencies"]:
        assert re.search(rf"^{re.escape(name)} \S+ \(MIT\)\n\nMIT License", licences, re.MULTILINE), name
