"""Evaluation: how good answers are, held against a truth, as one frozen result that is also JSON.

Classification, regression, texts and retrieval, each with 95 % intervals, by slice of any column; latency and errors
always. Nothing is left out silently: `notes` says how rows without a truth, without an answer and with an error were
counted. Pure: it runs no model and reads no file.

    >>> found = evaluate(Labelled(["spam", "ham", "ham"], ["spam", "ham", None], ["ok", "ok", "error"]))
    >>> found.kind, round(found.metrics["accuracy"].value, 2), found.notes[0]
    ('classification', 0.67, '1 row failed and counts as a wrong answer.')
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hfreg.errors import EvaluationError, did_you_mean
from hfreg.metrics import curves as score_curves
from hfreg.metrics.bootstrap import RESAMPLES, SEED, Estimate
from hfreg.metrics.classification import Classification, classification, summary
from hfreg.metrics.curves import Bar, Curves, ScoreOf
from hfreg.metrics.labelled import KINDS, Kind, Labelled, guess_kind, is_missing, labels, number
from hfreg.metrics.matching import matches, shares
from hfreg.metrics.regression import Regression, regression
from hfreg.metrics.regression import summary as distances
from hfreg.metrics.retrieval import Found, Retrieval, find
from hfreg.metrics.retrieval import summary as ranked
from hfreg.metrics.slices import LENGTH, groups, order

__all__ = ["KINDS", "Estimate", "Evaluation", "Kind", "Labelled", "Latency", "Options", "Slice", "evaluate"]

Metrics = dict[str, Estimate]
MOST_SLICES = 30
MAIN: dict[Kind, tuple[str, ...]] = {
    "classification": ("accuracy", "macro F1"),
    "regression": ("MAE", "RMSE"),
    "text": ("exact match", "normalized match"),
    "retrieval": ("MRR", "recall@10"),
}
"""The metrics that a table has room for."""
_FAILED = {
    "classification": "as a wrong answer",
    "text": "as a wrong answer",
    "retrieval": "as one that finds nothing",
    "regression": "in no distance, for it has none",
}


@dataclass(frozen=True, slots=True)
class Latency:
    """How long answered rows took, in milliseconds; None where no row was answered."""

    rows: int
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    longest: float | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one group of a column; `failed` of them have an error."""

    column: str
    value: str
    rows: int
    failed: int
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure, where it is not to be guessed: `positive` is the label that scores are of."""

    kind: Kind | None = None
    positive: str = ""
    score_of: ScoreOf | None = None
    slices: tuple[str, ...] = ()
    seed: int = SEED
    resamples: int = RESAMPLES


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good the answers to `rows` are; `measured` of them have a truth, `by_status` counts how all ended."""

    kind: Kind
    rows: int
    measured: int
    by_status: dict[str, int]
    metrics: Metrics
    figures: Classification | Regression | Retrieval | None
    curves: Curves | None
    calibration: tuple[Bar, ...]
    latency: Latency
    slices: tuple[Slice, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one kind of evaluation found; `of` measures some of the rows again."""

    metrics: Metrics
    of: Callable[[Sequence[int]], Metrics]
    figures: Classification | Regression | Retrieval | None = None
    curves: Curves | None = None
    calibration: tuple[Bar, ...] = ()
    notes: tuple[str, ...] = ()


def evaluate(rows: Labelled, options: Options | None = None) -> Evaluation:
    """Measure answers against their truth; raises EvaluationError where no row has one."""
    options = options or Options()
    with_truth = [i for i, value in enumerate(rows.expected) if not is_missing(value)]
    if not with_truth:
        raise EvaluationError(f"None of {len(rows):,} rows has a truth. Name the column that holds it.")
    known = rows.take(with_truth)
    kind = options.kind or guess_kind(known)
    if kind not in KINDS:
        raise EvaluationError(f"`{kind}` is no kind of evaluation. Known are {', '.join(KINDS)}.")
    found = _MEASURES[kind](known, options)
    status = rows.status or ["ok"] * len(rows)
    return Evaluation(
        kind=kind,
        rows=len(rows),
        measured=len(known),
        by_status=dict(sorted(Counter(status).items())),
        metrics=found.metrics,
        figures=found.figures,
        curves=found.curves,
        calibration=found.calibration,
        latency=latency(rows),
        slices=_slices(known, options, found.of),
        notes=(*_counted(rows, known, kind), *found.notes),
    )


def latency(rows: Labelled) -> Latency:
    """Return how long the answered rows took."""
    took = [ms for i, ms in enumerate(rows.milliseconds) if ms is not None and rows.answered(i)]
    if not took:
        return Latency(0)
    p50, p95, p99 = np.percentile(took, (50, 95, 99))
    return Latency(len(took), float(np.mean(took)), float(p50), float(p95), float(p99), max(took))


def _classes(rows: Labelled, options: Options) -> _Measured:
    truth, given, notes = labels(rows)
    metrics, figures = classification(truth, given, options.seed, options.resamples)
    if len(figures.truths) == 1:
        notes.append(f"Every truth is `{figures.truths[0]}`: nothing is known of how other labels would be answered.")
    never = [f"`{one.label}`" for one in figures.labels if not one.answers]
    if never:
        notes.append(f"Never answered: {', '.join(never[:10])}. The precision of such a label counts as 0.")
    shape: Curves | None = None
    bars: tuple[Bar, ...] = ()
    if len(rows.scores):
        found, shape, bars, said = _scored(rows, truth, given, options)
        metrics, notes = {**metrics, **found}, notes + said

    def of(places: Sequence[int]) -> Metrics:
        return summary([truth[i] for i in places], [given[i] for i in places], None, options.seed, options.resamples)

    return _Measured(metrics, of, figures, shape, bars, tuple(notes))


def _scored(
    rows: Labelled, truth: list[str], given: list[str], options: Options
) -> tuple[Metrics, Curves | None, tuple[Bar, ...], list[str]]:
    known = sorted(set(truth))
    positive = options.positive
    if positive and positive not in known:
        raise EvaluationError(f"No truth is `{positive}`.{did_you_mean(positive, known)}")
    scores = [s if rows.answered(i) else None for i, s in enumerate(rows.scores)]
    if len(known) != 2 and not positive:
        right = [t == g for t, g in zip(truth, given, strict=True)]
        found, bars = score_curves.confidence(right, scores)
        said = ["Scores are taken for the confidence of the answer; name a positive label for curves."] if bars else []
        return found, None, bars, said
    positive = positive or score_curves.guess_positive(truth)
    score_of = options.score_of or score_curves.guess_score_of(given, scores, positive)
    of = score_curves.of_positive(given, scores, positive, known, score_of)
    found, shape = score_curves.curves(truth, of, positive, options.seed, options.resamples)
    whose = "the label that was answered" if score_of == "answer" else f"`{positive}`"
    said = [f"Scores are taken for those of {whose}; curves are of `{positive}` over {shape.rows:,} rows."]
    if shape.left_out:
        said.append(f"{_rows(shape.left_out, 'has', 'have')} no score of `{positive}` and are not in the curves.")
    return found, shape, shape.calibration, said


def _numbers(rows: Labelled, options: Options) -> _Measured:
    pairs = [(number(t), number(p)) for t, p in zip(rows.expected, rows.predicted, strict=True)]
    both = {i: (t, p) for i, (t, p) in enumerate(pairs) if t is not None and p is not None and rows.answered(i)}
    no_number = sum(t is None for t, _ in pairs)
    if no_number == len(pairs):
        raise EvaluationError("No truth is a number, so no distance can be measured. Choose another kind.")
    metrics, figures = regression(
        [t for t, _ in both.values()], [p for _, p in both.values()], options.seed, options.resamples
    )
    notes = [f"{_rows(no_number, 'has', 'have')} a truth that is no number; left out."] if no_number else []
    missing = sum(p is None and t is not None and rows.answered(i) for i, (t, p) in enumerate(pairs))
    if missing:
        notes.append(f"{_rows(missing, 'has', 'have')} an answer that is no number, in no distance; left out.")

    def of(places: Sequence[int]) -> Metrics:
        some = [both[i] for i in places if i in both]
        return distances([t for t, _ in some], [p for _, p in some], options.seed, options.resamples) if some else {}

    return _Measured(metrics, of, figures, notes=tuple(notes))


def _texts(rows: Labelled, options: Options) -> _Measured:
    given = [str(p) if rows.answered(i) and p is not None else None for i, p in enumerate(rows.predicted)]
    found = matches([str(value) for value in rows.expected], given)

    def of(places: Sequence[int]) -> Metrics:
        some = {name: [values[i] for i in places] for name, values in found.items()}
        return shares(some, options.seed, options.resamples)

    return _Measured(of(range(len(rows))), of)


def _rankings(rows: Labelled, options: Options) -> _Measured:
    given = [p if rows.answered(i) else None for i, p in enumerate(rows.predicted)]
    found = find(rows.expected, given, options.seed)
    figures = Retrieval(found.by, len(rows), len(found.places), found.left_out)
    notes = []
    if found.left_out:
        notes.append(f"{_rows(found.left_out, 'has', 'have')} a truth of their own, so nothing to find; left out.")
    if len(found.places) + found.left_out < len(rows):
        notes.append(f"{len(found.places):,} rows, drawn by chance, were asked for; all were looked through.")

    def of(places: Sequence[int]) -> Metrics:
        wanted = set(places)
        at = [i for i, place in enumerate(found.places) if place in wanted]
        some = Found(found.by, tuple(found.places[i] for i in at), 0, found.figures[at])
        return ranked(some, options.seed, options.resamples)

    return _Measured(ranked(found, options.seed, options.resamples), of, figures, notes=tuple(notes))


def _slices(rows: Labelled, options: Options, of: Callable[[Sequence[int]], Metrics]) -> tuple[Slice, ...]:
    found: list[Slice] = []
    for name in options.slices:
        column = name if name in rows.columns else name.removeprefix(LENGTH)
        if column not in rows.columns:
            raise EvaluationError(f"There is no column `{name}` to slice by.{did_you_mean(column, rows.columns)}")
        called, group = groups(name, rows.columns[column])
        places: dict[str, list[int]] = {}
        for place, one in enumerate(group):
            places.setdefault(one, []).append(place)
        for one in order(group)[:MOST_SLICES]:
            failed = sum(not rows.answered(i) for i in places[one])
            found.append(Slice(called, one, len(places[one]), failed, of(places[one])))
    return tuple(found)


def _counted(rows: Labelled, known: Labelled, kind: Kind) -> list[str]:
    """Say how rows were counted that have no truth, an error, or no answer."""
    said = []
    failed = sum(not known.answered(i) for i in range(len(known)))
    nothing = sum(known.answered(i) and value is None for i, value in enumerate(known.predicted))
    if failed:
        said.append(f"{_rows(failed, 'failed and counts', 'failed and count')} {_FAILED[kind]}.")
    if nothing and kind != "regression":
        said.append(f"{_rows(nothing, 'answered None and counts', 'answered None and count')} {_FAILED[kind]}.")
    if missing := len(rows) - len(known):
        said.append(f"{_rows(missing, 'has', 'have')} no truth; in no figure but errors and latency.")
    return said


def _rows(count: int, one: str, several: str) -> str:
    return f"{count:,} row {one}" if count == 1 else f"{count:,} rows {several}"


_MEASURES: dict[Kind, Callable[[Labelled, Options], _Measured]] = {
    "classification": _classes,
    "regression": _numbers,
    "text": _texts,
    "retrieval": _rankings,
}
