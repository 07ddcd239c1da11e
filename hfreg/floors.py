"""Floors: a metric that the answers of a model to a kept table must reach, as one of its checks.

Covers what is kept and whether a figure is enough, in words. Runs nothing: that is `hfreg.flooring`.

    >>> given = {"name": "f", "table": "t.csv", "file": "x", "truth": "kind", "columns": {}, "constants": {}}
    >>> floor = Floor(**given, metric="accuracy", at_least=0.9, created_at=datetime(1970, 1, 1))
    >>> floor.problem(0.95, None, None), floor.problem(0.8, 0.7, 0.9)
    ('', 'expected accuracy of at least 0.9, got 0.8 [0.7, 0.9]')
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from pydantic import model_validator

from hfreg.values import Frozen


class Floor(Frozen):
    """A table that is kept in `file`, what its columns are, and how far a metric of the answers has to go.

    `columns` is argument → column, `constants` argument → value, as of a simulation; `truth` the column with the truth.
    `field` and `score` are fields of the answer, none for an answer that is no mapping.
    """

    name: str
    table: str
    file: str
    columns: dict[str, str]
    constants: dict[str, Any]
    limit: int | None = None
    every: int = 1
    truth: str
    field: str = ""
    score: str = ""
    positive: str = ""
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    created_at: datetime
    author: str = ""

    @model_validator(mode="after")
    def _can_fail(self) -> Floor:
        ends = [end for end in (self.at_least, self.at_most) if end is not None]
        if len(ends) != 1 or not math.isfinite(ends[0]):
            raise ValueError("a floor has one number, `at_least` or `at_most`")
        return self

    @property
    def wanted(self) -> str:
        """What is expected, in words."""
        side = f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"
        return f"{self.metric} of {side}"

    def problem(self, value: float | None, low: float | None, high: float | None) -> str:
        """Return what is wrong with a figure and its interval; nothing when it is enough."""
        if value is None:
            return f"expected {self.wanted}, but it is not defined for these answers"
        enough = value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)
        between = "" if low is None or high is None else f" [{low:.3g}, {high:.3g}]"
        return "" if enough else f"expected {self.wanted}, got {value:.4g}{between}"
