"""The Simulation page: its form, a try, Run, Pause, Stop, Resume, the result, its files, and the list of all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import streamlit as st
from catalog_pages import definition, links, opened, press, said
from streamlit.testing.v1 import AppTest

import hfreg
from hfreg import Argument
from hfreg.simulation import Simulation
from hfreg.simulation.tally import Field
from hfreg.ui import frame, simulation_result

PAGE = "pages/try_it/simulation.py"
LOGIC = """
if text == "boom":
    raise ValueError("no *such* text")
return {"label": "long" if len(text) > longest else "short", "letters": len(text)}
"""
CSV = "id,review,longest\n1,Great,1\n2,Would buy again,1\n3,boom,1\n4,*bold*,1\n"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench holds it, with a model that answers at once and one that takes its time."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    registry.register(sizes("sizes"))
    registry.register(sizes("slow", "import time\ntime.sleep(0.02)\nreturn {}"))
    yield registry
    st.cache_resource.clear()


def sizes(alias: str, logic: str = LOGIC) -> hfreg.Definition:
    longest = Argument("longest", "Numerical", optional=True, default="10")
    return definition(alias, scoring_logic=logic, arguments=[Argument("text"), longest])


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text(CSV)
    return path


def eventually(holds: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def chosen(csv: Path, alias: str = "sizes") -> AppTest:
    """The form with a table that was named by its path."""
    at = opened(PAGE, alias=alias)
    at.text_input(key="simulation.form.typed").set_value(str(csv)).run()
    return press(at, "simulation.form.use")


def keys(at: AppTest) -> set[str]:
    return {button.key for button in at.button if button.key}


def finished(server: hfreg.Registry, csv: Path) -> Simulation:
    return server.simulate("sizes", csv, mapping={"review": "text"}, constants={"longest": 10}).wait()


def show(simulation: Simulation) -> AppTest:
    return opened(PAGE, simulation=simulation.id)


def test_without_a_simulation_the_page_says_what_to_do(server: hfreg.Registry) -> None:
    at = opened(PAGE)
    assert "No simulation yet. Choose a model and a table above, and press Run." in said(at)
    assert "simulation.form.run" not in keys(at)


def test_without_a_model_the_page_leads_to_registering(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hfreg.starters.definitions", list)
    st.cache_resource.clear()
    at = opened(PAGE)
    assert "No models yet" in said(at)
    assert any(where.startswith("register") for where in links(at).values())
    st.cache_resource.clear()


def test_columns_are_guessed_and_the_default_can_be_kept_although_a_column_has_its_name(
    server: hfreg.Registry, csv: Path
) -> None:
    at = chosen(csv)
    text, longest = (at.selectbox(key=f"simulation.form.sizes.map.{name}") for name in ("text", "longest"))
    assert (text.value, longest.value) == (1, 2)
    longest.set_value(-2).run()
    press(at, "simulation.form.run")
    (begun,) = server.simulations()
    assert begun.wait().plan.columns == {"text": "review"}
    assert begun.plan.constants == {}
    assert begun.plan.user == server.user


def test_an_argument_without_a_column_or_with_one_twice_keeps_run_from_being_pressed(
    server: hfreg.Registry, csv: Path
) -> None:
    at = chosen(csv)
    at.selectbox(key="simulation.form.sizes.map.longest").set_value(1).run()
    assert "One column is chosen for both `text` and `longest`" in said(at)
    at.selectbox(key="simulation.form.sizes.map.text").set_value(None).run()
    assert "`text` has no column" in said(at)
    assert at.button(key="simulation.form.run").disabled
    assert at.button(key="simulation.form.try").disabled


def test_a_constant_is_read_by_its_type(server: hfreg.Registry, csv: Path) -> None:
    at = chosen(csv)
    at.selectbox(key="simulation.form.sizes.map.longest").set_value(-1).run()
    at.text_input(key="simulation.form.sizes.same.longest").set_value("many").run()
    assert at.button(key="simulation.form.run").disabled
    at.text_input(key="simulation.form.sizes.same.longest").set_value("4").run()
    press(at, "simulation.form.run")
    assert [row["label"] for row in server.simulations()[0].wait().rows()][:2] == ["long", "long"]


def test_a_try_runs_five_rows_and_keeps_nothing(server: hfreg.Registry, csv: Path) -> None:
    csv.write_text(CSV + CSV.partition("\n")[2])
    at = press(chosen(csv), "simulation.form.try")
    assert eventually(lambda: "5 rows, 1 without an answer" in said(at.run()))
    assert server.simulations(dry=True) == []
    at.selectbox(key="simulation.form.sizes.map.longest").set_value(-2).run()
    assert "5 rows" not in said(at)


def test_a_try_that_takes_long_can_be_stopped(server: hfreg.Registry, csv: Path) -> None:
    server.register(sizes("endless", "import time\ntime.sleep(0.6)\nreturn {}"))
    at = press(chosen(csv, "endless"), "simulation.form.try")
    assert "Trying the first rows" in said(at)
    press(at, "simulation.trial.stop")
    assert server.simulations(dry=True) == []
    assert "Trying the first rows" not in said(at)


def test_run_opens_the_simulation_with_its_result(server: hfreg.Registry, csv: Path) -> None:
    at = chosen(csv)
    at.number_input(key="simulation.form.limit").set_value(3).run()
    press(at, "simulation.form.run")
    (begun,) = server.simulations()
    begun.wait()
    at.run()
    assert at.query_params["simulation"] == begun.id
    tiles = {one.label: one.value for one in at.metric}
    assert (tiles["Rows"], tiles["Answered"], tiles["Without an answer"]) == ("3", "2", "1")
    assert len(at.get("vega_lite_chart")) == 2
    assert "simulation.pause" not in keys(at)
    press(at, "simulation.new")
    assert "simulation" not in at.query_params


def test_a_table_that_is_uploaded_is_kept_until_its_last_simulation_goes(server: hfreg.Registry) -> None:
    at = opened(PAGE, alias="sizes")
    at.file_uploader[0].upload("reviews.csv", CSV.encode(), "text/csv").run()
    assert "reviews.csv" in said(at)
    press(press(at, "simulation.form.try"), "simulation.form.run")
    (begun,) = server.simulations()
    table = Path(begun.wait().plan.table.path)
    assert table.is_relative_to(server.settings.home.resolve()) and table.read_text() == CSV
    press(at.run(), f"simulation.delete.{begun.id}")
    assert not table.exists()
    assert server.simulations() == []
    assert "No simulation yet" in said(at) and "There is no simulation" not in said(at)


def test_what_is_no_table_is_refused_with_a_sentence(server: hfreg.Registry, tmp_path: Path) -> None:
    at = chosen(tmp_path / "missing.csv")
    assert "There is no file" in said(at)
    (tmp_path / "empty.csv").write_text("")
    at.text_input(key="simulation.form.typed").set_value(str(tmp_path / "empty.csv")).run()
    assert "is empty" in said(press(at, "simulation.form.use"))


def test_another_table_can_be_chosen(server: hfreg.Registry, csv: Path) -> None:
    at = press(chosen(csv), "simulation.form.other")
    assert "simulation.form.use" in keys(at)


def test_where_the_workbench_is_reached_from_elsewhere_no_path_can_be_named(
    server: hfreg.Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hfreg.ui.listening.LOOPBACK", ())
    at = opened(PAGE)
    assert "simulation.form.use" not in keys(at)
    assert len(at.file_uploader) == 1


def test_pause_resume_and_stop(server: hfreg.Registry, csv: Path) -> None:
    csv.write_text("review\n" + "hi\n" * 400)
    begun = server.simulate("slow", csv)
    at = show(begun)
    assert " of 400 rows" in at.get("progress")[0].proto.text or eventually(
        lambda: " of 400 rows" in at.run().get("progress")[0].proto.text
    )
    press(at, "simulation.pause")
    assert eventually(lambda: begun.state == "paused")
    at.run()
    assert "Paused. What is done is kept" in said(at)
    done = begun.progress.rows
    press(at, "simulation.resume")
    assert begun.running
    at.run()
    press(at, "simulation.stop")
    assert eventually(lambda: begun.state == "cancelled")
    assert "Stopped. What is done is kept" in said(at.run())
    assert done <= begun.progress.rows < 400


def test_a_click_elsewhere_loses_nothing(server: hfreg.Registry, csv: Path) -> None:
    csv.write_text("review\n" + "hi\n" * 20)
    at = press(chosen(csv, "slow"), "simulation.form.run")
    at.switch_page(frame.MODELS).run()
    assert server.simulations()[0].wait().progress.rows == 20


def test_a_table_that_changed_cannot_be_resumed_and_the_page_says_so(server: hfreg.Registry, csv: Path) -> None:
    csv.write_text("review\n" + "hi\n" * 400)
    begun = server.simulate("slow", csv)
    begun.cancel()
    begun.wait()
    csv.write_text("review\nother\n")
    assert "is not what it was" in said(press(show(begun), "simulation.resume"))


def test_errors_are_grouped_and_texts_of_the_table_are_no_markdown(server: hfreg.Registry, csv: Path) -> None:
    at = show(finished(server, csv))
    errors, rows = (one.value for one in at.dataframe)
    assert errors["Message"][0].endswith("no *such* text") and errors["First in row"][0] == 3
    assert list(rows["review"]) == ["Great", "Would buy again", "boom", "*bold*"]


def test_whole_numbers_are_one_bar_each_without_a_range() -> None:
    field = Field()
    for number in (3, 6, 6, 9):
        field.add(number)
    assert simulation_result._counts(field) == [("3", 1), ("6", 2), ("9", 1)]


def test_rows_are_filtered_by_status_and_words(server: hfreg.Registry, csv: Path) -> None:
    at = show(finished(server, csv))
    at.button_group[0].set_value("error").run()
    assert list(at.dataframe[1].value["review"]) == ["boom"]
    at.button_group[0].set_value(None).run()
    at.text_input(key="simulation.words").set_value("buy").run()
    assert list(at.dataframe[1].value["review"]) == ["Would buy again"]
    at.text_input(key="simulation.words").set_value("nowhere").run()
    assert "No row is like that." in said(at)


def test_the_result_is_offered_as_csv_and_parquet(server: hfreg.Registry, csv: Path, tmp_path: Path) -> None:
    done = finished(server, csv)
    assert [one.label for one in show(done).get("download_button")] == ["Download CSV", "Download Parquet"]
    assert simulation_result.content(done, "csv").startswith(b"id,review,")
    (tmp_path / "answers.parquet").write_bytes(simulation_result.content(done, "parquet"))
    assert pq.read_table(tmp_path / "answers.parquet").num_rows == 4


def test_past_simulations_can_be_opened_and_an_unknown_one_is_told(server: hfreg.Registry, csv: Path) -> None:
    done = finished(server, csv)
    at = opened(PAGE, simulation="nowhere")
    assert "There is no simulation `nowhere`" in said(at)
    assert "4 rows, 1 without an answer" in said(at)
    press(at, f"simulation.open.{done.id}")
    assert {one.label: one.value for one in at.metric}["Rows"] == "4"
    assert at.button(key=f"simulation.open.{done.id}").disabled


def test_more_than_twenty_are_shown_on_request(
    server: hfreg.Registry, csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hfreg.ui.simulation.SHOWN", 1)
    for _ in range(2):
        finished(server, csv)
    at = opened(PAGE)
    assert len([key for key in keys(at) if key.startswith("simulation.open.")]) == 1
    press(at, "simulation.more")
    assert len([key for key in keys(at) if key.startswith("simulation.open.")]) == 2
