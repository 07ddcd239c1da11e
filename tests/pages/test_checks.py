"""Checks in the pages: the tab of a model, its marks, and how an answer becomes a check."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from catalog_pages import MODEL, MODELS, definition, links, opened, press, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg import Argument
from hfreg.checks import Check
from hfreg.ui import check_saving, session

LOGIC = 'return {"label": "good" if "good" in text else "bad", "score": 0.75, "least": least}'
PLAYGROUND, SIMULATION, USAGE = "pages/try_it/playground.py", "pages/try_it/simulation.py", "pages/monitor/usage.py"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it, with one model."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(mood())
    yield registry
    st.cache_resource.clear()


def mood(logic: str = LOGIC, **fields: object) -> hfreg.Definition:
    arguments = [Argument("text"), Argument("least", "Numerical", optional=True, default="0.5")]
    return definition("mood", arguments=arguments, scoring_logic=logic, **fields)


def tab() -> AppTest:
    return opened(MODEL, alias="mood", tab="Checks")


def ended(at: AppTest) -> AppTest:
    """The page once the run of the checks came to its end."""
    run = session.tasks().find("checks.mood")
    until = time.monotonic() + 10
    while run is not None and not run.ended and time.monotonic() < until:
        time.sleep(0.01)
    return at.run()


def kept(server: hfreg.Registry) -> list[tuple[str, str, object, str]]:
    return [(one.name, one.matcher, one.expected, one.path) for one in server.checks("mood")]


def test_a_model_without_checks_says_what_a_check_is_and_how_to_get_one(server: hfreg.Registry) -> None:
    at = tab()
    assert "No checks yet. A check is a call with the answer that is expected of it." in said(at)
    assert at.button(key="checks.run").disabled


def test_a_check_is_added_run_edited_and_goes_stale(server: hfreg.Registry) -> None:
    at = press(tab(), "checks.add")
    at.text_area(key="checks.form.mood.text.text_area").set_value("so good")
    at.text_input(key="checks.form.name").set_value("praise")
    at.selectbox(key="checks.form.matcher").set_value("label").run()
    at.text_input(key="checks.form.expected").set_value("bad")
    press(at, "checks.save")
    assert kept(server) == [("praise", "label", "bad", "")]
    assert server.checks("mood")[0].arguments == {"text": "so good"}
    assert "These checks never ran" in said(at) and ":gray-badge[not run yet]" in said(at)
    ended(press(at, "checks.run"))
    assert 'expected the label "bad", got "good"' in said(at)
    assert ":red-badge[:material/close: 1 of 1 check wrong]" in said(at)
    press(at, "checks.edit.0")
    assert at.text_input(key="checks.form.expected").value == "bad"
    at.text_input(key="checks.form.expected").set_value("good")
    press(at, "checks.save")
    assert "Stale, so run them again: the checks changed." in said(at)
    ended(press(at, "checks.run"))
    assert ":green-badge[:material/check: 1 check right]" in said(at) and ":green-badge[right]" in said(at)
    assert ":green-badge[:material/check: 1 check right]" in said(opened(MODELS))
    server.edit("mood", mood(LOGIC.replace("bad", "poor")))
    assert "Stale, so run them again: the code changed." in said(at.run())
    assert ":orange-badge[stale]" in said(opened(MODELS))


def test_the_form_shows_a_kept_check_as_it_is(server: hfreg.Registry) -> None:
    server.add_check("mood", {"text": "so good", "least": 0.7}, "3", "path", path="label", name="odd")
    at = press(tab(), "checks.edit.0")
    assert at.text_area(key="checks.form.mood.text.text_area").value == "so good"
    assert at.number_input(key="checks.form.mood.least.number").value == 0.7
    assert at.text_area(key="checks.form.expected").value == '"3"'
    before = server.checks("mood")[0]
    press(at, "checks.save")
    after = server.checks("mood")[0]
    assert after.model_copy(update={"created_at": before.created_at}) == before


def test_what_the_form_cannot_keep_is_said_at_the_form(server: hfreg.Registry) -> None:
    at = press(tab(), "checks.add")
    press(at, "checks.save")
    assert "`text` is empty. Give a value, or tick None." in said(at)
    at.text_area(key="checks.form.mood.text.text_area").set_value("x")
    at.selectbox(key="checks.form.matcher").set_value("within").run()
    at.text_input(key="checks.form.expected").set_value("much")
    press(at, "checks.save")
    assert "`within` expects a number" in said(at)
    at.selectbox(key="checks.form.matcher").set_value("path").run()
    at.text_input(key="checks.form.path").set_value("score")
    at.text_area(key="checks.form.expected").set_value("0.7")
    at.number_input(key="checks.form.tolerance").set_value(0.1)
    press(at, "checks.save")
    assert kept(server) == [("check 1", "path", 0.7, "score")] and server.run_checks("mood").ok
    press(press(at, "checks.add"), "checks.cancel")
    assert "checks.save" not in {button.key for button in at.button}


def test_a_deleted_check_comes_back_and_its_report_holds_again(server: hfreg.Registry) -> None:
    for text in ("good", "better"):
        server.add_check("mood", {"text": text}, "label", "contains")
    server.run_checks("mood")
    at = press(tab(), "checks.delete.0")
    assert [name for name, *_ in kept(server)] == ["check 2"] and "Stale" in said(at)
    press(at, "actions_undo")
    assert [name for name, *_ in kept(server)] == ["check 2", "check 1"]
    assert "Stale" not in said(at)


def test_checks_on_their_way_can_be_stopped_and_keep_no_report(server: hfreg.Registry) -> None:
    server.edit("mood", mood(f"import time\ntime.sleep(0.2)\n{LOGIC}"))
    for number in range(10):
        server.add_check("mood", {"text": str(number)}, "bad", "label")
    at = press(tab(), "checks.run")
    assert " of 10 checks" in at.get("progress")[0].proto.text and at.button(key="checks.run").disabled
    press(at, "checks.stop")
    assert "of 10; what was there before is kept." in said(ended(at))
    assert server.check_report("mood") is None


def test_a_floor_is_added_from_a_simulation_run_and_deleted(server: hfreg.Registry, tmp_path: Path) -> None:
    at = tab()
    at.session_state["floors.box"] = True  # opened
    assert "Run a table that has a column with the truth through this model first." in said(at.run())
    table = tmp_path / "moods.csv"
    table.write_text("text,truth\nso good,good\nawful,bad\nfine,good\n")
    server.simulate("mood", table).wait()
    at.run()
    at.selectbox(key="floors.metric").set_value("accuracy").run()
    press(at, "floors.save")
    assert "Saved the floor `accuracy`: accuracy of at least 0.9." in said(at)
    assert [(one.metric, one.truth, one.at_least) for one in server.floors("mood")] == [("accuracy", "truth", 0.9)]
    ended(press(at, "checks.run"))
    assert "expected accuracy of at least 0.9, got 0.6667" in said(at)
    assert ":red-badge[:material/close: 1 of 1 check wrong]" in said(at)
    press(at, "floors.delete.0")
    assert server.floors("mood") == []
    press(at, "actions_undo")
    assert len(server.floors("mood")) == 1 and "Stale" not in said(at)
    at.segmented_control(key="floors.side").set_value("at most").run()
    at.selectbox(key="floors.metric").set_value("MAE").run()
    press(at, "floors.save")
    assert "There is no metric `MAE`" in said(at)


def test_a_check_can_be_made_of_the_answer_in_the_playground(server: hfreg.Registry) -> None:
    at = opened(PLAYGROUND, alias="mood")
    at.text_area(key="playground.mood.text.text_area").set_value("so good").run()
    press(at, "playground.run")
    until = time.monotonic() + 10
    while "playground.check" not in {b.key for b in at.button} and time.monotonic() < until:
        at.run()
    press(at, "playground.check")
    assert 'Saved as `check 1` of mood: it expects the label "good".' in said(at)
    assert server.checks("mood")[0].arguments == {"text": "so good"}
    assert "This is a check already" in said(press(at, "playground.check"))
    assert server.run_checks("mood").ok


def test_selected_rows_of_a_simulation_become_checks(server: hfreg.Registry, tmp_path: Path) -> None:
    server.edit("mood", mood(f"if text == 'boom':\n    raise ValueError(text)\n{LOGIC}"))
    table = tmp_path / "reviews.csv"
    table.write_text("row,review\n7,so good\n8,boom\n9,awful\n")
    simulation = server.simulate("mood", table, mapping={"review": "text"}).wait()
    at = opened(SIMULATION, simulation=simulation.id)
    assert at.button(key="simulation.checks.save").disabled
    at.session_state["simulation.rows.None."] = {"selection": {"rows": [1, 2], "columns": [], "cells": []}}
    press(at.run(), "simulation.checks.save")
    assert kept(server) == [("check 1", "label", "bad", "")]
    assert server.checks("mood")[0].arguments == {"text": "awful"}
    assert "Saved 1 check of mood." in said(at) and links(at)["Checks of mood"] == "model?alias=mood&tab=Checks"
    assert server.run_checks("mood").ok


def test_a_call_whose_texts_are_stored_becomes_a_check_and_others_do_not(server: hfreg.Registry) -> None:
    server.model("mood")(text="so good")
    server.edit("mood", mood(store_payloads=True))
    server.model("mood")(text="so good")
    newest, before = (call.id for call in server.events.calls())
    assert "usage.call.check" not in {b.key for b in opened(USAGE, call=before).button}
    at = press(opened(USAGE, call=newest), "usage.call.check")
    assert 'it expects the label "good"' in said(at)
    assert [(one.matcher, one.expected) for one in server.checks("mood")] == [("label", "good")]


@pytest.mark.parametrize(
    "answer",
    [
        {"positive": 0.75, "negative": 0.25},
        {"flagged": True, "score": 0.5},
        {"sentiment": "good", "confidence": "0.9"},
        {"a.b": 0.5},
        {"score": 0.5, "count": 3},
        [0.5, 0.25, 0.1, 0.1],
        "some text",
        "",
        None,
        3,
        True,
        0.0,
        {},
    ],
)
def test_what_is_guessed_of_an_answer_holds_for_that_answer_and_not_for_another(answer: object) -> None:
    expected = check_saving.guess(answer)
    check = Check(name="one", arguments={}, created_at="2026-01-01T00:00:00Z", **expected)
    assert check.problem(json.loads(json.dumps(answer))) == ""
    assert check.problem({"other": "answer"}) != ""
