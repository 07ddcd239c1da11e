"""Clock: how long a row in work may still take; what it spends on loading has a limit of its own."""

from __future__ import annotations

import threading
import time
from typing import Literal

LOAD_S = 1800.0
"""How long what the platform does for a load may take, a download above all; no call's time limit counts it."""
TOLD_S = 300.0
"""How long a worker may say that it loads, which nobody can check."""
WHILE_LOADING_S = 0.02
"""How soon to look again while loading stops the clock."""

What = Literal["asked", "told"]


class Clock:
    """The time of one row; `loads` stops and starts it from any thread."""

    def __init__(self, limit_s: float | None = None) -> None:
        self._lock = threading.Lock()
        self.begin(limit_s)

    def begin(self, limit_s: float | None) -> None:
        """Start the clock of a row."""
        with self._lock:
            self._started = self._since = time.monotonic()
            self._limit_s = limit_s
            self._spent: dict[What, float] = {"asked": 0.0, "told": 0.0}
            self._loading: set[What] = set()

    def loads(self, what: What, loading: bool) -> None:
        """Note that something began or ended for which the clock stands still: asked of the platform, or told."""
        with self._lock:
            self._settle()
            (self._loading.add if loading else self._loading.discard)(what)

    @property
    def loading_s(self) -> float:
        """The seconds that loading took so far."""
        with self._lock:
            self._settle()
            return sum(self._spent.values())

    def left(self) -> float:
        """Return the seconds that the row may still take."""
        loading = self.loading_s
        if self._spent["asked"] > LOAD_S or self._spent["told"] > TOLD_S:
            return 0.0
        left = float("inf") if self._limit_s is None else self._limit_s - (time.monotonic() - self._started - loading)
        return max(left, WHILE_LOADING_S) if self._loading else left

    def _settle(self) -> None:
        """Count what has passed since the last look."""
        now = time.monotonic()
        self._count(now - self._since)
        self._since = now

    def _count(self, passed: float) -> None:
        """Count it to what was loading; to a download while both are."""
        if self._loading:
            self._spent["asked" if "asked" in self._loading else "told"] += passed
