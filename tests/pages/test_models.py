"""The Model Catalog: what it lists, finds, hides and offers. Dialogs and live search are in tests/browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import streamlit as st
from catalog_pages import choose, definition, links, opened, press, rows, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg import starters
from hfreg.store.calls import Call, new_call_id, utc_now
from hfreg.ui import actions, catalog


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it, with three models of different kinds."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(definition("mood", name="Mood of texts", model_type="Text Classification", group="Support"))
    registry.register(definition("shield", description="Stops injections.", model_type="Guardrail", group="Risk"))
    registry.register(definition("writer", description="Goes on writing.", model_type="Text Generation"))
    yield registry
    st.cache_resource.clear()


def call(alias: str, days: float, status: str = "ok") -> Call:
    return Call(new_call_id(), utc_now() - timedelta(days=days), alias, 1, "Draft", "python", "ann", status)


def approve(registry: hfreg.Registry, alias: str) -> None:
    registry.submit(alias, actor="ann")
    registry.review(alias, "Accept", "bob")


def test_each_model_is_listed_with_its_state_and_a_link_to_its_page(server: hfreg.Registry) -> None:
    approve(server, "shield")
    at = opened()
    assert rows(at) == ["mood", "shield", "writer"]
    assert links(at)["shield"] == "model?alias=shield&version=1"
    page = said(at)
    assert "**Mood of texts** · Sentiment of short texts." in page
    assert ":green-badge[Approved]" in page
    assert page.count(":gray-badge[Draft]") == 2
    assert "Guardrail · version 1" in page
    assert "3 of 3 models." in page


def test_what_a_user_wrote_is_shown_as_written(server: hfreg.Registry) -> None:
    server.register(
        definition("loud", name="<b>Loud</b>", description="**bold** [x](http://x) <script>alert(1)</script>")
    )
    captions = [c.value for c in opened().caption]
    (mine,) = [c for c in captions if "Loud" in c]
    assert "\\<b\\>Loud" in mine
    assert "\\*\\*bold\\*\\*" in mine
    assert "\\[x\\]\\(http" in mine
    assert "\\<script\\>" in mine


def test_a_search_for_words_finds_in_alias_name_and_description(server: hfreg.Registry) -> None:
    at = opened()
    assert rows(at.text_input(key="models_q").set_value("injections").run()) == ["shield"]
    assert rows(at.text_input(key="models_q").set_value("MOOD texts").run()) == ["mood"]
    assert at.query_params["q"] == "MOOD texts"
    at.text_input(key="models_q").set_value("nothing like it").run()
    assert rows(at) == []
    assert "No model fits" in said(at)


def test_search_and_filters_are_taken_from_the_address(server: hfreg.Registry) -> None:
    assert rows(opened(q="goes")) == ["writer"]
    assert rows(opened(type="Guardrail")) == ["shield"]
    assert rows(opened(group="Support")) == ["mood"]
    approve(server, "mood")
    assert rows(opened(state="Approved")) == ["mood"]


def test_an_address_with_an_unknown_filter_still_shows_the_list(server: hfreg.Registry) -> None:
    assert rows(opened(state="Sleeping", sort="Colour", page="99")) == ["mood", "shield", "writer"]


def test_filters_narrow_the_list(server: hfreg.Registry) -> None:
    approve(server, "shield")
    at = opened()
    assert rows(at.segmented_control(key="models_state").set_value("Approved").run()) == ["shield"]
    assert rows(at.segmented_control(key="models_state").set_value(None).run()) == ["mood", "shield", "writer"]
    assert rows(at.segmented_control(key="models_type").set_value("Text Generation").run()) == ["writer"]
    at.segmented_control(key="models_type").set_value(None).run()
    assert rows(at.segmented_control(key="models_group").set_value("Risk").run()) == ["shield"]


def test_there_is_no_group_filter_without_groups(home: Path, server: hfreg.Registry) -> None:
    for alias in ("mood", "shield"):
        server.edit(alias, server.get(alias).definition.model_copy(update={"group": ""}))
    with pytest.raises(KeyError):
        opened().segmented_control(key="models_group")


def test_many_groups_are_chosen_from_a_list(server: hfreg.Registry) -> None:
    for number in range(catalog.FEW):
        server.register(definition(f"more_{number}", group=f"Group {number}"))
    at = opened()
    assert rows(at.selectbox(key="models_group").set_value("Group 3").run()) == ["more_3"]


def test_archived_models_are_hidden_unless_asked_for(server: hfreg.Registry) -> None:
    server.archive("mood")
    at = opened()
    assert rows(at) == ["shield", "writer"]
    assert "2 of 3 models. 1 archived model not shown." in said(at)
    assert rows(at.segmented_control(key="models_state").set_value("Archived").run()) == ["mood"]


def test_calls_last_use_and_seven_days_come_from_the_log(server: hfreg.Registry) -> None:
    for days in (0.0, 0.0, 2.0, 40.0):
        server.events.record(call("shield", days))
    page = said(opened())
    assert "4 calls<br>" in page
    assert page.count("Not called yet") == 2
    (told,) = [line for line in page.splitlines() if "Calls a day" in line]
    days = told.partition("today last: ")[2].partition('"')[0].split(", ")
    assert (len(days), sum(int(day) for day in days), days[-1] != "0" or days[-2] != "0") == (7, 3, True)


def test_the_log_is_asked_once_however_many_models_there_are(
    server: hfreg.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    server.events.record(call("mood", 0))
    opened()
    asked: list[str] = []

    def count(conn: object, cursor: object, statement: str, *rest: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        few = (opened(), len(asked))[1]
        for number in range(10):
            server.register(definition(f"more_{number}"))
            server.events.record(call(f"more_{number}", 0))
        server.events.flush()
        asked.clear()
        many = (opened(), len(asked))[1]
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert few > 0
    assert many <= few + 1  # the new calls are read in one go


def test_the_order_can_be_chosen(server: hfreg.Registry) -> None:
    server.events.record(call("writer", 0))
    server.events.record(call("shield", 1))
    server.events.record(call("shield", 2))
    at = opened()
    assert rows(at.selectbox(key="models_sort").set_value("Last used").run()) == ["writer", "shield", "mood"]
    assert rows(at.selectbox(key="models_sort").set_value("Most called").run()) == ["shield", "writer", "mood"]
    server.edit("mood", definition("mood", notes="newer"))
    assert rows(at.selectbox(key="models_sort").set_value("Last saved").run())[0] == "mood"


def test_a_model_in_memory_is_marked(server: hfreg.Registry) -> None:
    assert "loaded" not in said(opened())
    server.model("shield")(text="hi")
    page = said(opened())
    assert page.count(":green[●] loaded") == 1


def test_a_row_says_when_calls_use_another_version(server: hfreg.Registry) -> None:
    approve(server, "shield")
    server.clone("shield")
    assert "version 2 · calls use version 1, Approved" in said(opened())


def test_more_models_than_fit_are_paged(server: hfreg.Registry) -> None:
    for number in range(catalog.ROWS):
        server.definitions.add(definition(f"a_{number:02d}"), "ann")
    at = opened()
    assert len(rows(at)) == catalog.ROWS
    at.pagination(key="models_page").set_value(2).run()
    assert rows(at) == ["mood", "shield", "writer"]
    assert rows(opened(page="2")) == ["mood", "shield", "writer"]
    at.text_input(key="models_q").set_value("writ").run()
    assert rows(at) == ["writer"]
    assert "page" not in at.query_params


def test_the_menu_offers_what_the_state_allows(server: hfreg.Registry) -> None:
    server.submit("shield", actor="ann")
    approve(server, "mood")
    at = opened()

    def offered(alias: str) -> list[str]:
        return [option.rpartition(": ")[2] for option in at.menu_button(key=f"models_menu_{alias}").options]

    assert offered("writer") == ["Open", "Try it", "Edit", "Export", "Archive", "Rename", "Delete"]
    assert offered("shield") == ["Open", "Try it", "Review", "Export"]
    assert offered("mood") == ["Open", "Try it", "Clone", "Export", "Archive"]


@pytest.mark.parametrize(
    ("action", "title", "address"),
    [
        ("Open", "Writer of tales", {"alias": ["writer"], "version": ["1"]}),
        ("Try it", "Playground", {"alias": ["writer"], "version": ["1"]}),
        ("Edit", "Edit writer", {"alias": ["writer"]}),
    ],
)
def test_the_menu_leads_to_other_pages(
    server: hfreg.Registry, action: str, title: str, address: dict[str, list[str]]
) -> None:
    server.edit("writer", definition("writer", name="Writer of tales"))
    at = choose(opened(), "writer", action)
    assert not at.exception
    assert at.title[0].value == title
    assert address.items() <= dict(at.query_params).items() or _plain(at) == {k: v[0] for k, v in address.items()}


def test_cloning_opens_the_next_version_for_editing(server: hfreg.Registry) -> None:
    approve(server, "mood")
    at = choose(opened(), "mood", "Clone")
    assert server.definitions.newest("mood").number == 2
    assert at.title[0].value == "Edit mood"


def test_archiving_can_be_undone(server: hfreg.Registry) -> None:
    at = choose(opened(), "writer", "Archive")
    assert server.get("writer").state == "Archived"
    assert "Archived `writer` version 1" in said(at)
    assert rows(at) == ["mood", "shield"]
    press(at, "actions_undo")
    assert server.get("writer").state == "Draft"
    assert rows(at) == ["mood", "shield", "writer"]
    press(at, "actions_dismiss")
    assert "is Draft again" not in said(at)


def deleted(at: AppTest, server: hfreg.Registry, alias: str) -> AppTest:
    """Leave a page as the dialog leaves it that asks before it deletes, which only a browser opens."""
    version = server.get(alias)
    at.session_state[actions.NOTICE] = actions.gone(version, server.delete(alias))
    return at.run()


def test_a_deleted_draft_comes_back_with_its_saves_and_its_history(server: hfreg.Registry) -> None:
    server.edit("writer", definition("writer", scoring_logic="return text"), "Shorter", author="bob")
    before, saves = server.get("writer"), server.snapshots("writer")
    at = deleted(opened(), server, "writer")
    assert "Deleted `writer` version 1." in said(at) and rows(at) == ["mood", "shield"]
    press(at, "actions_undo")
    assert "`writer` version 1 is back with its 2 saves." in said(at) and rows(at) == ["mood", "shield", "writer"]
    assert (server.get("writer"), server.snapshots("writer")) == (before, saves)
    assert [e.action for e in server.history("writer")] == ["Undelete", "Delete", "Edit", "Register"]


def test_an_undo_that_is_refused_says_why_and_can_be_tried_again(server: hfreg.Registry) -> None:
    at = deleted(opened(), server, "writer")
    server.register(definition("writer"))  # meanwhile, in another browser
    press(at, "actions_undo")
    assert "was registered again" in at.error[0].value
    server.rename("writer", "author")
    press(at, "actions_undo")
    assert rows(at) == ["author", "mood", "shield", "writer"]


def test_an_archived_model_is_unarchived_from_its_row(server: hfreg.Registry) -> None:
    server.archive("writer")
    choose(opened(state="Archived"), "writer", "Unarchive")
    assert server.get("writer").state == "Draft"


def test_what_the_registry_refuses_is_a_sentence_and_changes_nothing(server: hfreg.Registry) -> None:
    at = opened()
    server.submit("writer", actor="ann")  # meanwhile, in another browser
    choose(at, "writer", "Archive")
    assert "Archive is not possible in Pending Approval" in at.error[0].value
    assert server.get("writer").state == "Pending Approval"


def test_models_that_wait_for_review_are_named_and_shown_on_a_click(server: hfreg.Registry) -> None:
    assert "models_waiting" not in [button.key for button in opened().button]
    server.submit("shield", actor="ann")
    at = opened()
    assert "1 model waits for review" in at.button(key="models_waiting").label
    assert rows(press(at, "models_waiting")) == ["shield"]
    assert rows(opened(state="Pending Approval")) == ["shield"]


def test_new_model_leads_to_the_form(server: hfreg.Registry) -> None:
    assert press(opened(), "models_new").title[0].value == "New Model"


def test_an_exported_file_becomes_a_draft(server: hfreg.Registry) -> None:
    text = server.export("mood").replace('"alias": "mood"', '"alias": "mood_again"')
    at = opened()
    at.file_uploader(key="models_file").upload("mood.json", text.encode(), "application/json").run()
    press(at, "models_take")
    assert server.get("mood_again").state == "Draft"
    assert at.title[0].value == "Mood of texts"
    assert "Imported `mood_again` as version 1" in said(at)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"alias,text\n", "is not JSON"),
        (json.dumps({"format": "hfreg.definition", "schema": 99}).encode(), "newer hfreg"),
        (json.dumps({"format": "hfreg.definition", "schema": 1, "definition": {"aliass": "x"}}).encode(), "`aliass`"),
        (b"\xff\xfe", "not UTF"),
    ],
)
def test_a_file_that_is_no_export_is_refused_by_name(server: hfreg.Registry, content: bytes, words: str) -> None:
    at = opened()
    at.file_uploader(key="models_file").upload("wrong.json", content, "application/json").run()
    press(at, "models_take")
    message = at.error[0].value.replace("\\", "")
    assert message.startswith("wrong.json: ")
    assert words in message
    assert server.definitions.aliases() == ["mood", "shield", "writer"]


def test_a_log_that_cannot_be_read_leaves_the_list(server: hfreg.Registry) -> None:
    server.events.record(call("mood", 0))
    server.close()
    (server.settings.home / "events.sqlite").write_bytes(b"this is no database" * 200)
    hfreg._registries.clear()
    st.cache_resource.clear()
    at = opened()
    assert rows(at) == ["mood", "shield", "writer"]
    assert "Calls cannot be shown" in at.warning[0].value


def test_an_empty_registry_says_what_to_do(server: hfreg.Registry) -> None:
    for alias in server.definitions.aliases():
        server.delete(alias)
    at = opened()
    assert "No models yet. Start from a template" in said(at)
    assert press(at, "models_template").title[0].value == "New Model"


@pytest.mark.skipif(not starters.definitions(), reason="data/starter holds no models")
def test_the_starter_models_can_be_loaded_into_an_empty_registry(server: hfreg.Registry) -> None:
    for alias in server.definitions.aliases():
        server.delete(alias)
    at = press(opened(), "models_starters")
    assert rows(at) == sorted(d.alias for d in starters.definitions())
    assert "Demonstration" in said(at)


def _plain(at: AppTest) -> dict[str, str]:
    return {name: value[0] if isinstance(value, list) else value for name, value in dict(at.query_params).items()}
