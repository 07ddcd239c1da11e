"""Slices: the groups that the values of a column fall into.

A column of few values gives a group for each, one of many numbers its quarters, one of many texts groups by length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from hfreg.metrics.labelled import NOTHING, is_missing, label, number

MOST, OTHERS = 20, "(others)"
LENGTH = "length of "
LENGTHS = (32, 128, 512, 2048)
"""Ends of the groups by length, in characters."""


def groups(name: str, values: Sequence[Any]) -> tuple[str, list[str]]:
    """Return what the groups are called together, and the group of each row.

    >>> groups("language", ["en", "de", None])
    ('language', ['en', 'de', '(no answer)'])
    >>> groups("length of text", ["short", "long " * 20])
    ('length of text', ['up to 32 characters', '33 to 128 characters'])
    """
    if name.startswith(LENGTH):
        return name, [_length(value) for value in values]
    found = [label(value) for value in values]
    often = Counter(found)
    if len(often) <= MOST:
        return name, found
    figures = [number(value) for value in values]
    if all(n is not None or is_missing(v) for n, v in zip(figures, values, strict=True)):
        return f"{name} in quarters", _quarters(figures)
    if len(often) > len(found) / 2 and any(isinstance(value, str) for value in values):
        return LENGTH + name, [_length(value) for value in values]
    kept = {one for one, _ in often.most_common(MOST)}
    return name, [one if one in kept else OTHERS for one in found]


def order(names: Sequence[str]) -> list[str]:
    """Return the groups in the order to show them: lengths and quarters as they rise, else the largest first."""
    known = {name: i for i, name in enumerate(_length("x" * n) for n in (*LENGTHS, LENGTHS[-1] + 1))}
    often = Counter(names)

    def place(name: str) -> tuple[float, str]:
        lowest = number(name.partition(" to ")[0]) if " to " in name else None
        if name in known:
            return known[name], ""
        return (lowest if lowest is not None else -often[name], name)

    return sorted(often, key=place)


def _length(value: Any) -> str:
    if is_missing(value):
        return NOTHING
    count, low = len(str(value)), 1
    for high in LENGTHS:
        if count <= high:
            return f"{low} to {high} characters" if low > 1 else f"up to {high} characters"
        low = high + 1
    return f"over {LENGTHS[-1]:,} characters"


def _quarters(figures: Sequence[float | None]) -> list[str]:
    ends = np.unique(np.quantile([n for n in figures if n is not None], (0, 0.25, 0.5, 0.75, 1)))
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(ends)]
    last = len(names) - 1
    return [
        NOTHING if n is None else names[min(last, max(0, int(np.searchsorted(ends, n, side="right")) - 1))]
        for n in figures
    ]
