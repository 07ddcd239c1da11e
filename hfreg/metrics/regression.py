"""Regression: how far numbers are from the truth, with 95 % intervals.

A row without a number has no distance, so it is in none of these figures; how many rows that is, is said beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hfreg.metrics.bootstrap import RESAMPLES, SEED, Estimate, estimate, ratio, sums

POINTS = 500


@dataclass(frozen=True, slots=True)
class Regression:
    """Rows that have both numbers; `points` are (truth, answer) of at most POINTS of them, spread over the table."""

    rows: int
    points: tuple[tuple[float, float], ...]


def regression(
    truth: Sequence[float], given: Sequence[float], seed: int = SEED, resamples: int = RESAMPLES
) -> tuple[dict[str, Estimate], Regression]:
    """Return the mean and median absolute error, RMSE, R² and bias (answer less truth)."""
    y, p = np.array(truth, dtype=np.float64), np.array(given, dtype=np.float64)
    if not len(y):
        return {name: Estimate(None) for name in ("MAE", "RMSE", "R²", "bias", "median error")}, Regression(0, ())
    keep = np.unique(np.linspace(0, len(y) - 1, min(len(y), POINTS)).round().astype(np.int64))
    metrics = {**summary(y, p, seed, resamples), "median error": _median(y, p)}
    return metrics, Regression(len(y), tuple((float(y[i]), float(p[i])) for i in keep))


def summary(
    truth: Sequence[float] | np.ndarray,
    given: Sequence[float] | np.ndarray,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Return MAE, RMSE, R² and bias with their intervals."""
    from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score  # type: ignore[import-untyped]

    y, p = np.asarray(truth, dtype=np.float64), np.asarray(given, dtype=np.float64)
    error, centred = p - y, y - y.mean()  # centred, so that squares of large numbers keep their digits
    n, absolute, squares, ys, y2, bias = sums(
        np.column_stack([np.ones(len(y)), abs(error), error**2, centred, centred**2, error]), seed, resamples
    ).T
    spread = y2 - ratio(ys**2, n)
    with_spread = len(y) > 1 and bool(np.ptp(y) > 0)
    return {
        "MAE": estimate(mean_absolute_error(y, p), ratio(absolute, n)),
        "RMSE": estimate(mean_squared_error(y, p) ** 0.5, ratio(squares, n) ** 0.5),
        "R²": estimate(r2_score(y, p), 1 - ratio(squares, spread)) if with_spread else Estimate(None),
        "bias": estimate(error.mean(), ratio(bias, n)),
    }


def _median(y: np.ndarray, p: np.ndarray) -> Estimate:
    from sklearn.metrics import median_absolute_error

    return estimate(median_absolute_error(y, p))
