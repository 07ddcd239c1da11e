"""Two and more runs over the same rows: differences with paired intervals, tests, disagreements."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hfreg.errors import EvaluationError
from hfreg.metrics.comparison import compare, mcnemar
from hfreg.metrics.evaluation import Labelled, Options


def runs(n: int = 600) -> dict[str, Labelled]:
    rng = np.random.default_rng(2)
    truth = rng.choice(["ham", "spam"], n)
    champion = np.where(rng.random(n) < 0.7, truth, "ham")
    challenger = np.where(rng.random(n) < 0.6, truth, champion)  # right wherever the champion is, and more often
    return {
        "champion": Labelled(truth.tolist(), champion.tolist()),
        "challenger": Labelled(truth.tolist(), challenger.tolist()),
    }


def test_a_paired_difference_is_that_of_the_metrics_and_its_interval_is_narrower_than_theirs() -> None:
    found = compare(runs())
    first, second = (one.metrics["accuracy"] for one in found.evaluations)
    apart = found.pairs[0].differences["accuracy"]
    assert first.value and second.value and first.low and first.high and second.low and second.high
    assert apart.value == pytest.approx(second.value - first.value) and apart.low and apart.high
    assert 0 < apart.low < apart.value < apart.high
    assert apart.high - apart.low < (first.high - first.low) + (second.high - second.low)
    f1 = [one.metrics["macro F1"].value or 0 for one in found.evaluations]
    assert found.pairs[0].differences["macro F1"].value == pytest.approx(f1[1] - f1[0])
    json.dumps(found.as_json(), allow_nan=False)


def test_mcnemar_is_exact_for_few_rows_and_near_it_for_many() -> None:
    found = mcnemar([True] * 2 + [False] * 8, [False] * 2 + [True] * 8)
    assert (found.only_champion, found.only_challenger, found.exact) == (2, 8, True)
    assert found.p == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert mcnemar([True], [True]).p == 1.0
    many = mcnemar([True] * 560 + [False] * 640, [False] * 560 + [True] * 640)
    assert not many.exact and many.p == pytest.approx(0.0226, abs=0.002)


def test_disagreements_name_row_truth_and_answers_and_errors_are_none() -> None:
    one = Labelled(["a", None, "b", "b"], ["a", "a", "b", "b"])
    two = Labelled(["a", None, "b", "b"], ["a", "b", "a", "b"], ["ok", "ok", "ok", "error"])
    found = compare({"one": one, "two": two})
    assert [(d.row, d.expected, d.answers) for d in found.disagreements] == [
        (2, "b", ("b", "a")),
        (3, "b", ("b", None)),
    ]
    assert found.pairs[0].test is not None and found.pairs[0].test.only_champion == 2


def test_distances_and_texts_and_ranks_are_compared_too() -> None:
    y = [1.0, 2.5, 3.0, 4.0]
    found = compare(
        {"a": Labelled(y, [v + 1 for v in y]), "b": Labelled(y, [v + 0.5 for v in y])}, Options("regression")
    )
    assert found.pairs[0].differences["MAE"].value == pytest.approx(-0.5) and found.pairs[0].test is None
    t = ["x", "y"]
    texts = compare({"a": Labelled(t, ["x", "z"]), "b": Labelled(t, ["X", "y"])}, Options("text"))
    assert texts.pairs[0].differences["normalized match"].value == 0.5
    lists = compare({"a": Labelled(t, [["q", "x"], ["y"]]), "b": Labelled(t, [["x"], ["y"]])}, Options("retrieval"))
    assert lists.pairs[0].differences["MRR"].value == pytest.approx(0.25)


def test_runs_over_other_rows_and_a_single_run_are_refused() -> None:
    with pytest.raises(EvaluationError, match="b was not run over the same rows as a"):
        compare({"a": Labelled(["x"], ["x"]), "b": Labelled(["y"], ["x"])})
    with pytest.raises(EvaluationError, match="at least two"):
        compare({"a": Labelled(["x"], ["x"])})
