"""Matching: whether a text is the expected one — exactly, as a part, or but for case, marks and spaces.

A row without an answer matches nothing and counts as wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

from hfreg.metrics.bootstrap import RESAMPLES, SEED, Estimate, counts, estimate, ratio

_MARKS = re.compile(r"[\W_]+")
NAMES = ("exact match", "contains", "normalized match")


def normalized(text: str) -> str:
    """Return a text without what hardly matters: case, marks, spaces, forms of the same letters.

    >>> normalized("  The Café,\\n No. 5! ")
    'the café no 5'
    """
    return _MARKS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def matches(truth: Sequence[str], given: Sequence[str | None]) -> dict[str, list[bool]]:
    """Return for each way of matching which rows do."""
    pairs = list(zip(truth, given, strict=True))
    return {
        "exact match": [g is not None and g.strip() == t.strip() for t, g in pairs],
        "contains": [g is not None and t.strip() in g for t, g in pairs],
        "normalized match": [g is not None and normalized(g) == normalized(t) for t, g in pairs],
    }


def shares(found: Mapping[str, Sequence[bool]], seed: int = SEED, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return which share of rows is so, with its interval."""
    return {name: share(np.asarray(values, dtype=bool), seed, resamples) for name, values in found.items()}


def share(right: np.ndarray, seed: int = SEED, resamples: int = RESAMPLES) -> Estimate:
    """Return the share of rows that are right."""
    n, k = len(right), int(right.sum())
    return estimate(k / n if n else None, ratio(counts([k, n - k], seed, resamples)[:, 0], n))
