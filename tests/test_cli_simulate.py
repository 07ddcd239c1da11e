"""`hfreg simulate`: a table in, a table out, progress beside it, and exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import hfreg
from hfreg.cli import main


@pytest.fixture
def table(tmp_path: Path, registry: hfreg.Registry) -> Path:
    """A table of three texts, and a model for them; the second text fails."""
    registry.register(
        hfreg.Definition(
            alias="shout",
            output_type="Map[String, Any]",
            arguments=[hfreg.Argument("text"), hfreg.Argument("mark", optional=True, default="!")],
            scoring_logic="return {'said': text.upper() + mark, 'letters': 1 // (len(text) - 3)}",
        )
    )
    path = tmp_path / "texts.csv"
    path.write_text("nr,body\n1,hello\n2,bad\n3,there\n")
    return path


def test_it_writes_what_came_of_each_row(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.csv"
    assert main(["simulate", "shout", str(table), "-o", str(out), "--map", "body=text", "--set", "mark=?"]) == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["nr"], row["said"], row["status"]) for row in rows] == [
        ("1", "HELLO?", "ok"), ("2", "", "error"), ("3", "THERE?", "ok")
    ]  # fmt: skip
    assert capsys.readouterr().out.startswith("done: 3 rows, 1 without an answer")
    assert main(["simulate", "shout", str(table), "--limit", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--map", "boddy=text"], 2, "Did you mean `body`?"),
        (["--map", "body"], 2, "Write column=argument"),
        (["--set", "loud=yes"], 2, "no argument `loud`"),
        (["-o", "out.txt"], 2, "has to end in .csv or .parquet"),
        (["--resume"], 1, "There is no simulation of shout"),
    ],
)
def test_wrong_use_is_told_and_nothing_runs(
    table: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, told: str
) -> None:
    assert main(["simulate", "shout", str(table), *words]) == code
    assert told in capsys.readouterr().err
    assert hfreg.open().simulations() == []


def test_what_was_stopped_goes_on(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = hfreg.open()
    simulation = registry.simulate("shout", table).wait()
    state = simulation.folder / "state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "name": "paused"}))
    assert main(["simulate", "shout", str(table), "-o", str(tmp_path / "o.parquet"), "--resume"]) == 0
    assert (tmp_path / "o.parquet").stat().st_size > 100
