"""The Threshold studio: what it needs, picking a threshold by name and by hand, costs, running again, and saving."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from catalog_pages import links, opened, press, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg import Argument
from hfreg.simulation import Simulation
from hfreg.ui import thresholds

PAGE = "pages/try_it/thresholds.py"
LOGIC = 'score = len(text) / 10\nreturn {"flagged": score >= threshold, "score": score}'
HIDING = 'hit = len(text) > threshold * 10\nreturn {"flagged": hit, "score": len(text) if hit else 0}'
ROWS = [("x" * n, kind) for n, kind in ((1, "ham"), (2, "ham"), (3, "spam"), (4, "ham"), (6, "spam"), (7, "ham"))]


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it, with a model that has a threshold."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(guard())
    yield registry
    st.cache_resource.clear()


def guard(logic: str = LOGIC) -> hfreg.Definition:
    arguments = [Argument("text"), Argument("threshold", "Numerical", optional=True, default="0.5")]
    return hfreg.Definition(alias="guard", arguments=arguments, output_type="Map[String, Any]", scoring_logic=logic)


@pytest.fixture
def ran(server: hfreg.Registry, tmp_path: Path) -> Simulation:
    """A table with a column of truth that was run through it."""
    return run(server, tmp_path)


def run(server: hfreg.Registry, folder: Path, alias: str = "guard") -> Simulation:
    table = folder / "mails.csv"
    table.write_text("text,kind\n" + "".join(f"{text},{kind}\n" for text, kind in ROWS))
    return server.simulate(alias, table).wait()


def tiles(at: AppTest) -> dict[str, str]:
    return {one.label: one.value for one in at.metric}


def test_without_a_simulation_the_page_leads_to_one(server: hfreg.Registry) -> None:
    at = opened(PAGE)
    assert "No simulation yet. Run a table that has a column with the truth" in said(at)
    assert "Run a table" in links(at)


def test_what_is_where_is_guessed_and_every_way_of_picking_shows_its_figures(ran: Simulation) -> None:
    at = opened(PAGE, simulation=ran.id)
    assert at.selectbox(key=f"thresholds.{ran.id}.truth").value == "kind"
    page = said(at)
    assert "From stored scores; the model did not run. 6 rows; 2 have spam in kind." in page
    assert tiles(at) == {"Threshold": "0.25", "Precision": "0.500", "Recall": "1.000", "F1": "0.667", "Cost": "2"}
    assert [one.delta for one in at.metric][:1] == ["was 0.5 here"] and " to " in at.metric[1].delta
    assert len(at.get("vega_lite_chart")) == 2
    table = at.table[0].value.to_dict("records")
    assert [row["Flagged"] for row in table] == ["2 right", "2 false positives"]
    at.number_input(key="thresholds.false_positive").set_value(10.0).run()
    at.segmented_control(key="thresholds.pick").set_value("Lowest cost").run()
    assert (tiles(at)["Cost"], tiles(at)["Recall"]) == ("11", "0.500")
    assert "At these costs the cheapest is to flag nothing: 2." in said(at)
    at.segmented_control(key="thresholds.pick").set_value("Recall at least").run()
    at.number_input(key="thresholds.recall").set_value(0.5).run()
    assert tiles(at)["Threshold"] == "0.5"
    at.segmented_control(key="thresholds.pick").set_value("By hand").run()
    at.slider[0].set_value(0.65).run()
    assert (tiles(at)["Threshold"], tiles(at)["Recall"]) == ("0.65", "0.000")


def test_a_pick_is_saved_in_the_draft_and_as_the_next_version_once_it_is_locked(
    server: hfreg.Registry, ran: Simulation
) -> None:
    at = opened(PAGE, simulation=ran.id)
    assert "The Draft version 1 gets another save with this default; its default now is 0.5." in said(at)
    press(at, "thresholds.save")
    assert server.get("guard").definition.arguments[1].default == "0.25"
    assert "`threshold` of guard version 1, a Draft, is 0.25 now: snapshot 2" in said(at)
    assert "best F1" in server.snapshots("guard")[-1].note and ran.id in server.snapshots("guard")[-1].note
    server.submit("guard")
    assert at.run().button(key="thresholds.save").disabled and "under review" in said(at)
    server.review("guard", "Accept", "bob")
    assert "Version 1 is Approved: version 2 is made of it with this default, a Draft." in said(at.run())
    press(at, "thresholds.save")
    assert [(v.number, v.state) for v in server.versions("guard")] == [(1, "Approved"), (2, "Draft")]
    server.edit("guard", guard(LOGIC.replace("10", "20")))
    assert "has other code than what was swept" in said(press(at.run(), "thresholds.save"))


def test_where_scores_do_not_tell_the_table_runs_again_at_values_of_choice(
    server: hfreg.Registry, tmp_path: Path
) -> None:
    server.edit("guard", guard(HIDING))
    at = opened(PAGE, simulation=run(server, tmp_path).id)
    assert "Stored scores do not tell what other thresholds would have answered: line 1 uses" in said(at)
    assert not at.metric
    at.text_input(key="thresholds.values").set_value("0.25, half").run()
    assert at.button(key="thresholds.rerun").disabled and "`half` is no number." in said(at)
    at.text_input(key="thresholds.values").set_value("0.25, 0.5").run()
    assert at.button(key="thresholds.rerun").label == "Run again: 12 calls"
    press(at, "thresholds.rerun")
    until = time.monotonic() + 10
    while not at.metric and time.monotonic() < until:
        at.run()
    assert tiles(at)["Threshold"] == "0.25" and "The table ran again at each value below." in said(at)
    at.segmented_control(key="thresholds.pick").set_value("By hand").run()
    at.select_slider[0].set_value(0.5).run()
    assert tiles(at)["Recall"] == "0.500"


def test_running_again_can_be_stopped(server: hfreg.Registry, tmp_path: Path) -> None:
    server.edit("guard", guard("import time\ntime.sleep(threshold - 0.5)\n" + HIDING))
    at = opened(PAGE, simulation=run(server, tmp_path).id)
    at.text_input(key="thresholds.values").set_value("1, 1.5").run()
    press(at, "thresholds.rerun")
    assert "0 of 2 values" in at.get("progress")[0].proto.text
    press(at, "thresholds.stop")
    until = time.monotonic() + 10
    while "Stopped after" not in said(at.run()) and time.monotonic() < until:
        time.sleep(0.05)
    assert "Stopped after 0 of 2" in said(at) and len(server.simulations(dry=True)) == 1


def test_what_cannot_be_swept_says_why(server: hfreg.Registry, ran: Simulation, tmp_path: Path) -> None:
    at = opened(PAGE, simulation=ran.id)
    at.selectbox(key=f"thresholds.{ran.id}.truth").set_value("text").run()
    assert "Which label is to be found?" in said(at)
    plain = hfreg.Definition(alias="plain", arguments=[Argument("text")], scoring_logic="return text")
    server.register(plain)
    other = run(server, tmp_path, "plain")
    assert "plain has no Numerical argument, so it has no threshold." in said(opened(PAGE, simulation=other.id))
    server.register(guard("return 3").model_copy(update={"alias": "number", "output_type": "Any"}))
    number = run(server, tmp_path, "number")
    assert "no field that is a score" in said(opened(PAGE, simulation=number.id))
    assert "There is no simulation `nowhere`" in said(opened(PAGE, simulation="nowhere"))


def test_a_result_leads_to_the_studio(ran: Simulation) -> None:
    at = opened("pages/try_it/simulation.py", simulation=ran.id)
    assert links(at)["Choose a threshold"] == f"thresholds?simulation={ran.id}"


def test_values_are_read_from_what_was_typed() -> None:
    assert thresholds.read_values("1;2\n3") == ([1, 2, 3], "")
    assert thresholds.read_values("")[1] == "Give at least one value."
    assert "no threshold" in thresholds.read_values("inf")[1] and "no threshold" in thresholds.read_values("nan")[1]
    assert thresholds.read_values(" ".join(map(str, range(21))))[1] == "At most 20 values."
