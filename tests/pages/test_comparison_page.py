"""The Comparison page: what it needs, Compare, tests in words, rows apart, saving, opening, deleting and undoing."""

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
from hfreg.errors import SimulationError
from hfreg.metrics.comparison import McNemar, Pair
from hfreg.ui import challenger, comparison_figures

PAGE = "pages/try_it/comparison.py"
LOGIC = 'return {"kind": "spam" if "!" in text else "ham"}'


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hfreg.Registry]:
    """The registry as the workbench of this test holds it, with two models."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    st.cache_resource.clear()
    registry = hfreg.open()
    for alias, logic in (("old", LOGIC), ("new", LOGIC.replace('"!"', '"!!"'))):
        registry.register(
            hfreg.Definition(alias=alias, arguments=[Argument("text")], output_type="Any", scoring_logic=logic)
        )
    yield registry
    st.cache_resource.clear()


@pytest.fixture
def runs(server: hfreg.Registry, tmp_path: Path) -> list[str]:
    """One table through both models; one row is answered otherwise, and its text is a formula."""
    table = tmp_path / "mails.csv"
    table.write_text("text,truth\nhello,ham\nwin!!!,spam\n=yes!,ham\nso,ham\n")
    return [server.simulate(alias, table).wait().id for alias in ("old", "new")]


def settled(at: AppTest, word: str) -> str:
    until = time.monotonic() + 15
    while word not in said(at) and time.monotonic() < until:
        at.run()
    return said(at)


def test_without_two_simulations_of_one_table_the_page_says_what_to_do(server: hfreg.Registry, tmp_path: Path) -> None:
    table = tmp_path / "mails.csv"
    table.write_text("text,truth\nhello,ham\n")
    server.simulate("old", table).wait()
    at = opened(PAGE)
    assert "Nothing to compare yet. Run one table" in said(at) and "Run a table" in links(at)
    assert "None yet. Save comparison keeps" in said(at)


def test_two_simulations_are_compared_saved_opened_deleted_and_brought_back(
    server: hfreg.Registry, runs: list[str]
) -> None:
    at = opened(PAGE)
    assert at.selectbox(key="comparison.champion").value == runs[0]
    assert at.multiselect(key=f"comparison.challengers.{runs[0]}").value == [runs[1]]
    page = settled(press(at, "comparison.go"), "Measured as classification")
    assert at.query_params["champion"] == runs[0] and at.query_params["challengers"] == f'["{runs[1]}"]'
    assert (
        "0 rows only the champion got right, 1 row only the challenger. McNemar's test, counted exactly: p = 1" in page
    )
    assert [one.value for one in at.metric if one.label == "Accuracy"] == ["+0.250"]
    assert server.comparisons() == []
    press(at, "comparison.save")
    (kept,) = server.comparisons()
    assert "Saved the comparison of old version 1 and new version 1 on mails.csv" in said(at)
    assert at.button(key="comparison.save").disabled
    rows = comparison_figures.apart_rows(kept)
    assert rows == [{"row": 3, "truth": "ham", "old version 1": "spam", "new version 1": "ham", "text": "=yes!"}]
    assert b"'=yes!" in comparison_figures.as_csv(rows) or b"\t=yes!" in comparison_figures.as_csv(rows)
    for run in runs:
        server.delete_simulation(run)
    press(at, f"comparison.open.{kept.id}")
    assert at.query_params["saved"] == kept.id and "champion" not in at.query_params
    assert "Measured as classification" in said(at) and at.button(key=f"comparison.open.{kept.id}").disabled
    press(at, f"comparison.delete.{kept.id}")
    assert server.comparisons() == [] and "Nothing to compare yet" in said(at) and "saved" not in at.query_params
    press(at, "actions_undo")
    assert server.comparisons() == [kept] and "is back" in said(at)
    press(press(at, f"comparison.open.{kept.id}"), "comparison.new")
    assert "saved" not in at.query_params


def test_a_challenger_runs_over_the_rows_of_the_champion(server: hfreg.Registry, tmp_path: Path) -> None:
    table = tmp_path / "mails.csv"
    table.write_text("body,truth\nhello,ham\nwin!!!,spam\nmore,ham\n")
    first = server.simulate("old", table, mapping={"body": "text"}, limit=2).wait()
    at = opened(PAGE)
    at.session_state["comparison.challenger.box"] = True
    at.run()
    at.selectbox(key="comparison.challenger.version").set_value("new version 1 · Draft").run()
    press(at, "comparison.challenger.run")
    assert "new version 1 runs over mails.csv. Choose it as a challenger" in said(at)
    second = server.simulations()[0].wait()
    assert (second.plan.alias, second.plan.columns, second.progress.rows) == ("new", {"text": "body"}, 2)
    assert opened(PAGE).multiselect(key=f"comparison.challengers.{first.id}").value == [second.id]
    table.write_text("body,truth\nother,ham\n")
    with pytest.raises(SimulationError, match="is not what it was when old ran over it"):
        challenger.run(server, first, server.get("new"))


def test_an_address_shows_its_comparison_and_says_what_is_gone(server: hfreg.Registry, runs: list[str]) -> None:
    at = opened(PAGE, champion=runs[1], challengers=f'["{runs[0]}"]', truth="truth")
    settled(at, "Measured as classification")
    assert [one.value for one in at.metric if one.label == "Accuracy"] == ["-0.250"]
    at = opened(PAGE, champion=runs[1], challengers='["nothing"]', truth="truth")
    assert "There is no simulation `nothing` in this home" in settled(at, "There is no simulation")
    assert "The simulation `nothing` is not there" in said(at)
    assert "no saved comparison `20200101T00000000000000`" in said(opened(PAGE, saved="20200101T00000000000000"))


def test_tests_are_told_in_words() -> None:
    def told(test: McNemar) -> str:
        return comparison_figures.words(Pair("a", "b", {}, test))[0]

    assert told(McNemar(0, 0, 1.0, True)).startswith("Both got the same rows right")
    assert "p = 0.001; that the challenger is right more often is hardly by chance" in told(
        McNemar(1, 20, 0.001, False)
    )
    assert "may well be by chance" in told(McNemar(3, 4, 1.0, True))
