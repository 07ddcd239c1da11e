"""Comparison: several models' answers to the same rows — what each is worth, and whether the difference is by chance.

The first run is the champion; every other is held against it, row by row: the differences of its metrics with paired
95 % intervals, McNemar's test where a row is right or wrong, and the rows on which they disagree. Pure.

    >>> truth = ["a", "b"] * 6
    >>> runs = {"old": Labelled(truth, ["a"] * 12), "new": Labelled(truth, truth)}
    >>> pair = compare(runs).pairs[0]
    >>> pair.test.only_challenger, round(pair.test.p, 3), pair.differences["accuracy"].value
    (6, 0.031, 0.5)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hfreg.errors import EvaluationError
from hfreg.metrics import retrieval as ranking
from hfreg.metrics.bootstrap import Estimate, counts, estimate, ratio, sums
from hfreg.metrics.classification import Cells, mean, rates
from hfreg.metrics.evaluation import Evaluation, Labelled, Options, evaluate
from hfreg.metrics.labelled import Kind, guess_kind, is_missing, labels, number
from hfreg.metrics.matching import matches

EXACT_UP_TO = 1000
KEPT = 500


@dataclass(frozen=True, slots=True)
class McNemar:
    """Rows that one of two got right alone; `p` is how likely such a split is by chance, `exact` whether counted."""

    only_champion: int
    only_challenger: int
    p: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """A challenger against the champion: `differences` are its metrics less those of the champion."""

    champion: str
    challenger: str
    differences: dict[str, Estimate]
    test: McNemar | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One row, counted from 0, that was not answered alike; an answer is None where there was an error."""

    row: int
    expected: Any
    answers: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What runs over the same rows are worth beside each other; at most KEPT of `disagreeing` rows are held."""

    names: tuple[str, ...]
    evaluations: tuple[Evaluation, ...]
    pairs: tuple[Pair, ...]
    disagreeing: int
    disagreements: tuple[Disagreement, ...]

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return asdict(self)


def compare(runs: Mapping[str, Labelled], options: Options | None = None) -> Comparison:
    """Compare runs, the champion first; raises EvaluationError unless all have the same rows."""
    options = options or Options()
    names = list(runs)
    if len(names) < 2:
        raise EvaluationError("A comparison needs at least two runs.")
    first = runs[names[0]]
    for name in names[1:]:
        if list(map(_key, runs[name].expected)) != list(map(_key, first.expected)):
            raise EvaluationError(f"{name} was not run over the same rows as {names[0]}: their truths differ.")
    kept = [i for i, value in enumerate(first.expected) if not is_missing(value)]
    known = [runs[name].take(kept) for name in names]
    kind = options.kind or guess_kind(known[0])
    options = Options(kind, options.positive, options.score_of, options.slices, options.seed, options.resamples)
    found = tuple(evaluate(runs[name], options) for name in names)
    pairs = tuple(
        Pair(names[0], name, *_PAIRED[kind](known[0], one, options))
        for name, one in zip(names[1:], known[1:], strict=True)
    )
    apart = _disagreements(known, kept, kind)
    return Comparison(tuple(names), found, pairs, len(apart), tuple(apart[:KEPT]))


def mcnemar(champion: Sequence[bool], challenger: Sequence[bool]) -> McNemar:
    """Test whether two got equally many rows right: exactly for up to 1,000 rows apart, else by chi-square.

    >>> mcnemar([True] * 5 + [False], [True] * 6)
    McNemar(only_champion=0, only_challenger=1, p=1.0, exact=True)
    """
    pairs = list(zip(champion, challenger, strict=True))
    b, c = sum(a and not z for a, z in pairs), sum(z and not a for a, z in pairs)
    n = b + c
    if n <= EXACT_UP_TO:
        return McNemar(b, c, min(1.0, 2 * sum(math.comb(n, k) for k in range(min(b, c) + 1)) / 2**n), True)
    return McNemar(b, c, math.erfc(math.sqrt((abs(b - c) - 1) ** 2 / n / 2)), False)


def _labels(a: Labelled, b: Labelled, options: Options) -> tuple[dict[str, Estimate], McNemar]:
    both = Labelled([*a.expected, *b.expected], [*a.predicted, *b.predicted], [*_status(a), *_status(b)])
    truths, given, _ = labels(both)  # of both at once, so that they are written alike
    n = len(a)
    truth, first, second = truths[:n], given[:n], given[n:]
    classes = sorted(set(truth))
    names = (*classes, *sorted(set(given) - set(classes)))
    place = {name: i for i, name in enumerate(names)}
    coded = np.array([[place[x] for x in row] for row in zip(truth, first, second, strict=True)], dtype=np.int64)
    kinds, often = np.unique(coded, axis=0, return_counts=True)
    drawn = counts(often, options.seed, options.resamples)
    points: list[tuple[Any, ...]] = []
    spreads: list[tuple[Any, ...]] = []
    for of in (Cells(names, len(classes), kinds[:, 0], kinds[:, which], often) for which in (1, 2)):
        right = of.truth == of.answer
        for into, rows in ((points, often[None, :]), (spreads, drawn)):
            share = ratio(rows[:, right].sum(axis=1), rows.sum(axis=1))
            into.append((share, *(mean(rate) for rate in rates(of, rows))))
    called = ("accuracy", "macro precision", "macro recall", "macro F1")
    found = {
        name: estimate((points[1][i] - points[0][i])[0], spreads[1][i] - spreads[0][i]) for i, name in enumerate(called)
    }
    rights = ([t == g for t, g in zip(truth, one, strict=True)] for one in (first, second))
    return found, mcnemar(*rights)


def _numbers(a: Labelled, b: Labelled, options: Options) -> tuple[dict[str, Estimate], None]:
    rows = [
        (p - t, q - t)
        for i, truth in enumerate(a.expected)
        if (t := number(truth)) is not None
        and a.answered(i)
        and b.answered(i)
        and (p := number(a.predicted[i])) is not None
        and (q := number(b.predicted[i])) is not None
    ]
    if not rows:
        return {"MAE": Estimate(None), "RMSE": Estimate(None)}, None
    errors = np.array(rows)
    table = np.column_stack([np.ones(len(errors)), abs(errors), errors**2])
    drawn = sums(table, options.seed, options.resamples)

    def differences(of: Any) -> tuple[Any, Any]:
        n, a1, b1, a2, b2 = of.T
        return ratio(b1 - a1, n), ratio(b2, n) ** 0.5 - ratio(a2, n) ** 0.5

    points, spreads = differences(table.sum(axis=0)[None, :]), differences(drawn)
    return {name: estimate(points[i][0], spreads[i]) for i, name in enumerate(("MAE", "RMSE"))}, None


def _texts(a: Labelled, b: Labelled, options: Options) -> tuple[dict[str, Estimate], McNemar]:
    first, second = (matches([str(t) for t in a.expected], _given(one)) for one in (a, b))
    found = {name: _shares(first[name], second[name], options) for name in first}
    return found, mcnemar(first["normalized match"], second["normalized match"])


def _shares(first: Sequence[bool], second: Sequence[bool], options: Options) -> Estimate:
    lost = sum(x and not y for x, y in zip(first, second, strict=True))
    won = sum(y and not x for x, y in zip(first, second, strict=True))
    drawn = counts([won, lost, len(first) - won - lost], options.seed, options.resamples)
    return estimate((won - lost) / len(first), ratio(drawn[:, 0] - drawn[:, 1], len(first)))


def _rankings(a: Labelled, b: Labelled, options: Options) -> tuple[dict[str, Estimate], None]:
    first, second = (
        ranking.find(one.expected, [p if one.answered(i) else None for i, p in enumerate(one.predicted)], options.seed)
        for one in (a, b)
    )
    apart = ranking.Found(first.by, first.places, first.left_out, second.figures - first.figures)
    return ranking.summary(apart, options.seed, options.resamples), None


def _disagreements(runs: Sequence[Labelled], places: Sequence[int], kind: Kind) -> list[Disagreement]:
    """List the rows that were not answered alike; of numbers, those first that are farthest apart."""
    if kind == "retrieval":
        return []
    given = [
        _given(run) if kind == "text" else [p if run.answered(i) else None for i, p in enumerate(run.predicted)]
        for run in runs
    ]
    found = [
        Disagreement(places[i], runs[0].expected[i], answers)
        for i, answers in enumerate(zip(*given, strict=True))
        if len({_key(one) for one in answers}) > 1
    ]
    return sorted(found, key=_apart, reverse=True) if kind == "regression" else found


def _apart(row: Disagreement) -> float:
    known = [n for one in row.answers if (n := number(one)) is not None]
    return max(known) - min(known) if len(known) == len(row.answers) else math.inf


def _given(run: Labelled) -> list[str | None]:
    return [str(p) if run.answered(i) and p is not None else None for i, p in enumerate(run.predicted)]


def _status(run: Labelled) -> Sequence[str]:
    return run.status or ["ok"] * len(run)


def _key(value: Any) -> str:
    return repr(value)


_PAIRED: dict[Kind, Callable[[Labelled, Labelled, Options], tuple[dict[str, Estimate], McNemar | None]]] = {
    "classification": _labels,
    "regression": _numbers,
    "text": _texts,
    "retrieval": _rankings,
}
