"""Sketch: percentiles and shapes of very many numbers in a few hundred counts.

A Sketch answers percentiles of durations within 6 % (20 bins a decade); a Spread is a histogram that widens its bins
as it must. Both can be written down as JSON and read back, and neither holds the numbers themselves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

PER_DECADE = 20
SHORTEST_MS = 0.001
MOST_BINS = 48


class Sketch:
    """Durations in milliseconds, counted in bins of a constant ratio.

    >>> sketch = Sketch()
    >>> for ms in range(1, 1001):
    ...     sketch.add(ms)
    >>> 470 < sketch.percentile(0.5) < 530, sketch.count
    (True, 1000)
    """

    def __init__(self, bins: Mapping[str, int] | None = None) -> None:
        self._bins = {int(place): count for place, count in (bins or {}).items()}

    @property
    def count(self) -> int:
        """How many were added."""
        return sum(self._bins.values())

    def add(self, ms: float) -> None:
        """Count one duration."""
        place = math.floor(PER_DECADE * math.log10(ms)) if ms > SHORTEST_MS else -3 * PER_DECADE
        self._bins[place] = self._bins.get(place, 0) + 1

    def percentile(self, share: float) -> float | None:
        """Return the duration that this share of them did not exceed, None without any."""
        wanted, seen = share * self.count, 0
        for place in sorted(self._bins):
            seen += self._bins[place]
            if seen >= wanted:
                return float(10 ** ((place + 0.5) / PER_DECADE))
        return None

    def since(self, earlier: Mapping[str, int]) -> Sketch:
        """Return what was added after `earlier`, an `as_json` of before."""
        found = {str(p): n - earlier.get(str(p), 0) for p, n in self._bins.items()}
        return Sketch({place: count for place, count in found.items() if count > 0})

    def as_json(self) -> dict[str, int]:
        """Return the counts by bin; bin b begins at 10 ** (b / PER_DECADE) milliseconds."""
        return {str(place): count for place, count in sorted(self._bins.items())}


class Spread:
    """A histogram of numbers with bins of one width, a power of two, which doubles once there are too many bins."""

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        stored = stored or {"power": -40, "bins": {}, "low": None, "high": None, "sum": 0.0}
        self._power: int = stored["power"]
        self._bins: dict[int, int] = {int(place): count for place, count in stored["bins"].items()}
        self.low: float | None = stored["low"]
        self.high: float | None = stored["high"]
        self._sum: float = stored["sum"]

    @property
    def count(self) -> int:
        """How many were added."""
        return sum(self._bins.values())

    @property
    def mean(self) -> float | None:
        """Their mean, None without any."""
        return self._sum / self.count if self._bins else None

    def add(self, value: float) -> None:
        """Count one number; one that is not finite, or beyond what a float holds, is left out."""
        try:
            value = float(value)
            place = math.floor(math.ldexp(value, -self._power))
        except (OverflowError, ValueError):
            return
        self._bins[place] = self._bins.get(place, 0) + 1
        self._sum += value
        self.low = value if self.low is None or value < self.low else self.low
        self.high = value if self.high is None or value > self.high else self.high
        while len(self._bins) > MOST_BINS:
            self._power += 1
            wider: dict[int, int] = {}
            for at, count in self._bins.items():
                wider[at >> 1] = wider.get(at >> 1, 0) + count
            self._bins = wider

    def bars(self) -> list[tuple[float, float, int]]:
        """Return the bins that hold something, as (from, to, count) in ascending order."""
        width = math.ldexp(1.0, self._power)
        return [(at * width, (at + 1) * width, count) for at, count in sorted(self._bins.items())]

    def as_json(self) -> dict[str, Any]:
        """Return what a Spread is made from again."""
        bins = {str(place): count for place, count in sorted(self._bins.items())}
        return {"power": self._power, "bins": bins, "low": self.low, "high": self.high, "sum": self._sum}
