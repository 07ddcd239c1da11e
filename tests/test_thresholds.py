"""A sweep over stored scores against a slow count, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from hfreg.errors import EvaluationError
from hfreg.metrics.thresholds import sweep


def test_every_point_is_what_a_slow_count_finds_and_the_best_are_best_over_all_scores() -> None:
    rng = np.random.default_rng(4)
    truth = (rng.random(800) < 0.3).tolist()
    scores = [round(float(x), 3) for x in np.clip(np.array(truth) * 0.3 + rng.random(800) * 0.7, 0, 1)]
    found = sweep(truth, scores, false_positive=2, false_negative=7)
    costs = []
    for threshold in sorted(set(scores)):
        alarms = sum(s >= threshold and not t for t, s in zip(truth, scores, strict=True))
        misses = sum(s < threshold and t for t, s in zip(truth, scores, strict=True))
        costs.append(2 * alarms + 7 * misses)
        for point in (p for p in found.points if p.threshold == threshold):
            assert (point.false_positives, point.false_negatives, point.cost) == (alarms, misses, costs[-1])
            assert point.true_positives == sum(truth) - misses
            assert point.recall == pytest.approx(1 - misses / sum(truth))
    assert found.best["cost"].cost == min(costs)
    assert found.best["recall"].recall == 1.0 and found.best["F1"].f1 == max(p.f1 for p in found.points)
    assert len(found.points) <= 204


def test_rows_without_truth_or_score_are_counted_as_left_out() -> None:
    found = sweep([True, None, False, True], [0.9, 0.5, 0.1, None])
    assert (found.rows, found.positives, found.left_out) == (2, 1, 2)


def test_one_kind_of_rows_and_a_cost_below_nothing_are_refused() -> None:
    with pytest.raises(EvaluationError, match="Of 2 rows with a truth and a score, 2 are to be flagged"):
        sweep([True, True], [0.1, 0.2])
    with pytest.raises(EvaluationError, match="The cost of a false negative is -1"):
        sweep([True, False], [0.1, 0.2], false_negative=-1)
