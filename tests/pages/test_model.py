"""The page of a model: head, tabs, versions, review and what the address may say. Dialogs are in tests/browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from catalog_pages import LOGIC, MODEL, definition, links, press, said
from catalog_pages import opened as opened_page
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg import Argument
from hfreg.store.calls import Call, new_call_id, utc_now
from hfreg.ui import actions, history, model_page
from hfreg.version import Pin, Source, SourceFile

COMMIT = "a" * 40


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it, with one Draft of two saves."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(definition("mood", name="Mood of texts"), "First", "ann")
    registry.edit("mood", definition("mood", name="Mood", scoring_logic=LOGIC.replace("0.9", "0.95")), "Surer", "bob")
    yield registry
    st.cache_resource.clear()


def opened(alias: str = "mood", **params: str) -> AppTest:
    return opened_page(MODEL, **({"alias": alias} if alias else {}), **params)


def approve(registry: hfreg.Registry, alias: str = "mood") -> None:
    registry.submit(alias, "Please look", "ann")
    registry.review(alias, "Accept", "bob", "Reads well")


def unpinned(registry: hfreg.Registry) -> None:
    """Save a draft that names a repository which cannot be resolved: there is no way to the Hub."""
    source = f"from transformers import pipeline\n\nclient = pipeline(model='acme/mood')\n{LOGIC}"
    registry.edit("mood", definition("mood", scoring_logic=source))


def test_a_model_that_was_deleted_comes_back_on_its_page(server: hfreg.Registry) -> None:
    version = server.get("mood")
    at = opened()
    at.session_state[actions.NOTICE] = actions.gone(version, server.delete("mood"))
    at.run()
    assert "Deleted `mood` version 1." in said(at) and "No model `mood`" in said(at)
    press(at, "actions_undo")
    assert at.title[0].value == "Mood" and "snapshot 2" in said(at)
    assert server.get("mood") == version


def test_the_head_says_alias_name_state_version_and_who_saved(server: hfreg.Registry) -> None:
    at = opened()
    page = said(at)
    assert at.title[0].value == "Mood"
    assert at.code[0].value == "mood"
    assert ":gray-badge[Draft]" in page
    assert "snapshot 2, saved" in page
    assert "by bob" in page
    assert at.selectbox(key="model_version").value == 1


def test_the_version_chooser_follows_the_address_and_writes_it(server: hfreg.Registry) -> None:
    approve(server)
    server.clone("mood", author="ann")
    at = opened(version="1")
    assert at.selectbox(key="model_version").value == 1
    assert "Calls by the alias use this version" in said(at)
    at.selectbox(key="model_version").set_value(2).run()
    assert dict(at.query_params)["version"] in ("2", ["2"])
    assert "Calls by the alias use version 1" in said(at)
    assert opened().selectbox(key="model_version").value == 2


def test_the_overview_shows_the_contract_and_how_to_call_it(server: hfreg.Registry) -> None:
    arguments = [
        Argument("text", usage="Main *input*"),
        Argument("threshold", "Numerical", optional=True, default="0.5"),
    ]
    server.edit("mood", definition("mood", arguments=arguments, description="Line <b>one</b>\nline *two*"))
    at = opened()
    codes = [code.value for code in at.code]
    assert "mood(text: str, threshold: float | int = 0.5) -> dict[str, Any]" in codes
    assert "from hfreg.models import mood\n\nresult = mood(\n    text='Great product!',\n    threshold=0.5,\n)" in codes
    assert "python -m hfreg run mood text='Great product!' threshold=0.5" in codes
    assert "Line <b>one</b>\nline *two*" in [text.value for text in at.text]
    rows = at.table[0].value.to_dict("records")
    assert rows[1] == {
        "Alias": "`threshold`", "Type": "Numerical", "Optional": "Yes", "Default Value": "0\\.5", "Usage": "",
    }  # fmt: skip
    assert rows[0]["Usage"] == "Main \\*input\\*"
    assert "Answers with `Map[String, Any]`, in Python `dict[str, Any]`." in said(at)


def test_the_shown_python_call_runs(server: hfreg.Registry) -> None:
    (call,) = [code.value for code in opened().code if "from hfreg.models import" in code.value]
    names: dict[str, Any] = {}
    exec(call, names)
    assert names["result"] == {"label": "positive", "score": 0.95}


def test_sources_show_what_was_recorded_of_them(server: hfreg.Registry) -> None:
    unpinned(server)
    at = datetime(2026, 1, 2, tzinfo=UTC)
    pin = Pin(repo="acme/mood", revision=None, commit=COMMIT, at=at)
    server.definitions.add_pin("mood", 1, pin)
    weights = SourceFile(name="model.safetensors", size=1_200_000, sha256="b" * 64)
    source = Source(
        repo=pin.repo, revision=None, commit=COMMIT, at=at, said_by="hub", files=(weights,), licences=("mit",),
        gated=True, private=False,
    )  # fmt: skip
    server.definitions.add_source("mood", 1, source)
    assert "licence mit · 1 file, 1.2 MB · gated · security scan: unknown" in said(opened())


def test_pinned_sources_show_their_commit_and_unresolved_ones_the_reason(server: hfreg.Registry) -> None:
    unpinned(server)
    assert "`acme/mood` is not pinned yet" in said(opened())
    server.definitions.add_pin("mood", 1, Pin(repo="acme/mood", revision=None, commit=COMMIT, at=datetime.now(UTC)))
    at = opened()
    page = said(at)
    assert "not pinned yet" not in page
    assert f"[acme/mood](http://127.0.0.1:9/acme/mood/tree/{COMMIT})" in page
    assert COMMIT in [code.value for code in at.code]


def test_lineage_links_both_ways(server: hfreg.Registry) -> None:
    server.register(definition("judge", resources=["mood"]))
    assert links(opened("mood"))["judge"] == "model?alias=judge"
    assert links(opened("judge"))["mood"] == "model?alias=mood"
    assert "No other model calls it." in said(opened("judge"))


def test_only_the_open_tab_is_computed(server: hfreg.Registry) -> None:
    server.events.record(Call(new_call_id(), utc_now(), "mood", 1, "Draft", "python", "ann", "ok", total_ms=12.0))
    drawn = {}
    for tab in model_page.TABS:
        at = opened(tab=tab)
        editors = [one for one in at.main if one.type == "bidi_component"]
        drawn[tab] = ([one.value for one in at.subheader], len(editors), len(at.metric))
    assert drawn == {
        "Overview": (["Contract", "How to call it", "Facts", "Sources", "Lineage"], 0, 0),
        "Code": ([], 1, 0),
        "History": (["What changed", "Saves of version 1", "Everything that was done"], 2, 0),
        "Review": (["Where it stands", "What was said"], 0, 0),
        "Checks": ([], 0, 0),
        "Use": ([], 0, 5),
    }


def test_the_code_tab_shows_the_source_read_only(server: hfreg.Registry) -> None:
    at = opened(tab="Code")
    (editor,) = [one for one in at.main if one.type == "bidi_component"]
    assert "0.95" in str(editor.proto)


def test_history_compares_the_last_two_saves_that_differ(server: hfreg.Registry) -> None:
    approve(server)
    server.clone("mood", author="ann")
    at = opened(tab="History")
    chosen = [str(history.all_saves(server.versions("mood"))[box.value]) for box in at.selectbox[1:]]
    assert [text.partition(":")[0] for text in chosen] == ["Version 1, snapshot 1", "Version 2, snapshot 1"]
    differences = [one for one in at.main if one.type == "bidi_component"]
    assert len(differences) == 2  # the code, and the name
    at.selectbox[1].set_value(1).run()
    assert "The two say the same." in said(at)


def test_history_tells_everything_that_was_done(server: hfreg.Registry) -> None:
    approve(server)
    log = opened(tab="History").dataframe[0].value
    assert list(log["What"]) == ["Accept", "Submit", "Edit", "Register"]
    assert list(log["Who"]) == ["bob", "ann", "bob", "ann"]
    assert log["State"][0] == "Pending Approval → Approved"
    assert log["Comment"][0] == "Reads well"


def test_a_save_of_a_draft_is_restored_as_one_more(server: hfreg.Registry) -> None:
    at = press(opened(tab="History"), "history_restore_1")
    assert (server.get("mood").snapshot, server.get("mood").definition.name) == (3, "Mood of texts")
    assert "Restored snapshot 1 as snapshot 3" in said(at)
    approve(server)
    assert [b.key for b in opened(tab="History").button if "restore" in str(b.key)] == []


def test_a_long_history_is_shown_in_full_when_asked(server: hfreg.Registry) -> None:
    for number in range(history.SHOWN):
        server.edit("mood", definition("mood", notes=f"note {number}"))
    at = opened(tab="History")
    assert "Snapshot 2**" not in said(at)
    assert "Snapshot 2**" in said(press(at, "history_more"))


def test_a_draft_is_submitted_with_a_note(server: hfreg.Registry) -> None:
    at = opened(tab="Review")
    at.text_area(key="review_note").set_value("Please look")
    press(at, "review_submit")
    assert server.get("mood").state == "Pending Approval"
    assert server.history("mood")[0].comment == "Please look"
    assert "waits for approval" in said(at)


def test_what_blocks_submitting_is_named(server: hfreg.Registry) -> None:
    unpinned(server)
    at = opened(tab="Review")
    assert "Not every source is pinned" in said(at)
    press(at, "review_submit")
    assert server.get("mood").state == "Draft"
    assert "cannot be submitted for approval" in at.error[0].value


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("accept", "Approved"),
        ("need_info", "Pending Approval"),
        ("need_changes", "Draft"),
        ("reject", "Rejected"),
        ("comment", "Pending Approval"),
    ],
)
def test_a_review_records_who_said_what(server: hfreg.Registry, key: str, state: str) -> None:
    server.submit("mood", actor="ann")
    at = opened(tab="Review")
    (comment,) = [area for area in at.text_area if area.label == "Comment"]
    comment.set_value("On the <b>second</b> line")
    press(at, f"review_{key}")
    entry = server.history("mood")[0]
    assert (server.get("mood").state, entry.comment, entry.actor) == (state, "On the <b>second</b> line", server.user)
    assert "On the <b>second</b> line" in [text.value for text in at.text]
    assert [area.value for area in at.text_area if area.label == "Comment"] == [""]


def test_a_review_without_words_asks_for_them(server: hfreg.Registry) -> None:
    server.submit("mood", actor="ann")
    at = opened(tab="Review")
    for key in ("need_info", "need_changes", "reject", "comment"):
        assert "needs a comment" in press(at, f"review_{key}").error[0].value
    assert server.history("mood")[0].action == "Submit"


def test_a_comment_is_kept_when_the_review_is_refused(server: hfreg.Registry) -> None:
    server.submit("mood", actor="ann")
    at = opened(tab="Review")
    (comment,) = [area for area in at.text_area if area.label == "Comment"]
    comment.set_value("Reads well")
    server.review("mood", "Reject", "bob", "no")  # meanwhile, in another browser
    press(at, "review_accept")
    assert "Accept is not possible in Rejected" in at.error[0].value
    assert [area.value for area in at.text_area if area.label == "Comment"] == ["Reads well"]


def test_an_archived_version_has_nothing_to_review(server: hfreg.Registry) -> None:
    server.archive("mood")
    at = opened(tab="Review")
    assert [b.key for b in at.button if str(b.key).startswith("review_")] == []
    assert "Unarchive it" in said(at)


@pytest.mark.parametrize(("state", "label"), [("Draft", "Request Approval"), ("Pending Approval", "Review")])
def test_the_head_leads_to_the_review(server: hfreg.Registry, state: str, label: str) -> None:
    if state != "Draft":
        server.submit("mood", actor="ann")
    at = opened()
    assert at.button(key="model_review").label == label
    assert "Where it stands" in said(press(at, "model_review"))


def test_use_shows_the_calls_of_the_last_thirty_days(server: hfreg.Registry) -> None:
    assert "No calls in the last 30 days" in said(opened(tab="Use"))
    for days, status, ms in ((0, "ok", 10.0), (1, "ok", 30.0), (2, "error", 5.0), (40, "ok", 900.0)):
        server.events.record(
            Call(new_call_id(), utc_now() - timedelta(days=days), "mood", 1, "Draft", "python", "ann", status,
                 error_kind="" if status == "ok" else "KeyError", total_ms=ms)
        )  # fmt: skip
    at = opened(tab="Use")
    assert {m.label: m.value for m in at.metric} == {
        "Calls": "3", "Without an answer": "1", "p50": "20 ms", "p95": "29 ms", "Cold loads": "0",
    }  # fmt: skip
    assert links(at)["All about its use"] == "usage?alias=mood"
    assert "KeyError" in said(at)


def test_try_it_leads_to_the_playground_with_this_version(server: hfreg.Registry) -> None:
    at = press(opened(), "model_try")
    assert not at.exception
    assert at.title[0].value == "Playground"


def test_a_draft_is_edited_and_an_approved_version_is_cloned(server: hfreg.Registry) -> None:
    assert opened().button(key="model_change").label == "Edit"
    assert press(opened(), "model_change").title[0].value == "Edit mood"
    approve(server)
    at = opened()
    assert at.button(key="model_change").label == "Clone"
    assert press(at, "model_change").title[0].value == "Edit mood"
    assert [(v.number, v.state) for v in server.versions("mood")] == [(1, "Approved"), (2, "Draft")]


def test_more_archives_and_unarchives_the_version_on_the_page(server: hfreg.Registry) -> None:
    approve(server)
    server.clone("mood")
    at = opened(version="1")
    at.menu_button(key="model_more").click("Archive").run()
    assert [(v.number, v.state) for v in server.versions("mood")] == [(1, "Archived"), (2, "Draft")]
    assert "model_try" not in [b.key for b in at.button]
    at.menu_button(key="model_more").click("Unarchive").run()
    assert server.get("mood", 1).state == "Approved"


def test_an_unknown_alias_names_the_near_ones(server: hfreg.Registry) -> None:
    at = opened("moood")
    assert "`moood`" in at.warning[0].value
    assert links(at)["mood"] == "model?alias=mood"
    assert "All models" in links(at)


def test_an_alias_with_markup_is_shown_as_written(server: hfreg.Registry) -> None:
    assert "No model `<b>x[y](http://z)` is" in opened("<b>x[y](http://z)").warning[0].value
    assert "\\[y\\]\\(http" in opened("x`[y](http://z)").warning[0].value  # what would end the code is no way out


def test_no_alias_and_an_unknown_version_lead_on(server: hfreg.Registry) -> None:
    assert links(opened(""))["mood"] == "model?alias=mood"
    at = opened(version="7")
    assert "no version 7" in at.warning[0].value
    assert links(at)["mood"] == "model?alias=mood"
    assert "no version one" in opened(version="one").warning[0].value


def test_near_names_are_found_whatever_their_case() -> None:
    known = ["sentiment_analyzer", "writer"]
    assert model_page.near("Sentiment_Analyser", known) == ["sentiment_analyzer"]
    assert model_page.near("zzz", known) == []
