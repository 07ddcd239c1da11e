"""Turns: how long rows that run together may still take, each by the time that passed while it was in work.

A worker says whose turn it is, and is not believed further than that: all time that passes is counted to rows that have
no answer yet, in equal parts where a forward pass is made for several, and none may take more than its limit. So all
together take no more than the sum of their limits, whatever a worker says. Covers the counting; who ends a row that is
late is the process (`hfreg.engine.isolated.process`).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import islice

from hfreg.engine.isolated import clock
from hfreg.engine.isolated.clock import LOAD_S, WHILE_LOADING_S, Clock

GRACE_S = 1.0
"""How long a row that was stopped may go on: its process ends with it, and the others' rows begin anew."""


class Turns(Clock):
    """The time of rows by their numbers, in the order they are expected."""

    def __init__(self, limits: Mapping[int, float | None]) -> None:
        self._rows = dict.fromkeys(limits, 0.0)
        self._loads = dict.fromkeys(limits, 0.0)
        self._limits = dict(limits)
        self._open = dict.fromkeys(limits)
        self._stopped: set[int] = set()
        self._alone_since: float | None = None  # since when nobody waits for any of them
        self._at: tuple[int, ...] = (next(iter(limits)),)
        super().__init__()

    @property
    def at(self) -> tuple[int, ...]:
        """The rows that time is counted to now."""
        return self._at

    def knows(self, row: object) -> bool:
        """Whether this is the number of a row without an answer."""
        return type(row) is int and row in self._open

    def take(self, rows: Sequence[int]) -> None:
        """Count to these from now on, to each once."""
        with self._lock:
            self._settle()
            self._at = tuple(dict.fromkeys(rows))

    def end(self, row: int) -> None:
        """Count to a row no more; until the next turn to the one that has waited longest."""
        with self._lock:
            self._settle()
            del self._open[row]
            self._at = tuple(islice(self._open, 1))
            self._note_alone()

    def stop(self, row: int) -> None:
        """Note that nobody waits for a row any more."""
        with self._lock:
            self._settle()
            self._stopped.add(row)
            self._limits[row] = self._rows[row] + GRACE_S
            self._note_alone()

    def spent_s(self, row: int) -> tuple[float, float]:
        """Return the seconds that a row took so far, and those that it took for loading besides."""
        with self._lock:
            self._settle()
            return self._rows[row], self._loads[row]

    def is_late(self, row: int) -> bool:
        """Whether a row took more than it may."""
        limit_s = self._limits[row]
        return limit_s is not None and self.spent_s(row)[0] >= limit_s

    @property
    def loading_s(self) -> float:
        """The seconds that loading took so far for the row in work."""
        with self._lock:
            self._settle()
            return sum(self._loads[row] for row in self._at)

    def left(self) -> float:
        """Return the seconds that the rows in work may still take."""
        with self._lock:
            self._settle()
            if self._spent["asked"] > LOAD_S or self._spent["told"] > clock.TOLD_S:
                return 0.0
            waited_for = [row for row in self._at if row not in self._stopped] or self._at
            left = [float("inf") if (s := self._limits[row]) is None else s - self._rows[row] for row in waited_for]
            least = min(left, default=float("inf")) * max(1, len(self._at))
            if self._loading:
                least = max(least, WHILE_LOADING_S)
            if self._alone_since is not None:
                least = min(least, GRACE_S - (time.monotonic() - self._alone_since))
            return least

    def _note_alone(self) -> None:
        if self._alone_since is None and self._stopped.issuperset(self._open):
            self._alone_since = time.monotonic()

    def _count(self, passed: float) -> None:
        super()._count(passed)
        counted = self._loads if self._loading else self._rows
        for row in self._at:
            counted[row] += passed / len(self._at)
