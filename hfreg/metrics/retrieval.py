"""Retrieval: whether what belongs together is found — recall@k, hit@k and the mean reciprocal rank.

An answer is a vector, and then each row asks for the rows of the same truth, by cosine, itself left out; or it is a
ranked list, and the truth names what should be in it. A row without an answer finds nothing: it counts 0. With vectors,
a row whose truth no other row has cannot find anything and is left out, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfreg.errors import EvaluationError
from hfreg.metrics.bootstrap import RESAMPLES, SEED, Estimate, estimate, ratio, sums
from hfreg.metrics.labelled import label, number

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEPTHS = (1, 5, 10)
QUERIES, CHUNK = 2000, 256


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How it was asked: `queries` of `rows`; `left_out` had nothing to find; `by` is `vectors` or `lists`."""

    by: str
    rows: int
    queries: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Found:
    """What each query found: reciprocal rank, and recall and hit at each of DEPTHS; `places` are its rows."""

    by: str
    places: tuple[int, ...]
    left_out: int
    figures: NDArray[np.float64]


def names() -> tuple[str, ...]:
    """Return the names of the columns of `Found.figures`."""
    return ("MRR", *(f"recall@{k}" for k in DEPTHS), *(f"hit@{k}" for k in DEPTHS))


def retrieval(
    truth: Sequence[Any], given: Sequence[Any], seed: int = SEED, resamples: int = RESAMPLES
) -> tuple[dict[str, Estimate], Retrieval]:
    """Return the figures over all queries."""
    found = find(truth, given, seed)
    return summary(found, seed, resamples), Retrieval(found.by, len(truth), len(found.places), found.left_out)


def summary(found: Found, seed: int = SEED, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return the mean of each figure with its interval."""
    n = len(found.places)
    drawn = sums(np.column_stack([np.ones(n), found.figures]), seed, resamples) if n else np.zeros((2, 8))
    return {
        name: estimate(found.figures[:, i].mean() if n else None, ratio(drawn[:, i + 1], drawn[:, 0]))
        for i, name in enumerate(names())
    }


def find(truth: Sequence[Any], given: Sequence[Any], seed: int = SEED) -> Found:
    """Rank for each row; raises EvaluationError for answers that are neither vectors nor lists."""
    known = [one for one in given if one is not None]
    if not all(isinstance(one, list | tuple) for one in known):
        raise EvaluationError("Retrieval needs answers that are vectors or ranked lists. Measure these as text.")
    vectors = bool(known) and all(one and all(number(x) is not None for x in one[:3]) for one in known)
    return _by_vectors(truth, given, seed) if vectors else _by_lists(truth, given)


def _by_lists(truth: Sequence[Any], given: Sequence[Any]) -> Found:
    figures = []
    for wanted, answer in zip(truth, given, strict=True):
        names_wanted = {label(one) for one in wanted} if isinstance(wanted, list | tuple | set) else {label(wanted)}
        ranks = [i for i, one in enumerate(map(label, answer or ()), 1) if one in names_wanted]
        figures.append(_figures(ranks, len(names_wanted)))
    return Found("lists", tuple(range(len(truth))), 0, np.array(figures).reshape(len(figures), 7))


def _figures(ranks: Sequence[int], wanted: int) -> list[float]:
    within = [sum(rank <= k for rank in ranks) for k in DEPTHS]
    return [1 / ranks[0] if ranks else 0.0, *(n / wanted for n in within), *(float(n > 0) for n in within)]


def _by_vectors(truth: Sequence[Any], given: Sequence[Any], seed: int) -> Found:
    _, kinds, often = np.unique([label(one) for one in truth], return_inverse=True, return_counts=True)
    asking = np.flatnonzero(often[kinds] > 1)
    left_out = len(truth) - len(asking)
    if len(asking) > QUERIES:
        asking = np.sort(np.random.default_rng(seed).choice(asking, QUERIES, replace=False))
    vectors = _unit(given)
    there = np.array([one is not None for one in given], dtype=bool)
    figures = np.zeros((len(asking), 7))
    for first in range(0, len(asking), CHUNK):
        some = asking[first : first + CHUNK]
        near = vectors[some] @ vectors.T
        near[:, ~there] = -np.inf
        near[np.arange(len(some)), some] = -np.inf
        same = (kinds[some][:, None] == kinds[None, :]) & there[None, :]
        same[np.arange(len(some)), some] = False
        figures[first : first + CHUNK] = _ranked(near, same, often[kinds[some]] - 1) * there[some][:, None]
    return Found("vectors", tuple(int(i) for i in asking), left_out, figures)


def _ranked(near: NDArray[Any], same: NDArray[np.bool_], wanted: NDArray[Any]) -> NDArray[np.float64]:
    """Return the figures of queries (rows); `same` says what each looks for. Of what is as near, others come first."""
    best = np.where(same, near, -np.inf).max(axis=1)
    rank = 1 + ((near >= best[:, None]) & ~same & np.isfinite(near)).sum(axis=1)
    reciprocal = np.where(np.isfinite(best), 1 / rank, 0.0)
    depth = min(max(DEPTHS), near.shape[1])
    order = np.lexsort((same, -near), axis=1)[:, :depth] if near.shape[1] <= 2 * depth else _top(near, same, depth)
    found = np.take_along_axis(same, order, axis=1).cumsum(axis=1)
    within = np.column_stack([found[:, min(k, depth) - 1] for k in DEPTHS])
    return np.column_stack([reciprocal, within / wanted[:, None], within > 0])


def _top(near: NDArray[Any], same: NDArray[np.bool_], depth: int) -> NDArray[np.int64]:
    candidates = np.argpartition(-near, 2 * depth, axis=1)[:, : 2 * depth]
    some, are = np.take_along_axis(near, candidates, axis=1), np.take_along_axis(same, candidates, axis=1)
    order = np.lexsort((are, -some), axis=1)[:, :depth]
    return np.take_along_axis(candidates, order, axis=1)


def _unit(given: Sequence[Any]) -> NDArray[np.float32]:
    size = len(next(one for one in given if one is not None))
    out = np.zeros((len(given), size), dtype=np.float32)
    for place, one in enumerate(given):
        if one is not None:
            if len(one) != size:
                raise EvaluationError(f"Vectors differ in length: {size} at first, {len(one)} in row {place + 1}.")
            try:
                out[place] = one
            except (TypeError, ValueError):
                raise EvaluationError(f"The answer of row {place + 1} is no vector of numbers.") from None
    norms = np.linalg.norm(out, axis=1, keepdims=True)
    np.divide(out, norms, out=out, where=norms > 0)
    return out
