"""Clock: how long a row in work may still take; what it spends on loading has a limit of its own."""

from __future__ import annotations

import threading
import time

LOAD_S = 1800.0
"""How long downloading and loading may take; they do not count against a call's time limit."""
WHILE_LOADING_S = 0.02
"""How soon to look again while loading stops the clock."""


class Clock:
    """The time of one row after another; `loads` stops and starts it from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.begin(None)

    def begin(self, limit_s: float | None) -> None:
        """Start the clock of a row."""
        with self._lock:
            self._started = time.monotonic()
            self._limit_s = limit_s
            self._loaded_s = 0.0
            self._since: float | None = None
            self._loading: set[str] = set()

    def loads(self, what: str, loading: bool) -> None:
        """Note that something began or ended for which the clock stands still."""
        with self._lock:
            (self._loading.add if loading else self._loading.discard)(what)
            now = time.monotonic()
            if self._loading and self._since is None:
                self._since = now
            elif not self._loading and self._since is not None:
                self._loaded_s += now - self._since
                self._since = None

    @property
    def loading_s(self) -> float:
        """The seconds that loading took so far."""
        with self._lock:
            return self._loaded_s + (time.monotonic() - self._since if self._since is not None else 0.0)

    def left(self) -> float:
        """Return the seconds that the row may still take."""
        if (loading := self.loading_s) > LOAD_S:
            return 0.0
        left = float("inf") if self._limit_s is None else self._limit_s - (time.monotonic() - self._started - loading)
        return max(left, WHILE_LOADING_S) if self._loading else left
