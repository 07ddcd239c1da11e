"""Evaluating simulations: joined with their truth, kept, compared, and refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

import hfreg
from hfreg.errors import EvaluationError

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
    found = registry.compare(runs, "truth")
    assert found.names == ("old version 1", "new version 1")
    assert found.pairs[0].differences["accuracy"].value == 0.25
    assert [(one.row, one.answers) for one in found.disagreements] == [(2, ("spam", "ham"))]


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
