"""Floors: a metric over a kept table as a check, reached or not, whatever becomes of the table it was made of."""

from __future__ import annotations

from pathlib import Path

import pytest

import hfreg
from hfreg.cli import main
from hfreg.errors import CheckError, DefinitionError, EvaluationError
from hfreg.store.backup import backup, restore

LOGIC = 'return {"kind": "spam" if "!" in text else "ham", "score": text.count("!") / 10}'
ROWS = [("hello", "ham"), ("win!!!", "spam"), ("now!", "spam"), ("yes!", "ham"), ("so", "ham")]


def guard(logic: str = LOGIC) -> hfreg.Definition:
    return hfreg.Definition(
        alias="guard", arguments=[hfreg.Argument("text")], output_type="Map[String, Any]", scoring_logic=logic
    )


@pytest.fixture
def simulation(registry: hfreg.Registry, tmp_path: Path) -> str:
    """A simulation of a table with truth: four of five rows are right."""
    table = tmp_path / "mails.csv"
    table.write_text("text,truth\n" + "".join(f"{text},{kind}\n" for text, kind in ROWS))
    registry.register(guard())
    return registry.simulate("guard", table).wait().id


def test_a_floor_runs_its_table_again_and_says_what_the_metric_is(
    engine: str, registry: hfreg.Registry, simulation: str, tmp_path: Path
) -> None:
    reached = registry.add_floor(simulation, "truth", "accuracy", 0.8)
    registry.add_floor(simulation, "truth", "accuracy", 0.9, name="more")
    assert (reached.name, reached.field, reached.score, reached.wanted) == (
        "accuracy",
        "kind",
        "score",
        "accuracy of at least 0.8",
    )
    (tmp_path / "mails.csv").unlink()
    registry.delete_simulation(simulation)
    told: list[tuple[int, int]] = []
    report = registry.run_checks("guard", progress=lambda *done: told.append(done))
    assert [(one.name, one.ok) for one in report.results] == [("accuracy", True), ("more", False)]
    assert report.failed[0].message.startswith("expected accuracy of at least 0.9, got 0.8 [")
    assert told[0] == (0, 2) and told[-1] == (2, 2)
    assert registry.simulations(dry=True) == []
    assert [(call.source, call.rows) for call in registry.events.calls()][:2] == [("check", 5), ("check", 5)]
    registry.edit("guard", guard(LOGIC.replace('"!" in', '"!!" in')))
    stale = registry.check_report("guard")
    assert stale is not None and stale.stale == ("the code changed",)


def test_a_metric_may_have_a_ceiling_in_place_of_a_floor(registry: hfreg.Registry, simulation: str) -> None:
    floor = registry.add_floor(simulation, "truth", "calibration error", at_most=0.01)
    assert floor.wanted == "calibration error of at most 0.01"
    assert "expected calibration error of at most 0.01, got" in registry.run_checks("guard").results[0].message


def test_a_model_that_only_fails_does_not_reach_its_floor(registry: hfreg.Registry, simulation: str) -> None:
    registry.add_floor(simulation, "truth", "accuracy", 0.5)
    registry.edit("guard", guard("raise ValueError(text)"))
    assert "got 0 [0, 0]" in registry.run_checks("guard").results[0].message
    renamed = guard(LOGIC.replace("text", "body")).model_copy(update={"arguments": (hfreg.Argument("body"),)})
    registry.edit("guard", renamed)
    assert "no argument `text`" in registry.run_checks("guard").results[0].message


def test_floors_are_listed_deleted_restored_renamed_and_backed_up(
    registry: hfreg.Registry, simulation: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    floor = registry.add_floor(simulation, "truth", "accuracy", 0.8)
    registry.add_check("guard", {"text": "a"}, "ham", "path", path="kind", name="one")
    with pytest.raises(CheckError, match="has a check `accuracy` already"):
        registry.add_check("guard", {"text": "a"}, "ham", "path", path="kind", name="accuracy")
    registry.run_checks("guard")
    registry.restore_floor("guard", registry.delete_floor("guard", "accuracy"))
    report = registry.check_report("guard")
    assert report is not None and report.stale == ()
    assert main(["checks", "guard", "--list"]) == 0
    assert "accuracy: expects accuracy of at least 0.8" in capsys.readouterr().out
    registry.rename("guard", "keeper")
    assert registry.floors("keeper") == [floor] and registry.floors("keeper")[0].author == registry.user
    backup(home, tmp_path / "all.zip")
    restore(tmp_path / "all.zip", tmp_path / "other")
    assert hfreg.open(tmp_path / "other").run_checks("keeper").ok


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"metric": "acuracy"}, EvaluationError, "Did you mean `accuracy`"),
        ({"truth": "trth"}, EvaluationError, "no column `trth`. Did you mean `truth`"),
        ({"at_least": None}, DefinitionError, "a floor has one number"),
        ({"at_most": 1.0}, DefinitionError, "a floor has one number"),
        ({"at_least": float("nan")}, DefinitionError, "a floor has one number"),
    ],
)
def test_a_floor_that_makes_no_sense_is_refused(
    registry: hfreg.Registry, simulation: str, given: dict[str, object], error: type[Exception], message: str
) -> None:
    usual = {"truth": "truth", "metric": "accuracy", "at_least": 0.5}
    with pytest.raises(error, match=message):
        registry.add_floor(simulation, **{**usual, **given})  # type: ignore[arg-type]
    assert registry.floors("guard") == []


def test_a_table_that_changed_since_is_not_kept(registry: hfreg.Registry, simulation: str, tmp_path: Path) -> None:
    (tmp_path / "mails.csv").write_text("text,truth\nother,ham\n")
    with pytest.raises(CheckError, match="is not what it was when it ran"):
        registry.add_floor(simulation, "truth", "accuracy", 0.5)
