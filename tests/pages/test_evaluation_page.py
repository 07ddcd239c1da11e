"""The Evaluation section of a simulation: what is guessed, Evaluate, figures, notes, and what goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from catalog_pages import opened, press, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg import Argument
from hfreg.simulation import Simulation
from hfreg.ui import evaluation

PAGE = "pages/try_it/simulation.py"
LOGIC = 'if text == "bad": raise ValueError(text)\nreturn {"kind": "spam" if "!" in text else "ham", "score": 0.7}'
ROWS = (
    "text,truth,one,size,lang\nhello,ham,a,5,en\nwin!!!,spam,a,6,en\nyes!,ham,a,4,de\nbad,ham,a,3,de\nso,spam,a,2,en\n"
)


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it, with a model of labels and one of numbers."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    for alias, logic in (("guard", LOGIC), ("long", "return len(text) + 0.5")):
        registry.register(
            hfreg.Definition(alias=alias, arguments=[Argument("text")], output_type="Any", scoring_logic=logic)
        )
    yield registry
    st.cache_resource.clear()


def run(server: hfreg.Registry, folder: Path, alias: str = "guard") -> Simulation:
    table = folder / "mails.csv"
    table.write_text(ROWS)
    return server.simulate(alias, table).wait()


def tiles(at: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in at.metric}


def settled(at: AppTest, word: str) -> str:
    until = time.monotonic() + 15
    while word not in said(at) and time.monotonic() < until:
        at.run()
    return said(at)


def test_answers_are_held_against_the_guessed_truth_and_the_address_keeps_what_was_asked(
    server: hfreg.Registry, tmp_path: Path
) -> None:
    ran = run(server, tmp_path)
    at = opened(PAGE, simulation=ran.id)
    assert at.selectbox(key=f"evaluation.{ran.id}.truth").value == "truth"
    assert "Measured as" not in said(at)
    at.multiselect(key=f"evaluation.{ran.id}.slices").set_value(["lang", "length of text"]).run()
    page = settled(press(at, "evaluation.go"), "Measured as classification: 5 of 5 rows have a truth.")
    assert tiles(at)["Accuracy"] == "0.400" and "ROC area" in tiles(at) and tiles(at)["Ended with error"] == "1"
    assert "1 row failed and counts as a wrong answer." in page
    for part in ("Confusion matrix", "Each label", "ROC curve", "Precision and recall", "Calibration", "Slices"):
        assert part in page
    assert at.query_params["slices"] == '["lang", "length of text"]'
    assert f"registry.evaluate(\n    '{ran.id}',\n    'truth',\n    slices=['lang', 'length of text'],\n)" in page
    assert f"hfreg evaluate {ran.id} --truth truth --slice lang --slice 'length of text'" in page
    found = server.evaluate(ran.id, "truth", slices=("lang", "length of text"))
    assert json.loads(evaluation._json(found))["metrics"]["accuracy"]["value"] == 0.4
    at.selectbox(key=f"evaluation.{ran.id}.truth.positive").set_value("ham").run()
    assert "press it again for other choices" in said(at)
    settled(press(at, "evaluation.go"), "curves are of `ham`")
    again = opened(PAGE, simulation=ran.id, truth="truth", positive="spam")
    assert again.selectbox(key=f"evaluation.{ran.id}.truth.positive").value == "spam"
    assert tiles(again)["Accuracy"] == "0.400"
    press(again, "simulation.new")
    assert "truth" not in again.query_params


def test_one_label_only_and_a_truth_that_is_no_number_are_told(server: hfreg.Registry, tmp_path: Path) -> None:
    ran = run(server, tmp_path)
    page = settled(opened(PAGE, simulation=ran.id, truth="one"), "Every truth is")
    assert "nothing is known of how other labels would be answered" in page and "Never answered: `a`" in page
    at = opened(PAGE, simulation=ran.id, truth="truth", kind="regression")
    assert "No truth is a number, so no distance can be measured." in settled(at, "No truth is a number")
    assert press(at, "evaluation.again") and "No truth is a number" in settled(at, "No truth is a number")
    assert "mails.csv has no column `gone`" in settled(opened(PAGE, simulation=ran.id, truth="gone"), "no column")


def test_numbers_are_drawn_over_their_truth(server: hfreg.Registry, tmp_path: Path) -> None:
    ran = run(server, tmp_path, "long")
    at = opened(PAGE, simulation=ran.id, truth="size")
    page = settled(at, "Measured as regression")
    assert "Answer over truth" in page and "Error over truth" in page and tiles(at)["MAE"] == "0.500"


def test_measuring_that_takes_long_can_be_stopped(
    server: hfreg.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = run(server, tmp_path)
    real = server.evaluate

    def slow(*args: object, **named: object) -> object:
        for done in range(200):
            named["progress"](done, 200)  # type: ignore[operator]
            time.sleep(0.05)
        return real(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(type(server), "evaluate", lambda _, *args, **named: slow(*args, **named))
    at = opened(PAGE, simulation=ran.id, truth="truth")
    assert not [one for one in at.metric if one.label == "Accuracy"]
    press(at, "evaluation.stop")
    assert "Stopped after" in settled(at, "Stopped after")
