"""Evaluating simulations: joined with their truth, kept, compared, and refused in words."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

import hfreg
from hfreg.errors import EvaluationError, StoreCorrupt
from hfreg.simulation import joining
from hfreg.store.backup import backup, restore

LOGIC = 'if text == "bad": raise ValueError(text)\nreturn {"kind": "spam" if "!" in text else "ham", "score": 0.7}'
ROWS = "hello,ham,en\nwin!!!,spam,en\nyes!,ham,de\nbad,ham,de\nso,,en\n"


def begin(registry: hfreg.Registry, alias: str, logic: str, table: Path, limit: int | None = None) -> str:
    definition = hfreg.Definition(
        alias=alias, arguments=[hfreg.Argument("text")], output_type="Map[String, Any]", scoring_logic=logic
    )
    registry.register(definition)
    return registry.simulate(alias, table, limit=limit).wait().id


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "mails.csv"
    path.write_text("text,truth,lang,none\n" + ROWS.replace("\n", ",\n"))
    return path


def test_a_simulation_is_evaluated_by_slice_and_the_evaluation_is_kept(registry: hfreg.Registry, table: Path) -> None:
    done = begin(registry, "guard", LOGIC, table)
    found = registry.evaluate(done, "truth", slices=["lang", "length of text"])
    assert (found.kind, found.rows, found.measured, found.metrics["accuracy"].value) == ("classification", 5, 4, 0.5)
    assert found.notes[0] == "1 row failed and counts as a wrong answer."
    by_lang = {one.value: one.metrics["accuracy"].value for one in found.slices if one.column == "lang"}
    assert by_lang == {"en": 1.0, "de": 0.0}
    kept = next((registry.simulation(done).folder / "evaluations").glob("*.json"))
    kept.write_text(kept.read_text().replace('"measured":4', '"measured":3'))
    assert registry.evaluate(done, "truth", slices=["lang", "length of text"]).measured == 3
    kept.write_text("{}")
    assert registry.evaluate(done, "truth", slices=["lang", "length of text"]) == found


def test_two_simulations_of_one_table_are_compared_row_by_row(registry: hfreg.Registry, table: Path) -> None:
    runs = [begin(registry, "old", LOGIC, table), begin(registry, "new", LOGIC.replace('"!"', '"!!"'), table)]
    told: list[tuple[int, int]] = []
    made = registry.compare(runs, "truth", progress=lambda *done: told.append(done), author="ann")
    found = made.found
    assert found.names == ("old version 1", "new version 1")
    assert found.pairs[0].differences["accuracy"].value == 0.25
    assert [(one.row, one.answers) for one in found.disagreements] == [(2, ("spam", "ham"))]
    assert [cells for _, cells in made.apart()] == [{"text": "yes!", "truth": "ham", "lang": "de", "none": ""}]
    assert told == [(5, 10), (10, 10)] and made.title == "old version 1 and new version 1 on mails.csv"


def test_a_saved_comparison_is_read_without_its_simulations_and_comes_back_when_it_was_deleted(
    registry: hfreg.Registry, table: Path, tmp_path: Path
) -> None:
    runs = [begin(registry, "old", LOGIC, table), begin(registry, "new", LOGIC.replace('"!"', '"!!"'), table)]
    made = registry.compare(runs, "truth", author="ann")
    assert registry.comparisons() == []
    registry.save_comparison(made)
    for run in runs:
        registry.delete_simulation(run)
    assert registry.comparisons() == [made] and registry.comparison(made.id) == made
    backup(registry.settings.home, tmp_path / "all.zip")
    restore(tmp_path / "all.zip", tmp_path / "other")
    with closing(hfreg.open(tmp_path / "other")) as other:
        assert other.comparison(made.id) == made
    gone = registry.delete_comparison(made.id)
    assert registry.comparisons() == []
    with pytest.raises(EvaluationError, match=f"no saved comparison `{made.id}`"):
        registry.comparison(made.id)
    with pytest.raises(EvaluationError, match="is no id of a comparison"):
        registry.comparison("../definitions")
    registry.save_comparison(gone)
    assert registry.comparisons() == [made]
    (registry.settings.home / "comparisons" / f"{made.id}.json").write_text("{")
    assert registry.comparisons() == []
    with pytest.raises(StoreCorrupt, match="cannot be read"):
        registry.comparison(made.id)


def test_of_very_many_rows_the_same_ones_drawn_by_chance_are_measured_and_it_is_said(
    registry: hfreg.Registry, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [begin(registry, "old", LOGIC, table), begin(registry, "new", LOGIC.replace('"!"', '"!!"'), table)]
    monkeypatch.setattr(joining, "MOST", 3)
    drawn = joining.draw(5)
    found = registry.evaluate(runs[0], "truth")
    assert found.rows == 3 and found.notes[0].startswith("3 of 5 rows, drawn by chance, were measured")
    numbers = [row.number for row in joining.at(registry.simulation(runs[0]), drawn)]
    assert numbers == [row.number for i, row in enumerate(registry.simulation(runs[0]).results()) if i in drawn]
    compared = registry.compare(runs, "truth")
    assert [one.row for one in compared.found.disagreements] == [place for place in drawn if place == 2]
    assert compared.found.evaluations[1].notes[0].startswith("3 of 5 rows")


def test_a_result_that_is_deleted_while_it_is_measured_is_told(registry: hfreg.Registry, table: Path) -> None:
    done = begin(registry, "guard", LOGIC, table)
    with pytest.raises(EvaluationError, match=f"Simulation {done} was deleted meanwhile"):
        registry.evaluate(done, "truth", progress=lambda *_: registry.delete_simulation(done))


def test_what_cannot_be_evaluated_or_compared_is_said(registry: hfreg.Registry, table: Path, tmp_path: Path) -> None:
    done = begin(registry, "guard", LOGIC, table)
    for asked, said in (
        ({"truth": "trth"}, "no column `trth`. Did you mean `truth`"),
        ({"truth": "none"}, "The column `none` of mails.csv is empty"),
        ({"truth": "truth", "slices": ["lan"]}, "no column `lan` to slice by"),
    ):
        with pytest.raises(EvaluationError, match=said):
            registry.evaluate(done, **asked)  # type: ignore[arg-type]
    other = tmp_path / "other.csv"
    other.write_text("text,truth\nhello,ham\n")
    with pytest.raises(EvaluationError, match="is not the table of simulation"):
        registry.compare([done, begin(registry, "second", LOGIC, other)], "truth")
    with pytest.raises(EvaluationError, match=r"5 rows and .* has 2"):
        registry.compare([done, begin(registry, "third", LOGIC, table, 2)], "truth")
    with pytest.raises(EvaluationError, match="at least two"):
        registry.compare([done], "truth")
