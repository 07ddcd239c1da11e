"""The New Model page: nothing typed is lost, two who save are told, and Test Code runs without saving."""

from __future__ import annotations

import streamlit as st
from register_form import PAGE, definition, draft, fill, opened, press, said

import hfreg
from hfreg.ui import session


def test_a_draft_survives_a_page_switch_a_reload_and_a_restart(server: hfreg.Registry) -> None:
    at = fill(opened(), alias="kept", code="return 'kept'\n")
    key = draft(at)["key"]
    assert at.query_params["draft"] == key
    at.switch_page("pages/catalog/models.py").run()
    at.switch_page(PAGE).run()
    assert at.text_input(key="register.alias").value == "kept"
    st.cache_resource.clear()  # a new server, a new browser session, the same address
    again = opened(draft=key)
    assert again.text_input(key="register.alias").value == "kept"
    assert draft(again)["fields"]["scoring_logic"] == "return 'kept'\n"


def test_a_new_session_offers_what_was_begun_and_can_drop_it(server: hfreg.Registry) -> None:
    key = draft(fill(opened(), alias="begun"))["key"]
    at = opened()
    assert at.text_input(key="register.alias").value == ""
    assert "You began `begun`" in said(at)
    assert press(at, f"continue.{key}").text_input(key="register.alias").value == "begun"
    other = opened()
    press(other, f"drop.{key}")
    assert "You began" not in said(other)


def test_a_value_whose_callback_was_cut_off_is_taken_all_the_same(server: hfreg.Registry) -> None:
    at = press(opened(alias="first"), "add_argument")
    row = draft(at)["rows"][-1]["id"]
    at.session_state["register.name"] = "Typed, then a button"
    at.session_state[f"register.argument.{row}.alias"] = "extra"
    press(at, "add_argument")
    assert at.text_input(key="register.name").value == draft(at)["fields"]["name"] == "Typed, then a button"
    assert draft(at)["rows"][-2]["alias"] == "extra"
    at.session_state[f"register.argument.{row}.usage"] = "Typed, then Delete"
    press(at, f"argument.{row}.delete")
    assert row not in [one["id"] for one in draft(at)["rows"]]


def test_a_save_whose_run_was_cut_off_is_done_by_the_next(server: hfreg.Registry) -> None:
    at = fill(opened(alias="first"), name="Saved all the same")
    at.session_state["register.state.save"] = True  # what the click leaves behind
    assert server.get("first").snapshot == 1
    at.run()
    assert (server.get("first").snapshot, server.get("first").definition.name) == (2, "Saved all the same")
    at.run()
    assert "Nothing has changed" not in said(at)


def test_discard_empties_the_form_and_undo_brings_it_back(server: hfreg.Registry) -> None:
    at = press(fill(opened(), alias="regretted"), "discard")
    assert at.text_input(key="register.alias").value == ""
    assert server.autosaves.all(session.user()) == []
    assert press(at, "undo").text_input(key="register.alias").value == "regretted"


def test_an_edit_saves_the_next_snapshot_and_a_rename(server: hfreg.Registry) -> None:
    at = fill(opened(alias="first"), name="First of all", note="Named it")
    press(at, "save")
    assert (server.get("first").snapshot, server.get("first").definition.name) == (2, "First of all")
    fill(at, alias="renamed")
    press(at, "save")
    assert server.definitions.aliases() == ["renamed"]
    assert at.query_params["alias"] == "renamed"
    press(at, "save")
    assert "Nothing has changed since snapshot" in said(at)


def test_an_unknown_alias_names_the_known_ones(server: hfreg.Registry) -> None:
    assert "first" in said(opened(alias="frist"))


def test_an_approved_version_is_locked_and_can_be_cloned(server: hfreg.Registry) -> None:
    server.submit("first")
    assert "waits for review" in said(opened(alias="first"))
    server.review("first", "Accept")
    at = opened(alias="first")
    assert "It is Approved and stays as it is" in said(at)
    press(at, "clone")
    assert server.definitions.newest("first").number == 2
    assert at.text_input(key="register.alias").value == "first"


def test_of_two_who_save_the_second_sees_both_and_can_save_theirs(server: hfreg.Registry) -> None:
    at = fill(opened(alias="first"), name="Mine")
    server.edit("first", definition(alias="first", name="Theirs"), author="bob")
    press(at, "save")
    assert "bob saved snapshot 2 of version 1" in said(at)
    assert server.get("first").definition.name == "Theirs"
    press(at, "save_mine")
    assert (server.get("first").snapshot, server.get("first").definition.name) == (3, "Mine")
    assert "bob saved" not in said(at)


def test_of_two_who_save_the_second_can_take_the_others_and_go_back(server: hfreg.Registry) -> None:
    at = fill(opened(alias="first"), name="Mine")
    server.edit("first", definition(alias="first", name="Theirs"), author="bob")
    press(at.run(), "take_theirs")
    assert at.text_input(key="register.name").value == "Theirs"
    press(at, "undo")
    assert at.text_input(key="register.name").value == "Mine"
    assert "bob saved snapshot 2" in said(at)


def test_one_person_in_two_windows_is_told_and_loses_nothing(server: hfreg.Registry) -> None:
    here = fill(opened(alias="first"), name="Here")
    there = fill(opened(alias="first"), group="Both")
    fill(here, name="Here again")
    assert "in another window" in said(here)
    assert here.text_input(key="register.name").value == "Here again"
    press(here, "keep_mine")
    assert "in another window" not in said(here)
    fill(there, group="Still there")
    press(there, "take_other")
    assert there.text_input(key="register.name").value == "Here again"


def test_test_code_runs_the_form_without_saving_it(server: hfreg.Registry) -> None:
    at = opened(**{"from": "first"})
    assert at.session_state["register.test.generated"].startswith("first_2(")
    press(at, "test.run")
    assert "kind" in said(at)
    assert "not saved" in said(at)
    assert server.definitions.aliases() == ["first"]
    server.events.flush()
    (call,) = server.events.calls()
    assert (call.alias, call.version, call.source, call.status) == ("first_2", 0, "test", "ok")


def test_test_code_refuses_what_would_have_to_be_run(server: hfreg.Registry) -> None:
    at = opened(**{"from": "first"})
    rev = at.session_state["register.test.rev"]
    text = "first_2(text=__import__('os').getcwd())"
    at.session_state["register.test.call"] = {"document": {"rev": rev, "text": text}}
    at.session_state[f"register.test.call@{rev}"] = text
    press(at.run(), "test.run")
    assert "Nothing was run" in said(at)
    press(at, "test.reset")
    press(at, "test.run")
    assert "Nothing was run" not in said(at)


def test_test_code_shows_the_users_line_of_an_error(server: hfreg.Registry) -> None:
    at = fill(opened(**{"from": "first"}), code="x = text\nreturn x / threshold\n")
    press(at, "test.run")
    assert "line 2" in said(at)
    assert "return x / threshold" in said(at)


def test_a_run_of_test_code_can_be_stopped(server: hfreg.Registry) -> None:
    at = fill(opened(**{"from": "first"}), code="while True:\n    pass\nreturn [text, threshold]\n")
    press(at, "test.run")
    press(at, "test.stop")
    run = session.runs().find(at.session_state["register.state.run"])
    assert run is not None
    list(run.run)
    assert run.outcome.status == "cancelled"


def test_the_contract_shows_signature_call_and_sources(server: hfreg.Registry) -> None:
    words = said(opened(template="guardrail"))
    assert "prompt_guard(text: str, threshold: float" in words
    assert "from hfreg.models import prompt_guard" in words
    assert "Source `protectai/deberta-v3-base-prompt-injection-v2`" in words


def test_after_saving_the_way_leads_to_the_model_and_the_playground(server: hfreg.Registry) -> None:
    for key, page in (("try", "playground"), ("open", "model")):
        at = fill(opened(alias="first"), name=f"Named by {key}")
        press(at, "save")
        press(at, key)
        assert at.query_params["alias"] == "first", page
