"""Thresholds: what every threshold on a score would have answered, from scores that are there already.

A row is flagged where its score is at least the threshold. Rows without a truth or a score are left out, and counted.
`holds` says whether stored answers were made that way, which is what a sweep without running the model rests on. Pure.

    >>> found = sweep([True, True, False], [0.9, 0.4, 0.3], false_positive=1, false_negative=5)
    >>> [(p.threshold, p.false_positives, p.false_negatives, p.cost) for p in found.points]
    [(0.3, 1, 0, 1), (0.4, 0, 0, 0), (0.9, 0, 1, 5)]
    >>> found.best["cost"].threshold
    0.4
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hfreg.errors import EvaluationError
from hfreg.metrics.bootstrap import Estimate, counts, estimate, ratio
from hfreg.metrics.labelled import number

POINTS = 200
MEASURES = ("precision", "recall", "F1", "cost")
DIGITS = 12


@dataclass(frozen=True, slots=True)
class Costs:
    """What one error of each kind costs."""

    false_positive: float = 1.0
    false_negative: float = 1.0

    def __post_init__(self) -> None:
        for name, cost in (("false positive", self.false_positive), ("false negative", self.false_negative)):
            if not (math.isfinite(cost) and cost >= 0):
                raise EvaluationError(f"The cost of a {name} is {cost}; it has to be a number from 0.")


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold answers; precision is None where nothing is flagged."""

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    precision: float | None
    recall: float
    f1: float
    cost: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """All thresholds that answer differently, at most about POINTS of them; `best` is exact over all."""

    rows: int
    positives: int
    left_out: int
    points: tuple[Point, ...]
    best: dict[str, Point]

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return asdict(self)


def sweep(
    truth: Sequence[bool | None],
    scores: Sequence[Any],
    false_positive: float = 1.0,
    false_negative: float = 1.0,
    least: float = -math.inf,
) -> Sweep:
    """Try every score from `least` as the threshold; raises EvaluationError without both kinds of rows.

    A negative cost is refused as well. Of thresholds that are as good, `best` has the highest.
    """
    costs = Costs(false_positive, false_negative)
    both = known_rows(truth, scores)
    y, s = np.array([t for t, _ in both], dtype=bool), np.array([n for _, n in both], dtype=np.float64)
    require_both_kinds(y.tolist())
    known, place = np.unique(s, return_inverse=True)
    hits, alarms = (np.bincount(place[w], minlength=len(known))[::-1].cumsum()[::-1] for w in (y, ~y))
    positives, first = int(y.sum()), int(np.searchsorted(known, least))
    if first == len(known):
        raise EvaluationError(f"No score is {least:g} or more, so there is no threshold to choose from.")
    worth = {
        "precision": hits / (hits + alarms),
        "recall": hits / positives,
        "F1": 2 * hits / (hits + alarms + positives),
        "cost": -(alarms * costs.false_positive + (positives - hits) * costs.false_negative),
    }
    last = len(known) - 1
    at = {name: last - int(np.argmax(values[first:][::-1])) for name, values in worth.items()}
    shown = {int(i) for i in np.linspace(first, last, min(len(known) - first, POINTS)).round()} | set(at.values())

    def of(i: int) -> Point:
        return point(float(known[i]), int(hits[i]), int(alarms[i]), positives, len(y), costs)

    best = {name: of(i) for name, i in at.items()}
    return Sweep(len(y), positives, len(truth) - len(y), tuple(of(i) for i in sorted(shown)), best)


def point(threshold: float, hits: int, alarms: int, positives: int, rows: int, costs: Costs) -> Point:
    """Return what a threshold answers, from how many rows are flagged rightly (`hits`) and wrongly (`alarms`)."""
    missed, flagged = positives - hits, hits + alarms
    cost = alarms * costs.false_positive + missed * costs.false_negative
    precision = hits / flagged if flagged else None
    f1 = 2 * hits / (2 * hits + alarms + missed) if positives or alarms else 0.0
    recall = hits / positives if positives else 0.0
    return Point(threshold, hits, alarms, missed, rows - positives - alarms, precision, recall, f1, cost)


def count(truth: Sequence[bool], flagged: Sequence[bool], threshold: float, costs: Costs) -> Point:
    """Return what a threshold answers, from which rows it flags."""
    hits = sum(t and f for t, f in zip(truth, flagged, strict=True))
    return point(threshold, hits, sum(flagged) - hits, sum(truth), len(truth), costs)


def intervals(at: Point, costs: Costs) -> dict[str, Estimate]:
    """Return precision, recall, F1 and cost of a point with their 95 % intervals, from resampled rows.

    >>> intervals(point(0.5, 8, 2, 10, 20, Costs()), Costs())["recall"]
    Estimate(value=0.8, low=0.5, high=1.0)
    """
    cells = counts([at.true_positives, at.false_positives, at.false_negatives, at.true_negatives])
    hits, alarms, missed = cells[:, 0], cells[:, 1], cells[:, 2]
    return {
        "precision": estimate(at.precision, ratio(hits, hits + alarms)),
        "recall": estimate(at.recall, ratio(hits, hits + missed)),
        "F1": estimate(at.f1, ratio(2 * hits, 2 * hits + alarms + missed)),
        "cost": estimate(at.cost, alarms * costs.false_positive + missed * costs.false_negative),
    }


def tidy(below: float, score: float) -> float:
    """Return a short number about half way between two scores, which tells them apart as any between them does.

    >>> tidy(0.4183, 0.5172), tidy(0.91234, 0.91251), tidy(-1.0, 0.03)
    (0.5, 0.9124, 0.0)
    """
    middle = below + (score - below) / 2
    for digits in range(DIGITS):
        if below < (found := round(middle, digits)) < score:
            return found + 0.0  # no -0
    return score


def known_rows(truth: Sequence[bool | None], scores: Sequence[Any]) -> list[tuple[bool, float]]:
    """Return truth and score of the rows that have both."""
    return [(t, n) for t, s in zip(truth, scores, strict=True) if t is not None and (n := number(s)) is not None]


def require_both_kinds(truth: Sequence[bool]) -> None:
    """Raise EvaluationError unless some rows are to be flagged and some are not."""
    if not any(truth) or all(truth):
        raise EvaluationError(
            f"Of {len(truth):,} rows with a truth and a score, {sum(truth):,} are to be flagged. It takes both kinds."
        )


def holds(flagged: Sequence[bool], scores: Sequence[Any], threshold: float) -> bool:
    """Say whether every stored answer is what its score and that threshold make of it.

    >>> holds([True, False], [0.5, 0.4], 0.5), holds([True, True], [0.9, 0.4], 0.5)
    (True, False)
    """
    pairs = [(f, number(s)) for f, s in zip(flagged, scores, strict=True)]
    return bool(pairs) and all(n is not None and f == (n >= threshold) for f, n in pairs)
