"""Thresholds: what every threshold on a score would have answered, from scores that are there already.

A row is flagged where its score is at least the threshold. Rows without a truth or a score are left out, and counted.
`holds` says whether stored answers were made that way, which is what a sweep without running the model rests on. Pure.

    >>> found = sweep([True, True, False], [0.9, 0.4, 0.3], false_alarm=1, miss=5)
    >>> [(p.threshold, p.false_alarms, p.misses, p.cost) for p in found.points]
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
from hfreg.metrics.labelled import number

POINTS = 200
MEASURES = ("precision", "recall", "F1", "cost")


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold answers."""

    threshold: float
    hits: int
    false_alarms: int
    misses: int
    precision: float
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


def sweep(truth: Sequence[bool | None], scores: Sequence[Any], false_alarm: float = 1.0, miss: float = 1.0) -> Sweep:
    """Try every score as the threshold; raises EvaluationError without both kinds of rows, or for a negative cost.

    Of thresholds that are as good, `best` has the highest.
    """
    for name, cost in (("false alarm", false_alarm), ("miss", miss)):
        if not (math.isfinite(cost) and cost >= 0):
            raise EvaluationError(f"The cost of a {name} is {cost}; it has to be a number from 0.")
    both = [(t, n) for t, s in zip(truth, scores, strict=True) if t is not None and (n := number(s)) is not None]
    y, s = np.array([t for t, _ in both], dtype=bool), np.array([n for _, n in both], dtype=np.float64)
    if not y.any() or y.all():
        raise EvaluationError(
            f"Of {len(y):,} rows with a truth and a score, {int(y.sum()):,} are to be flagged. It takes both kinds."
        )
    known, place = np.unique(s, return_inverse=True)
    hits, alarms = (np.bincount(place[w], minlength=len(known))[::-1].cumsum()[::-1] for w in (y, ~y))
    positives = int(y.sum())

    def point(i: int) -> Point:
        h, a, m = int(hits[i]), int(alarms[i]), positives - int(hits[i])
        f1, cost = 2 * h / (2 * h + a + m), a * false_alarm + m * miss
        return Point(float(known[i]), h, a, m, h / (h + a), h / positives, f1, cost)

    worth = {
        "precision": hits / (hits + alarms),
        "recall": hits / positives,
        "F1": 2 * hits / (hits + alarms + positives),
        "cost": -(alarms * false_alarm + (positives - hits) * miss),
    }
    last = len(known) - 1
    at = {name: last - int(np.argmax(values[::-1])) for name, values in worth.items()}
    shown = {int(i) for i in np.linspace(0, last, min(len(known), POINTS)).round()} | set(at.values())
    best = {name: point(i) for name, i in at.items()}
    return Sweep(len(y), positives, len(truth) - len(y), tuple(point(i) for i in sorted(shown)), best)


def holds(flagged: Sequence[bool], scores: Sequence[Any], threshold: float) -> bool:
    """Say whether every stored answer is what its score and that threshold make of it.

    >>> holds([True, False], [0.5, 0.4], 0.5), holds([True, True], [0.9, 0.4], 0.5)
    (True, False)
    """
    pairs = [(f, number(s)) for f, s in zip(flagged, scores, strict=True)]
    return bool(pairs) and all(n is not None and f == (n >= threshold) for f, n in pairs)
