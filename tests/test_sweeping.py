"""Sweeping a threshold: which sources stored scores speak for, what they come to, runs in their place, and saving."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import hfreg
from hfreg.errors import EvaluationError, LifecycleError
from hfreg.scoring.threshold import threshold_use
from hfreg.simulation import Simulation

FLAGS = """
if text is None:
    return None
score = len(text) / 10
return {"flagged": score >= threshold, "score": score}
"""
MOODS = """
label = "good" if "g" in text else "bad"
score = len(text) / 10
if score > threshold:
    return {"label": label, "score": score}
return {"label": "unsure", "score": score}
"""
TABLE = [("x" * n, truth) for n, truth in ((1, 0), (2, 0), (3, 1), (4, 0), (6, 1), (7, 0), (8, 1), (9, 1), (9, ""))]


def scored(alias: str = "guard", logic: str = FLAGS, **threshold: object) -> hfreg.Definition:
    given = {"optional": True, "default": "0.5", **threshold}
    arguments = [hfreg.Argument("text"), hfreg.Argument("threshold", "Numerical", **given)]
    return hfreg.Definition(alias=alias, arguments=arguments, output_type="Map[String, Any]", scoring_logic=logic)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "texts.csv", TABLE)


def write(path: Path, rows: list[tuple[str, object]]) -> Path:
    path.write_text("text,spam\n" + "".join(f"{text},{truth}\n" for text, truth in rows))
    return path


def ran(registry: hfreg.Registry, table: Path, definition: hfreg.Definition | None = None, **constants: object) -> str:
    definition = definition or scored()
    if definition.alias not in registry.definitions.aliases():
        registry.register(definition)
    simulation: Simulation = registry.simulate(definition.alias, table, constants=constants).wait()
    return simulation.id


@pytest.mark.parametrize(
    ("source", "strict", "alone"),
    [
        (FLAGS, False, True),
        (MOODS, True, False),
        (
            "s = len(text)\nhit = threshold < s\nreturn {'flagged': 'a' if hit else 'b', 'score': round(s, 3)}",
            True,
            True,
        ),
        (
            "s = 1\nif s >= threshold:\n    return {'flagged': 1, 'score': s}\nreturn {'flagged': 0, 'score': s}",
            False,
            True,
        ),
        ("s = 1\na = {'flagged': s >= threshold and text == 'x', 'score': s}\nreturn a", False, False),
    ],
)
def test_an_argument_that_is_only_compared_with_the_score_is_a_threshold(
    source: str, strict: bool, alone: bool
) -> None:
    use = threshold_use(source, "threshold", "score", "label" if source == MOODS else "flagged")
    assert (use.reason, use.strict, use.alone) == ("", strict, alone)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("return {'score': 1}", "does not use"),
        ("return {'score': model(text, threshold)}", "line 1 uses `threshold` otherwise"),
        ("threshold = 1\nreturn {'score': threshold}", "otherwise than by comparing"),
        ("for r in x:\n    if r >= threshold:\n        return {'score': r}\nreturn {}", "inside a loop"),
        ("return {'score': [r for r in x if r >= threshold]}", "inside a loop"),
        ("s = 1\nif s >= threshold:\n    return {'score': s}\nreturn {'score': 0}", "line 4 answers another `score`"),
        ("s = 1\nif s >= threshold:\n    return {'score': s}\nreturn None", "cannot be followed"),
        ("s = 1\nif s >= threshold:\n    return {'score': s}", "can end without a return"),
        ("s = 1\nif s < threshold:\n    s = 0\nreturn {'score': s}", "line 3 changes `s`"),
        ("s = x[0]\nif s < threshold:\n    x.clear()\nreturn {'score': s}", "calls a method of `x`"),
        ("s = 1\nif s < threshold:\n    raise ValueError\nreturn {'score': s}", "may end without an answer"),
        ("s = 1\nhit = s < threshold or s > threshold\nreturn {'score': s}", "more than one thing"),
        ("return {'score'", "cannot be used"),
    ],
)
def test_a_source_in_which_a_threshold_does_more_is_named_with_the_reason(source: str, reason: str) -> None:
    assert reason in threshold_use(source, "threshold", "score", "score").reason


def test_stored_scores_tell_what_the_model_answers_at_every_threshold(
    engine: str, registry: hfreg.Registry, table: Path
) -> None:
    found = registry.sweep(ran(registry, table), "spam")
    assert (found.about.argument, found.about.score, found.about.decision, found.about.positive) == (
        "threshold", "score", "flagged", "1",
    )  # fmt: skip
    assert (found.sweep.rows, found.sweep.positives, found.sweep.left_out, found.rerun) == (8, 4, 1, False)
    model = registry.model("guard")
    for threshold in (*found.choices.values(), 0.25, 0.9, 1.5):
        flagged = [model(text=text, threshold=threshold)["flagged"] for text, truth in TABLE if truth != ""]
        at = found.at(threshold)
        assert at.true_positives + at.false_positives == sum(flagged)
        assert at.true_positives == sum(f for f, (_, truth) in zip(flagged, TABLE, strict=False) if truth)
    assert found.choices["best F1"] == 0.25 and found.at(0.25).f1 == max(p.f1 for p in found.sweep.points)
    assert found.for_recall(1) == 0.25 and found.at(found.for_recall(1)).recall == 1
    low = found.intervals(0.5)["recall"].low
    assert low is not None and low < 0.75 == found.at(0.5).recall


def test_costs_decide_which_threshold_is_cheapest(registry: hfreg.Registry, table: Path) -> None:
    simulation = ran(registry, table)
    dear = registry.sweep(simulation, "spam", false_positive=10)
    assert dear.at(dear.choices["lowest cost"]).false_positives == 0
    many = registry.sweep(simulation, "spam", false_negative=10)
    assert many.at(many.choices["lowest cost"]).false_negatives == 0
    assert dear.with_costs(many.costs).choices == many.choices
    json.dumps(dear.as_json(), allow_nan=False)


def test_answers_that_a_threshold_hid_are_not_guessed(registry: hfreg.Registry, tmp_path: Path) -> None:
    rows = [
        ("g" * n if good else "b" * n, "good" if good else "bad")
        for n, good in ((2, 1), (4, 0), (6, 1), (8, 0), (9, 1))
    ]
    table = write(tmp_path / "moods.csv", rows)
    hidden = registry.sweep(ran(registry, table, scored("moods", MOODS)), "spam", positive="good")
    assert (hidden.least, hidden.at(0.5).recall, hidden.at(0.7).recall) == (0.5, 2 / 3, 1 / 3)
    with pytest.raises(EvaluationError, match=r"made at 0\.5 and do not tell of 0.1"):
        hidden.at(0.1)
    with pytest.raises(EvaluationError, match="reaches a recall of 1"):
        hidden.for_recall(1)
    shown = registry.sweep(ran(registry, table, scored("moods", MOODS), threshold=0), "spam", positive="good")
    assert shown.at(0.1).recall == 1 and shown.at(0.2).recall == 2 / 3  # the model asks for more than the threshold


def test_where_scores_do_not_tell_the_table_runs_again_at_the_values_named(
    engine: str, registry: hfreg.Registry, table: Path
) -> None:
    logic = 'hit = len(text) > threshold * 10\nreturn {"flagged": hit, "score": len(text) if hit else 0}'
    simulation = ran(registry, table, scored(logic=logic))
    with pytest.raises(EvaluationError, match=r"Stored scores do not tell .* line 1 uses `threshold` otherwise"):
        registry.sweep(simulation, "spam")
    told: list[tuple[int, int]] = []
    found = registry.sweep(simulation, "spam", values=(0.5, 0.25), progress=lambda *done: told.append(done))
    assert [(p.threshold, p.true_positives, p.false_positives) for p in found.sweep.points] == [
        (0.25, 4, 2),
        (0.5, 3, 1),
    ]
    assert told[-1] == (2, 2) and found.rerun and "stored answers" not in found.reason
    assert len(registry.simulations(dry=True)) == 1
    with pytest.raises(EvaluationError, match=r"did not run at 0.3, only at 0.25, 0.5"):
        found.at(0.3)
    assert "from runs of the table" in found.evidence(0.5)
    table.write_text("text,spam\nother,1\n")
    with pytest.raises(EvaluationError, match="is not what it was"):
        registry.sweep(simulation, "spam", values=(0.5,))


def test_a_run_at_a_value_can_be_stopped_and_leaves_nothing(registry: hfreg.Registry, table: Path) -> None:
    simulation = ran(registry, table)
    registry.edit("guard", scored(logic="import time\ntime.sleep(0.2)\n" + FLAGS))

    def stop(done: int, of: int) -> None:
        raise EvaluationError("enough")

    with pytest.raises(EvaluationError, match="enough"):
        registry.sweep(simulation, "spam", values=(0.5,), progress=stop)
    assert len(registry.simulations(dry=True)) == 1


def test_a_threshold_is_saved_as_the_default_with_the_evidence(registry: hfreg.Registry, table: Path) -> None:
    simulation = ran(registry, table)
    found = registry.sweep(simulation, "spam")
    saved = registry.save_threshold(found, 0.25, "ada", "recall ≥ 1")
    assert (saved.number, saved.snapshot, saved.definition.arguments[1].default) == (1, 2, "0.25")
    note = registry.snapshots("guard")[-1].note
    for part in (
        "0.5 → 0.25 (recall ≥ 1)",
        simulation,
        "texts.csv",
        "8 rows",
        "recall 1.000 [1.000, 1.000]",
        "2 false positives",
    ):
        assert part in note
    assert registry.model("guard")(text="xxx")["flagged"] is True
    assert registry.sweep(simulation, "spam").choices == found.choices  # what ran is found among the saves
    registry.submit("guard")
    with pytest.raises(LifecycleError):
        registry.save_threshold(found, 0.5)
    registry.review("guard", "Accept", "bob")
    made = registry.save_threshold(found, 0.5, "ada")
    assert (made.number, made.state, made.definition.arguments[1].default) == (2, "Draft", "0.5")
    assert registry.get("guard").number == 1
    registry.edit("guard", scored(logic=FLAGS.replace("10", "20")))
    with pytest.raises(EvaluationError, match="version 2 has other code than what was swept"):
        registry.save_threshold(found, 0.25)


def test_a_required_argument_has_no_default_to_save(registry: hfreg.Registry, table: Path) -> None:
    simulation = ran(registry, table, scored(optional=False, default=None), threshold=0.5)
    found = registry.sweep(simulation, "spam")
    with pytest.raises(EvaluationError, match="`threshold` is required"):
        registry.save_threshold(found, 0.5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"truth": "spma"}, "no column `spma`. Did you mean `spam`"),
        ({"argument": "least"}, "no Numerical argument `least`"),
        ({"positive": "yes"}, "No truth is `yes`"),
        ({"score": "text"}, "No field `text` of the answers is a score"),
        ({"decision": "score"}, "No field `score` of the answers is a decision"),
        ({"truth": "text"}, "Which label is to be found?"),
        ({"false_positive": -1}, "cost of a false positive is -1"),
    ],
)
def test_what_cannot_be_told_is_said(
    registry: hfreg.Registry, table: Path, given: dict[str, object], message: str
) -> None:
    with pytest.raises(EvaluationError, match=message.replace("?", r"\?")):
        registry.sweep(ran(registry, table), **{"truth": "spam", **given})


@pytest.mark.parametrize(
    ("logic", "rows", "message"),
    [
        (FLAGS, [("a", 1), ("bb", 1)], "every truth is `1`"),
        (FLAGS, [("a", ""), ("bb", "")], "no row has a truth"),
        ("return {'flagged': True}", [("a", 1), ("bb", 0)], "no field that is a score"),
        ("return 3", [("a", 1), ("bb", 0)], "no field that is a score"),
        ("raise ValueError(text)", [("a", 1), ("bb", 0)], "no field that is a score"),
    ],
)
def test_tables_and_models_without_what_it_takes_are_refused(
    registry: hfreg.Registry, tmp_path: Path, logic: str, rows: list[tuple[str, object]], message: str
) -> None:
    simulation = ran(
        registry, write(tmp_path / "t.csv", rows), scored(logic=logic).model_copy(update={"output_type": "Any"})
    )
    with pytest.raises(EvaluationError, match=message):
        registry.sweep(simulation, "spam")


def test_a_model_without_a_number_has_no_threshold(registry: hfreg.Registry, table: Path) -> None:
    plain = hfreg.Definition(alias="plain", arguments=[hfreg.Argument("text")], scoring_logic="return text")
    with pytest.raises(EvaluationError, match="plain has no Numerical argument"):
        registry.sweep(ran(registry, table, plain), "spam")


def test_rows_with_an_error_are_left_out_and_counted(registry: hfreg.Registry, tmp_path: Path) -> None:
    logic = FLAGS.replace("score = len", "if text == 'boom':\n    raise ValueError(text)\nscore = len")
    table = write(tmp_path / "t.csv", [("a", 0), ("boom", 1), ("b" * 9, 1)])
    found = registry.sweep(ran(registry, table, scored(logic=logic)), "spam")
    assert (found.sweep.rows, found.sweep.left_out) == (2, 1)
