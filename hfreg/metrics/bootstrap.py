"""Bootstrap: 95 % intervals of metrics from resampled rows, fast whatever the number of rows.

Rows are never drawn one by one where counts say the same: drawing n rows anew from k kinds of rows is one multinomial
draw of k counts. Metrics that are functions of sums over rows are taken from resampled sums; beyond GROUPS rows, rows
are put into random groups and the groups are resampled, which has the same spread. Seeded: the same rows give the same
interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

RESAMPLES, SEED = 1000, 20_250_101
GROUPS, CHUNK = 5000, 2_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric with its 95 % interval; None where it is not defined, or no interval was taken."""

    value: float | None
    low: float | None = None
    high: float | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Estimate:
        """Read what was written as JSON."""
        return cls(stored["value"], stored["low"], stored["high"])


def estimate(value: Any, draws: Floats | None = None) -> Estimate:
    """Return a metric with the interval that its resampled values span; those that are not defined are left out."""
    found = None if value is None or not math.isfinite(value) else float(value)
    if found is None or draws is None:
        return Estimate(found)
    known = draws[np.isfinite(draws)]
    if len(known) < 2:
        return Estimate(found)
    low, high = np.quantile(known, (0.025, 0.975))
    return Estimate(found, float(low), float(high))


def counts(cells: Any, seed: int = SEED, resamples: int = RESAMPLES) -> Ints:
    """Return resampled counts, a row for each resample, of cells that counted rows.

    >>> counts([3, 1], seed=1, resamples=2).sum(axis=1).tolist()
    [4, 4]
    """
    known = np.asarray(cells, dtype=np.int64)
    total = int(known.sum())
    if not total:
        return np.zeros((resamples, len(known)), dtype=np.int64)
    return np.random.default_rng(seed).multinomial(total, known / total, size=resamples)


def sums(rows: Floats, seed: int = SEED, resamples: int = RESAMPLES) -> Floats:
    """Return resampled sums (resamples × columns) over the rows of a table of numbers (rows × columns)."""
    generator = np.random.default_rng(seed)
    if len(rows) > GROUPS:
        order = generator.permutation(len(rows))
        edges = np.linspace(0, len(rows), GROUPS, endpoint=False).astype(np.int64)
        rows = np.add.reduceat(rows[order], edges, axis=0)
    n = len(rows)
    if not n:
        return np.zeros((resamples, rows.shape[1]))
    out = np.empty((resamples, rows.shape[1]))
    step = max(1, CHUNK // n)
    for first in range(0, resamples, step):
        some = min(step, resamples - first)
        drawn = generator.integers(0, n, size=(some, n)) + (np.arange(some) * n)[:, None]
        often = np.bincount(drawn.ravel(), minlength=some * n).reshape(some, n)
        out[first : first + some] = often @ rows
    return out


def ratio(top: Any, bottom: Any) -> Floats:
    """Divide; what has nothing below is NaN."""
    top, bottom = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    out: Floats = np.full(np.broadcast(top, bottom).shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom != 0)
    return out
