"""Classification: how often labels are right, for each label and over all, with 95 % intervals.

A row without an answer counts as a wrong one: it is a miss of its label (recall) and a false alarm of none (precision).
Macro means are over the labels that occur in the truth; an answer that is no such label, `uncertain` say, is wrong.
Point figures come from scikit-learn; intervals from resampled cells of the confusion matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hfreg.errors import EvaluationError
from hfreg.metrics.bootstrap import RESAMPLES, SEED, Estimate, counts, estimate, ratio
from hfreg.metrics.labelled import FAILED, NOTHING

if TYPE_CHECKING:
    from hfreg.metrics.bootstrap import Floats, Ints

TOO_MANY = 1000


@dataclass(frozen=True, slots=True)
class Label:
    """One label: `rows` have it in the truth, `answers` were it."""

    label: str
    rows: int
    answers: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


@dataclass(frozen=True, slots=True)
class Classification:
    """What became of labels; `matrix[i][j]` counts rows of the truth `truths[i]` that were answered `answers[j]`."""

    truths: tuple[str, ...]
    answers: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """The kinds of rows there are: `truth[i]`, `answer[i]` (places in `names`) occurred `often[i]` times."""

    names: tuple[str, ...]
    classes: int
    truth: Ints
    answer: Ints
    often: Ints


def cells(truth: Sequence[str], given: Sequence[str]) -> Cells:
    """Count the pairs of truth and answer; the labels of the truth come first in `names`, in order."""
    classes = sorted(set(truth))
    if len(classes) > TOO_MANY:
        raise EvaluationError(
            f"The truth has {len(classes):,} different labels, so it is no classification. Measure it as text."
        )
    others = sorted(set(given) - set(classes), key=lambda one: (one in (NOTHING, FAILED), one))
    names = (*classes, *others)
    place = {name: i for i, name in enumerate(names)}
    pairs = np.fromiter((place[t] * len(names) + place[g] for t, g in zip(truth, given, strict=True)), np.int64)
    found, often = np.unique(pairs, return_counts=True)
    return Cells(names, len(classes), found // len(names), found % len(names), often)


def classification(
    truth: Sequence[str], given: Sequence[str], seed: int = SEED, resamples: int = RESAMPLES
) -> tuple[dict[str, Estimate], Classification]:
    """Return accuracy and macro precision, recall and F1, and the figures of each label."""
    from sklearn.metrics import confusion_matrix  # type: ignore[import-untyped]

    of = cells(truth, given)
    each = _by_label(of, seed, resamples)
    matrix = [[of.often.sum()]]  # of one label that was always right; scikit-learn warns of that
    if len(of.names) > 1:
        matrix = confusion_matrix(*_named(of), labels=list(of.names), sample_weight=of.often)[: of.classes]
    asked = {*given}
    shown = [i for i, name in enumerate(of.names) if name in asked or i < of.classes]
    found = Classification(
        truths=of.names[: of.classes],
        answers=tuple(of.names[i] for i in shown),
        matrix=tuple(tuple(int(row[i]) for i in shown) for row in matrix),
        labels=each,
    )
    return summary(truth, given, of, seed, resamples), found


def summary(
    truth: Sequence[str], given: Sequence[str], of: Cells | None = None, seed: int = SEED, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Return accuracy and the macro figures with their intervals."""
    of = of or cells(truth, given)
    drawn = counts(of.often, seed, resamples)
    precision, recall, f1 = rates(of, drawn)
    points = rates(of, of.often[None, :])
    whole = ratio(drawn[:, of.truth == of.answer].sum(axis=1), drawn.sum(axis=1))
    right = int(of.often[of.truth == of.answer].sum())
    total = int(of.often.sum())
    macro = {"macro precision": precision, "macro recall": recall, "macro F1": f1}
    return {
        "accuracy": estimate(right / total if total else None, whole),
        **{name: estimate(mean(p)[0], mean(d)) for (name, d), p in zip(macro.items(), points, strict=True)},
    }


def rates(of: Cells, drawn: Any) -> tuple[Floats, Floats, Floats]:
    """Return precision, recall and F1 (resamples × labels of the truth); what is in no row of a resample is NaN.

    A label that was never answered has precision 0, as scikit-learn has it with `zero_division=0`.
    """
    wanted, answered, right = (np.zeros((len(drawn), of.classes)) for _ in range(3))
    for place in range(of.classes):
        wanted[:, place] = drawn[:, of.truth == place].sum(axis=1)
        answered[:, place] = drawn[:, of.answer == place].sum(axis=1)
        right[:, place] = drawn[:, (of.truth == place) & (of.answer == place)].sum(axis=1)
    recall = ratio(right, wanted)
    precision = np.where(wanted > 0, np.nan_to_num(ratio(right, answered)), np.nan)
    return precision, recall, np.where(wanted > 0, ratio(2 * right, wanted + answered), np.nan)


def mean(values: Floats) -> Floats:
    """Return the mean over labels, leaving out those that a resample has not."""
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1))


def _named(of: Cells) -> tuple[list[str], list[str]]:
    return [of.names[i] for i in of.truth], [of.names[i] for i in of.answer]


def _by_label(of: Cells, seed: int, resamples: int) -> tuple[Label, ...]:
    from sklearn.metrics import precision_recall_fscore_support

    names = of.names[: of.classes]
    if not names:
        return ()
    points = precision_recall_fscore_support(*_named(of), labels=list(names), sample_weight=of.often, zero_division=0)
    drawn = rates(of, counts(of.often, seed, resamples))
    return tuple(
        Label(
            name,
            int(points[3][place]),
            int(of.often[of.answer == place].sum()),
            *(estimate(points[which][place], drawn[which][:, place]) for which in range(3)),
        )
        for place, name in enumerate(names)
    )
