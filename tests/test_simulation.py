"""Simulation: a table through a model — answers as columns, errors beside them, pause, resume, what the log holds."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import hfreg
from hfreg.errors import ArgumentError, NotApproved, SimulationError, TableError
from hfreg.metrics.sketch import Sketch, Spread
from hfreg.simulation import Simulation, work
from hfreg.store.calls import CallFilter

LOGIC = """
if text is None:
    return None
if text == "boom":
    raise ValueError("no such text")
return {"label": "long" if len(text) > limit else "short", "score": len(text) / 10}
"""


@pytest.fixture
def model(registry: hfreg.Registry) -> hfreg.Registry:
    """A registry with a model that answers by the length of its text."""
    registry.register(
        hfreg.Definition(
            alias="sizes",
            output_type="Struct[label: String, score: Numerical]",
            arguments=[hfreg.Argument("text"), hfreg.Argument("limit", "Numerical", optional=True, default="4")],
            scoring_logic=LOGIC,
        )
    )
    return registry


def table(folder: Path, *texts: str, name: str = "table.csv") -> Path:
    path = folder / name
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "text"), *((f"r{i}", text) for i, text in enumerate(texts, 1))])
    return path


def slow(registry: hfreg.Registry, seconds: float = 0.01, alias: str = "slow") -> None:
    logic = f"import time\ntime.sleep({seconds})\nreturn text"
    registry.register(
        hfreg.Definition(alias=alias, output_type="String", arguments=[hfreg.Argument("text")], scoring_logic=logic)
    )


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ids(simulation: Simulation) -> list[Any]:
    return [row["id"] for row in simulation.rows()]


def test_each_row_has_its_answer_or_its_error_in_columns(engine: str, model: hfreg.Registry, tmp_path: Path) -> None:
    done = model.simulate("sizes", table(tmp_path, "tiny", "boom", "enormous", "")).wait()
    assert (done.state, done.progress.rows, done.progress.failed, done.progress.total) == ("done", 4, 1, 4)
    assert done.columns == ("id", "text", "label", "score", "status", "error", "warnings", "milliseconds")
    rows = list(done.rows())
    assert [(r["id"], r["label"], r["score"], r["status"]) for r in rows] == [
        ("r1", "short", 0.4, "ok"),
        ("r2", None, None, "error"),
        ("r3", "long", 0.8, "ok"),
        ("r4", None, None, "ok"),
    ]
    assert "no such text" in rows[1]["error"]
    assert all(0 <= row["milliseconds"] < 5000 for row in rows)
    assert next(iter(done.tally.errors))[0] == "ValueError"
    assert done.tally.fields["label"].values == {"short": 1, "long": 1}


def test_columns_are_guessed_named_or_replaced_by_constants(model: hfreg.Registry, tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    rows = [{"nr": 1, "Review": "fairly long", "most": 3}, {"nr": 2, "Review": "abc", "most": "5"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    guessed = model.simulate("sizes", path).wait()
    assert dict(guessed.plan.columns) == {"text": "Review"}
    named = model.simulate("sizes", path, mapping={"Review": "text", "most": "limit"}).wait()
    assert [row["label"] for row in named.rows()] == ["long", "short"]
    assert [row["most"] for row in named.rows()] == [3, "5"]
    fixed = model.simulate("sizes", path, constants={"limit": "100"}).wait()
    assert [row["label"] for row in fixed.rows()] == ["short", "short"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mapping": {"txt": "text"}}, "no column `txt` for `text`. Did you mean `text`?"),
        ({"mapping": {"text": "txt"}}, "no argument `txt`. Did you mean `text`?"),
        ({"mapping": {"id": "text", "text": "text"}}, "`text` is given twice"),
        ({"mapping": {"text": "limit"}, "constants": {"limit": "1"}}, "`limit` is given twice"),
        ({"constants": {"limit": "many"}}, "limit"),
        ({"limit": 0}, "numbers from 1"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_before_anything_runs(
    model: hfreg.Registry, tmp_path: Path, given: dict[str, Any], words: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        model.simulate("sizes", table(tmp_path, "a"), **given)
    assert words in str(caught.value)
    assert model.simulations() == []


def test_what_lacks_a_column_or_may_not_run_is_refused(model: hfreg.Registry, tmp_path: Path) -> None:
    numbers = tmp_path / "numbers.csv"
    numbers.write_text("id,nr\n1,2\n")
    with pytest.raises(ArgumentError, match="`text` has no column"):
        model.simulate("sizes", numbers)
    with pytest.raises(TableError, match="There is no file"):
        model.simulate("sizes", tmp_path / "gone.csv")
    model.archive("sizes")
    with pytest.raises(NotApproved):
        model.simulate("sizes", table(tmp_path, "a"), version=1)


def test_a_bad_row_of_the_table_is_an_error_of_that_row(model: hfreg.Registry, tmp_path: Path) -> None:
    path = table(tmp_path, "fine", "also fine")
    path.write_bytes(path.read_bytes() + b"r3,\xff\nr4,last,limit\nr5,ok\n")
    done = model.simulate("sizes", path).wait()
    assert [row["status"] for row in done.rows()] == ["ok", "ok", "error", "error", "ok"]
    assert [row["error"] for row in done.rows()][2:4] == [
        "table.csv: line 4 is not UTF-8 (byte 0xff at 4). Save the table as UTF-8.",
        "Row 4 has 3 cells, but there are 2 columns.",
    ]
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"text": ["a"]}\n{"text": 12}\n')
    assert [row["status"] for row in model.simulate("sizes", wrong).wait().rows()] == ["error", "ok"]


def test_a_paused_simulation_goes_on_behind_its_last_row(
    registry: hfreg.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "WRITE_S", 0.05)
    monkeypatch.setattr(work, "PAUSE_S", 0.1)
    slow(registry)
    simulation = registry.simulate("slow", table(tmp_path, *map(str, range(60))))
    until(lambda: simulation.progress.rows >= 5)
    simulation.pause()
    paused = simulation.wait()
    assert (paused.state, 5 <= paused.progress.rows < 60, paused.progress.total) == ("paused", True, 60)
    assert registry.simulation(simulation.id).state == "paused"
    assert simulation.resume().wait().state == "done"
    assert ids(simulation) == [f"r{i}" for i in range(1, 61)]
    with pytest.raises(SimulationError, match="is done and has nothing to resume"):
        simulation.resume()


def test_a_stopped_simulation_keeps_what_is_done_and_the_row_in_work_is_run_again(
    registry: hfreg.Registry, tmp_path: Path
) -> None:
    slow(registry, 0.2)
    simulation = registry.simulate("slow", table(tmp_path, *"abcd"))
    until(lambda: simulation.progress.rows >= 1)
    simulation.cancel()
    assert simulation.wait().state == "cancelled"
    assert 1 <= len(ids(simulation)) < 4
    simulation.resume().wait()
    assert ids(simulation) == ["r1", "r2", "r3", "r4"]


def test_a_table_or_a_definition_that_changed_is_not_gone_on_with(
    registry: hfreg.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PAUSE_S", 0.1)
    slow(registry, 0.05)
    path = table(tmp_path, *"abcdefgh")
    simulation = registry.simulate("slow", path)
    until(lambda: simulation.progress.rows >= 1)
    simulation.pause()
    simulation.wait()
    shutil.copy(path, tmp_path / "kept.csv")
    table(tmp_path, *"abcdefgi")
    with pytest.raises(SimulationError, match="not what it was when this simulation began"):
        simulation.resume()
    shutil.copy(tmp_path / "kept.csv", path)
    definition = registry.get("slow").definition
    registry.edit("slow", definition.model_copy(update={"scoring_logic": "return 'other'"}))
    with pytest.raises(SimulationError, match="was edited since"):
        simulation.resume()
    registry.edit("slow", definition)
    assert simulation.resume().wait().state == "done"


def test_after_a_kill_it_goes_on_without_a_row_lost_or_twice(tmp_path: Path) -> None:
    path = table(tmp_path, *map(str, range(120)))
    script = f"""
        import hfreg
        from hfreg.simulation import work
        work.WRITE_S = 0.02
        registry = hfreg.open()
        registry.register(hfreg.Definition(alias="slow", output_type="String", arguments=[hfreg.Argument("text")],
                                           scoring_logic="import time\\ntime.sleep(0.01)\\nreturn text"))
        print(registry.simulate("slow", {str(path)!r}).id, flush=True)
        import time; time.sleep(60)
    """
    child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child, child.stdout as said:
        simulation_id = said.readline().strip()
        registry = hfreg.open()
        simulation = registry.simulation(simulation_id)
        until(lambda: simulation.progress.rows >= 10)
        assert simulation.state == "running"
        with pytest.raises(SimulationError, match="another process"):
            simulation.pause()
        child.send_signal(signal.SIGKILL)
        child.wait(10)
    assert simulation.state == "interrupted"
    with (simulation.folder / "rows.jsonl").open("ab") as rows:
        rows.write(b'[99,["half a li')  # written, and not counted yet
    assert simulation.resume().wait().state == "done"
    assert ids(simulation) == [f"r{i}" for i in range(1, 121)]
    assert simulation.tally.rows == 120


def test_closing_the_registry_interrupts_and_another_goes_on(
    registry: hfreg.Registry, tmp_path: Path, home: Path
) -> None:
    slow(registry, 0.02)
    simulation = registry.simulate("slow", table(tmp_path, *map(str, range(30))))
    until(lambda: simulation.progress.rows >= 3)
    registry.close()
    again = hfreg.open().simulation(simulation.id)
    assert again.state == "interrupted"
    assert again.resume().wait().state == "done"
    assert ids(again) == [f"r{i}" for i in range(1, 31)]


def test_the_log_has_one_record_for_a_simulation_and_usage_counts_its_rows_apart(
    model: hfreg.Registry, tmp_path: Path
) -> None:
    model.model("sizes")(text="one call")
    model.simulate("sizes", table(tmp_path, "a", "boom", "boom", "b"), user="kim").wait()
    model.events.flush()
    call, _ = model.events.calls()
    assert (call.source, call.user, call.status, call.rows, call.failed) == ("simulation", "kim", "ok", 4, 2)
    assert Sketch(json.loads(call.sketch or "{}")).count == 4
    tiles = model.events.usage().tiles
    assert (tiles.calls, tiles.simulations, tiles.rows, tiles.rows_failed) == (2, 1, 4, 2)
    assert sum(one.calls for one in model.events.usage().histogram) == 1
    assert model.events.usage().models[0].ok == 2
    assert model.events.count(CallFilter(source="simulation")) == 1


def test_each_stretch_is_logged_once_and_together_they_are_all_rows(
    registry: hfreg.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PAUSE_S", 0.05)
    slow(registry, 0.02)
    simulation = registry.simulate("slow", table(tmp_path, *map(str, range(20))))
    until(lambda: simulation.progress.rows >= 2)
    simulation.pause()
    simulation.wait()
    simulation.resume().wait()
    registry.events.flush()
    assert [call.status for call in registry.events.calls()] == ["ok", "ok"]
    assert sum(call.rows for call in registry.events.calls()) == 20


def test_a_sample_takes_some_rows_and_a_dry_run_is_not_listed(model: hfreg.Registry, tmp_path: Path) -> None:
    path = table(tmp_path, *map(str, range(20)))
    assert ids(model.simulate("sizes", path, limit=3).wait()) == ["r1", "r2", "r3"]
    assert ids(model.simulate("sizes", path, limit=3, every=4).wait()) == ["r1", "r5", "r9"]
    model.simulate("sizes", path, limit=5, dry=True).wait()
    assert [one.plan.every for one in model.simulations()] == [4, 1]
    assert len(model.simulations(dry=True)) == 3
    model.delete_simulation(model.simulations()[0].id)
    assert [one.plan.every for one in model.simulations()] == [1]


def test_downloads_hold_every_row_and_no_formula(model: hfreg.Registry, tmp_path: Path) -> None:
    done = model.simulate("sizes", table(tmp_path, "=1+1", "boom", "größe", "a\nb")).wait()
    done.save(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["text"] for row in rows] == ["'=1+1", "boom", "größe", "a\nb"]
    assert [row["score"] for row in rows] == ["0.4", "", "0.5", "0.3"]
    done.save(tmp_path / "out.parquet")
    stored = pq.read_table(tmp_path / "out.parquet")
    assert stored.schema.field("score").type == "double"
    assert stored.column("text").to_pylist() == ["=1+1", "boom", "größe", "a\nb"]
    assert stored.column_names == list(done.columns)
    with pytest.raises(SimulationError, match=r"has to end in .csv or .parquet"):
        done.save(tmp_path / "out.txt")


def test_answers_of_every_type_have_columns(registry: hfreg.Registry, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,status,label\na,mine,x\n")
    for alias, output, logic in [
        ("plain", "Numerical", "return len(text)"),
        ("mapped", "Map[String, Any]", "return {'label': text, 'all': [1, {'b': 2}]}"),
        ("listed", "Array[Numerical]", "return [1, 2]"),
    ]:
        registry.register(
            hfreg.Definition(alias=alias, output_type=output, arguments=[hfreg.Argument("text")], scoring_logic=logic)
        )
    fixed = ("status", "error", "warnings", "milliseconds")
    plain, mapped, listed = (registry.simulate(alias, path).wait() for alias in ("plain", "mapped", "listed"))
    assert plain.columns == ("text", "input.status", "label", "answer", *fixed)
    assert mapped.columns == ("text", "input.status", "label", "answer.label", "all", *fixed)
    row = next(mapped.rows())
    assert (row["label"], row["answer.label"], row["all"], row["input.status"]) == ("x", "a", [1, {"b": 2}], "mine")
    assert '[1, {""b"": 2}]' in "".join(mapped.csv())
    assert next(listed.rows())["answer"] == [1, 2]


def test_rows_are_found_by_status_and_words(model: hfreg.Registry, tmp_path: Path) -> None:
    done = model.simulate("sizes", table(tmp_path, "Große Fische", "boom", "kleine Fische")).wait()
    assert [row["row"] for row in done.find("error")] == [2]
    assert [row["row"] for row in done.find(words="fische GROSSE".replace("SS", "ß"))] == [1]
    assert [row["row"] for row in done.find(limit=1, offset=1)] == [2]


def test_a_spread_and_a_sketch_come_back_as_they_were() -> None:
    spread, sketch = Spread(), Sketch()
    for n in range(-500, 1000):
        spread.add(n / 7)
        sketch.add(abs(n))
    again = Spread(json.loads(json.dumps(spread.as_json())))
    assert again.bars() == spread.bars()
    assert sum(count for _, _, count in spread.bars()) == 1500
    assert len(spread.bars()) <= 48
    assert (spread.low, spread.high) == (-500 / 7, 999 / 7)
    assert spread.mean == pytest.approx(sum(range(-500, 1000)) / 7 / 1500)
    low, high = sketch.percentile(0.5), sketch.percentile(0.95)
    assert low == pytest.approx(375, rel=0.07)
    assert high == pytest.approx(925, rel=0.07)


def test_memory_stays_flat_however_many_rows_there_are(
    model: hfreg.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "WRITE_BYTES", 2**17)
    model.model("sizes")(text="warm")
    peaks = []
    for count in (3_000, 9_000):
        path = table(tmp_path, *("x" * 200 + str(i) for i in range(count)), name=f"{count}.csv")
        tracemalloc.start()
        model.simulate("sizes", path).wait()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0], peaks
