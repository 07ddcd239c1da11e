"""Curves: how well scores tell one label from the rest — ROC and precision–recall with their areas, calibration.

Scores may be given of the positive label, or of whichever label was answered (as `confidence` often is); with two
labels the second kind is turned into the first. Rows without a score are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hfreg.metrics.bootstrap import RESAMPLES, SEED, Estimate, counts, estimate, ratio
from hfreg.metrics.labelled import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hfreg.metrics.bootstrap import Floats, Ints

ScoreOf = Literal["positive", "answer"]
POINTS, BINS, CELLS = 200, 10, 500
POSITIVE = (
    "true",
    "1",
    "yes",
    "positive",
    "pos",
    "spam",
    "injection",
    "unsafe",
    "toxic",
    "flagged",
    "fraud",
    "label_1",
)
"""Labels that are likely the one that somebody looks for."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Rows whose score fell between `low` and `high`: their mean score, and the share that was right."""

    low: float
    high: float
    rows: int
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Curves:
    """What scores of `positive` show over `rows`; each curve is (x, y) points, thinned, from one end to the other.

    `roc` is false-alarm rate and recall, `pr` recall and precision. Empty where the rows have one label only.
    """

    positive: str
    rows: int
    left_out: int
    roc: tuple[tuple[float, float], ...] = ()
    pr: tuple[tuple[float, float], ...] = ()
    calibration: tuple[Bar, ...] = ()


def guess_positive(truth: Sequence[str]) -> str:
    """Guess which of two labels is looked for: by its name, else the rarer one."""
    known = sorted(set(truth))
    named = [one for one in known if one.casefold() in POSITIVE]
    return named[0] if named else min(known, key=lambda one: (truth.count(one), one))


def guess_score_of(given: Sequence[str], scores: Sequence[Any], positive: str) -> ScoreOf:
    """Guess whose score it is: the answer's when other answers than `positive` have high ones too."""
    others = [s for g, s in zip(given, scores, strict=True) if g != positive and isinstance(s, int | float)]
    return "answer" if others and sum(s >= 0.5 for s in others) > len(others) / 2 else "positive"


def of_positive(
    given: Sequence[str], scores: Sequence[Any], positive: str, labels: Sequence[str], score_of: ScoreOf
) -> list[float | None]:
    """Return the score of `positive` for each row, None where it cannot be told."""

    def told(answer: str, score: Any) -> float | None:
        if isinstance(score, Mapping):
            return number(score.get(positive))
        found = number(score)
        if found is None or score_of == "positive" or answer == positive:
            return found
        return 1 - found if len(labels) == 2 and answer in labels else None

    return [told(answer, score) for answer, score in zip(given, scores, strict=True)]


def curves(
    truth: Sequence[str], scores: Sequence[float | None], positive: str, seed: int = SEED, resamples: int = RESAMPLES
) -> tuple[dict[str, Estimate], Curves]:
    """Return the areas under both curves with the Brier score, and the curves."""
    from sklearn.metrics import (  # type: ignore[import-untyped]
        average_precision_score,
        precision_recall_curve,
        roc_auc_score,
        roc_curve,
    )

    kept = [i for i, score in enumerate(scores) if score is not None]
    y = np.array([truth[i] == positive for i in kept], dtype=bool)
    s = np.array([scores[i] for i in kept], dtype=np.float64)
    left_out = len(scores) - len(kept)
    if not len(y) or y.all() or not y.any():
        return {}, Curves(positive, len(y), left_out)
    roc = roc_curve(y, s)
    precision, recall, _ = precision_recall_curve(y, s)
    areas, precisions = _areas(y, s, seed, resamples)
    metrics = {
        "ROC area": estimate(roc_auc_score(y, s), areas),
        "average precision": estimate(average_precision_score(y, s), precisions),
    }
    bars: tuple[Bar, ...] = ()
    if s.min() >= 0 and s.max() <= 1:  # else they are no probabilities
        bars = calibration(y, s)
        metrics["Brier score"] = estimate(((s - y) ** 2).mean())
        metrics["calibration error"] = estimate(calibration_error(bars))
    return metrics, Curves(positive, len(y), left_out, _thin(roc[0], roc[1]), _thin(recall, precision), bars)


def confidence(right: Sequence[bool], scores: Sequence[Any]) -> tuple[dict[str, Estimate], tuple[Bar, ...]]:
    """Return how far the score of an answer says how often it is right, for any number of labels."""
    known = [(r, n) for r, s in zip(right, scores, strict=True) if (n := number(s)) is not None and 0 <= n <= 1]
    if not known:
        return {}, ()
    bars = calibration(np.array([r for r, _ in known], dtype=bool), np.array([n for _, n in known]))
    return {"calibration error": estimate(calibration_error(bars))}, bars


def calibration(y: NDArray[np.bool_], s: Floats) -> tuple[Bar, ...]:
    """Return how often rows were right, by score, in ten bins of one width; empty ones are left out."""
    place = np.minimum((s * BINS).astype(np.int64), BINS - 1)
    rows = np.bincount(place, minlength=BINS)
    score, share = (ratio(np.bincount(place, weights=w, minlength=BINS), rows) for w in (s, y.astype(float)))
    return tuple(
        Bar(i / BINS, (i + 1) / BINS, int(rows[i]), float(score[i]), float(share[i])) for i in range(BINS) if rows[i]
    )


def calibration_error(bars: Sequence[Bar]) -> float:
    """Return the mean distance of score and share, each bin by its rows."""
    return sum(b.rows * abs(b.score - b.share) for b in bars) / sum(b.rows for b in bars)


def _areas(y: NDArray[np.bool_], s: Floats, seed: int, resamples: int) -> tuple[Floats, Floats]:
    """Return both areas of resampled rows; scores of more than CELLS different values are put into as many bins."""
    edges = np.unique(s if len(s) <= CELLS else np.quantile(s, np.linspace(0, 1, CELLS + 1)))
    place = np.searchsorted(edges, s, side="right") - 1
    cells = np.concatenate([np.bincount(place[which], minlength=len(edges)) for which in (y, ~y)])
    drawn = counts(cells, seed, resamples)
    hits, alarms = drawn[:, : len(edges)][:, ::-1], drawn[:, len(edges) :][:, ::-1]  # the highest scores first
    return _roc_area(hits, alarms), _average_precision(hits, alarms)


def _roc_area(hits: Ints, alarms: Ints) -> Floats:
    above = hits.cumsum(axis=1) - hits / 2
    return ratio((above * alarms).sum(axis=1), hits.sum(axis=1) * alarms.sum(axis=1))


def _average_precision(hits: Ints, alarms: Ints) -> Floats:
    found = hits.cumsum(axis=1)
    precision = np.nan_to_num(ratio(found, found + alarms.cumsum(axis=1)))
    return ratio((precision * hits).sum(axis=1), hits.sum(axis=1))


def _thin(x: Any, y: Any) -> tuple[tuple[float, float], ...]:
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(np.int64))
    return tuple((float(x[i]), float(y[i])) for i in keep)
