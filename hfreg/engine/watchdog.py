"""Watchdog: one thread that interrupts what runs past its time.

It sleeps until the earliest deadline it knows. A call that begins with a later deadline does not wake it,
so that a warm call pays for a dictionary write only.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

log = logging.getLogger(__name__)


class Watched(Protocol):
    """Something with a deadline."""

    def overdue(self) -> None:
        """Called from the watchdog's thread once the deadline has passed."""


class Watchdog:
    """Deadlines in `time.monotonic()` seconds, one for each watched thing."""

    def __init__(self) -> None:
        self._deadlines: dict[Watched, float] = {}
        self._changed = threading.Condition()
        self._wakes_at = float("inf")
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(self, watched: Watched, seconds: float) -> None:
        """Set the deadline of a thing, replacing the one it had."""
        deadline = time.monotonic() + seconds
        self._deadlines[watched] = deadline
        if deadline < self._wakes_at or self._thread is None:
            with self._changed:
                if self._thread is None and not self._closed:
                    self._thread = threading.Thread(target=self._watch, name="hfreg-watchdog", daemon=True)
                    self._thread.start()
                self._changed.notify()

    def forget(self, watched: Watched) -> None:
        """Drop the deadline of a thing."""
        self._deadlines.pop(watched, None)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _watch(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                now = time.monotonic()
                self._wakes_at = float("inf")  # before looking: whoever sets a deadline from here on will notify
                deadlines = list(self._deadlines.items())
                late = [(watched, deadline) for watched, deadline in deadlines if deadline <= now]
                self._wakes_at = min((d for _, d in deadlines if d > now), default=float("inf"))
                if not late:
                    self._changed.wait(None if self._wakes_at == float("inf") else self._wakes_at - now)
            for watched, deadline in late:
                if self._deadlines.get(watched) == deadline:  # not set anew meanwhile
                    self.forget(watched)
                    self._call(watched)

    def _call(self, watched: Watched) -> None:
        try:
            watched.overdue()
        except Exception:  # whatever went wrong with one, the others still have limits
            log.exception("A deadline could not be acted on")
