"""Metrics of labelled rows against scikit-learn on plain lists, and what becomes of rows that are out of order."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from hfreg.errors import EvaluationError
from hfreg.metrics.bootstrap import GROUPS, sums
from hfreg.metrics.curves import guess_score_of
from hfreg.metrics.evaluation import Evaluation, Labelled, Options, evaluate


def value(found: Evaluation, name: str) -> float:
    of = found.metrics[name].value
    assert of is not None
    return of


def noisy(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(["bad", "good", "so-so"], n, p=(0.2, 0.5, 0.3))
    given = np.where(rng.random(n) < 0.8, truth, rng.choice(["bad", "good", "so-so"], n))
    return truth.tolist(), given.tolist()


def test_figures_of_labels_are_those_of_scikit_learn() -> None:
    truth, given = noisy(500)
    found = evaluate(Labelled(truth, given))
    assert found.kind == "classification"
    assert value(found, "accuracy") == pytest.approx(accuracy_score(truth, given))
    assert value(found, "macro F1") == pytest.approx(f1_score(truth, given, average="macro"))
    matrix = np.array(found.figures.matrix)  # type: ignore[union-attr]
    assert matrix.sum() == 500 and matrix.trace() == sum(t == g for t, g in zip(truth, given, strict=True))
    json.dumps(found.as_json(), allow_nan=False)


def test_the_interval_of_accuracy_is_the_binomial_one_and_is_the_same_again() -> None:
    truth, given = noisy(2000)
    first, again = (evaluate(Labelled(truth, given)).metrics["accuracy"] for _ in range(2))
    p = accuracy_score(truth, given)
    half = 1.96 * (p * (1 - p) / 2000) ** 0.5
    assert first == again
    assert first.low == pytest.approx(p - half, abs=0.004) and first.high == pytest.approx(p + half, abs=0.004)


def test_an_error_and_an_answer_of_none_count_as_wrong_and_are_said() -> None:
    found = evaluate(Labelled(["a", "b", "a", "b"], ["a", "b", "a", None], ["ok", "ok", "error", "ok"]))
    assert value(found, "accuracy") == 0.5
    assert found.notes[:2] == (
        "1 row failed and counts as a wrong answer.",
        "1 row answered None and counts as a wrong answer.",
    )
    assert found.figures.answers == ("a", "b", "(error)", "(no answer)")  # type: ignore[union-attr]
    assert found.by_status == {"error": 1, "ok": 3}


def test_rows_without_a_truth_are_left_out_and_counted() -> None:
    found = evaluate(Labelled(["a", None, "", "b", float("nan")], ["a", "a", "b", "b", "a"]))
    assert (found.rows, found.measured, value(found, "accuracy")) == (5, 2, 1.0)
    assert "3 rows have no truth; in no figure but errors and latency." in found.notes
    with pytest.raises(EvaluationError, match="None of 2 rows has a truth"):
        evaluate(Labelled([None, ""], ["a", "b"]))


def test_a_label_that_was_never_answered_has_a_precision_of_0_and_is_named() -> None:
    found = evaluate(Labelled(["a", "a", "b"], ["a", "a", "a"]))
    rare = found.figures.labels[1]  # type: ignore[union-attr]
    assert (rare.label, rare.precision.value, rare.recall.value) == ("b", 0.0, 0.0)
    assert any(note.startswith("Never answered: `b`.") for note in found.notes)


def test_one_label_only_has_no_curves_and_says_so() -> None:
    found = evaluate(Labelled(["a"] * 4, ["a", "a", "b", "a"], scores=[0.9, 0.8, 0.4, 0.7]), Options(positive="a"))
    assert "ROC area" not in found.metrics and found.curves is not None and not found.curves.roc
    assert any(note.startswith("Every truth is `a`") for note in found.notes)


@pytest.mark.parametrize(
    ("truth", "given"),
    [
        (["true", "FALSE", "true"], [True, False, True]),
        (["1", "0", "1"], [True, False, True]),
        ([1, 2, 1], [1.0, 2.0, 1.0]),
        (["1.0", "2.0", "1.0"], [1, 2, 1]),
        (["Positive", "Negative", "Positive"], ["positive", "negative", "positive"]),
    ],
)
def test_labels_of_other_kinds_are_compared_by_what_they_mean(truth: list[Any], given: list[Any]) -> None:
    assert value(evaluate(Labelled(truth, given), Options("classification")), "accuracy") == 1.0


def test_labels_that_do_not_meet_are_told_and_not_taken_for_a_bad_model_alone() -> None:
    found = evaluate(Labelled(["good", "bad"], ["LABEL_1", "LABEL_0"]))
    assert value(found, "accuracy") == 0.0
    assert any("No answer is a label of the truth: answers are `LABEL_0`, `LABEL_1`" in note for note in found.notes)


def test_the_score_of_the_answer_is_turned_into_that_of_the_positive_label() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(400) < 0.4
    p = np.clip(truth * 0.3 + rng.random(400) * 0.7, 0, 1)
    given = ["spam" if x >= 0.5 else "ham" for x in p]
    confidence = [max(x, 1 - x) for x in p]
    names = ["spam" if t else "ham" for t in truth]
    found = evaluate(Labelled(names, given, scores=confidence))
    assert guess_score_of(given, confidence, "spam") == "answer"
    assert value(found, "ROC area") == pytest.approx(roc_auc_score(truth, p))
    estimate = found.metrics["ROC area"]
    assert estimate.low is not None and estimate.high is not None
    assert estimate.low < value(found, "ROC area") < estimate.high
    assert found.curves is not None and found.curves.positive == "spam"
    assert sum(bar.rows for bar in found.calibration) == 400


def test_distances_are_of_numbers_and_what_is_none_is_said() -> None:
    found = evaluate(
        Labelled([1.0, "2", 3, "many", 5], [1.5, 2.5, None, 1, 5.5], ["ok", "ok", "error", "ok", "ok"]),
        Options("regression"),
    )
    assert value(found, "MAE") == pytest.approx(0.5) and value(found, "bias") == pytest.approx(0.5)
    assert found.notes == (
        "1 row failed and counts in no distance, for it has none.",
        "1 row has a truth that is no number; left out.",
    )
    with pytest.raises(EvaluationError, match="No truth is a number"):
        evaluate(Labelled(["a", "b"], [1, 2]), Options("regression"))


def test_texts_match_exactly_in_part_or_but_for_case_and_marks() -> None:
    found = evaluate(
        Labelled(["Paris", "Rome", "Oslo", "Bern"], ["Paris", "It is Rome.", "oslo!", None]), Options("text")
    )
    assert [value(found, m) for m in ("exact match", "contains", "normalized match")] == [0.25, 0.5, 0.5]


def test_vectors_find_the_rows_of_their_kind() -> None:
    rng = np.random.default_rng(5)
    kinds = [i % 3 for i in range(60)] + [99]
    vectors: list[Any] = [
        ((np.eye(3)[k % 3] if k < 3 else -np.ones(3)) + rng.normal(0, 0.01, 3)).tolist() for k in kinds
    ]
    found = evaluate(Labelled(kinds, vectors))
    assert (found.kind, value(found, "MRR"), value(found, "hit@1")) == ("retrieval", 1.0, 1.0)
    assert value(found, "recall@5") == pytest.approx(5 / 19)
    assert any("a truth of their own" in n for n in found.notes) or any("1 row has a truth" in n for n in found.notes)
    vectors[0] = None
    assert value(evaluate(Labelled(kinds, vectors)), "MRR") == pytest.approx(59 / 60)


def test_ranked_lists_are_held_against_what_should_be_in_them() -> None:
    found = evaluate(Labelled(["a", "b", ["c", "d"]], [["a", "x"], ["x", "b"], ["x", "y", "c"]]), Options("retrieval"))
    assert value(found, "MRR") == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert value(found, "recall@5") == pytest.approx((1 + 1 + 0.5) / 3)
    with pytest.raises(EvaluationError, match="vectors or ranked lists"):
        evaluate(Labelled(["a"], ["a"]), Options("retrieval"))


def test_slices_add_up_and_follow_columns_and_lengths() -> None:
    truth, given = noisy(300)
    texts = ["x" * (10 if i % 2 else 100) + str(i) for i in range(300)]
    rows = Labelled(truth, given, columns={"language": ["de", "en", "en"] * 100, "text": texts})
    found = evaluate(rows, Options(slices=("language", "text")))
    assert [(s.column, s.value, s.rows) for s in found.slices] == [
        ("language", "en", 200),
        ("language", "de", 100),
        ("length of text", "up to 32 characters", 150),
        ("length of text", "33 to 128 characters", 150),
    ]
    english = [i for i in range(300) if i % 3]
    expected = accuracy_score([truth[i] for i in english], [given[i] for i in english])
    assert found.slices[0].metrics["accuracy"].value == pytest.approx(expected)
    with pytest.raises(EvaluationError, match="Did you mean `language`"):
        evaluate(rows, Options(slices=("langauge",)))


def test_latency_is_of_answered_rows() -> None:
    found = evaluate(Labelled(["a", "b", "a"], ["a", "b", "a"], ["ok", "ok", "timeout"], milliseconds=[10, 20, 9000]))
    assert (found.latency.rows, found.latency.p50, found.latency.longest) == (2, 15.0, 20)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(EvaluationError, match="2 rows have a truth, but `predicted` has 1"):
        Labelled(["a", "b"], ["a"])


def test_groups_of_rows_have_the_spread_of_rows() -> None:
    rows = np.random.default_rng(1).normal(size=(4 * GROUPS, 1))
    spread = (sums(rows)[:, 0] / len(rows)).std()
    assert spread == pytest.approx(rows.std() / len(rows) ** 0.5, rel=0.1)


def test_a_hundred_thousand_rows_take_seconds_not_minutes() -> None:
    truth, given = noisy(100_000)
    begun = time.process_time()
    evaluate(Labelled(truth, given, scores=[0.5] * 100_000))
    assert time.process_time() - begun < 6
