"""`hfreg evaluate`, `hfreg compare` and `hfreg simulate --truth`: figures as lines and as JSON, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hfreg
from hfreg.cli import main

LOGIC = 'return {"kind": "spam" if "!" in text else "ham", "score": 0.7}'


@pytest.fixture
def table(registry: hfreg.Registry, tmp_path: Path) -> Path:
    """Two models, and a table with the truth."""
    for alias, logic in (("old", LOGIC), ("new", LOGIC.replace('"!"', '"!!"'))):
        registry.register(
            hfreg.Definition(
                alias=alias, arguments=[hfreg.Argument("text")], output_type="Map[String, Any]", scoring_logic=logic
            )
        )
    path = tmp_path / "mails.csv"
    path.write_text("text,truth,lang\nhello,ham,en\nwin!!!,spam,en\nyes!,ham,de\nso,ham,de\n")
    return path


def test_a_table_is_run_and_held_against_its_truth(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "old", str(table), "--truth", "truth", "--slice", "lang"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("done: 4 rows") and said[1].startswith("simulation 2")
    assert said[2] == "classification: 4 of 4 rows have a truth"
    assert said[3].split()[:2] == ["accuracy", "0.750"]
    assert any(line.startswith("  lang = de: 2 rows, 0 failed, accuracy 0.500 [") for line in said)
    assert main(["simulate", "old", str(table), "--truth", "trut"]) == 1
    assert "mails.csv has no column `trut`. Did you mean `truth`" in capsys.readouterr().err


def test_kept_simulations_are_evaluated_and_compared(
    registry: hfreg.Registry, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (registry.simulate(alias, table).wait().id for alias in ("old", "new"))
    assert main(["evaluate", one, "--truth", "truth", "--positive", "spam", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["accuracy"]["value"] == 0.75
    assert main(["compare", one, two, "--truth", "truth"]) == 0
    said = capsys.readouterr().out
    assert "new version 1 less old version 1: accuracy +0.250 [" in said
    assert "right alone: champion 0, challenger 1; McNemar p = 1 (exact)" in said
    assert "  row 3: truth ham, answers spam, ham (text=yes!; lang=de)" in said
    assert registry.comparisons() == []
    assert main(["compare", one, two, "--truth", "truth", "--save", "--json"]) == 0
    assert [kept.id for kept in registry.comparisons()] == [json.loads(capsys.readouterr().out)["id"]]
    assert main(["compare", one, "--truth", "truth"]) == 1
    assert main(["evaluate", "nothing", "--truth", "truth"]) == 1
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", one])
