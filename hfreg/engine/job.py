"""Job: rows of one call or table on their way through a loaded model, and the Outcomes they left.

A Job is a Run (`hfreg.engine.Run`). The engine's thread puts Outcomes in, anyone may take them out; it goes
on without a reader, but waits when a reader has fallen far behind, so that a table of a million rows
does not pile up in memory.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hfreg.engine import Event, OnEvent, Outcome
from hfreg.version import Version

AHEAD = 1024
"""Outcomes that a job keeps for a reader before it waits for one."""

log = logging.getLogger(__name__)


class Job:
    """A submitted run: its rows, where it stands, and its Outcomes in row order."""

    def __init__(
        self,
        version: Version,
        rows: Iterable[Mapping[str, Any]],
        limit_s: float | None,
        on_event: OnEvent | None,
        tier: str,
    ) -> None:
        self.version = version
        self.limit_s = limit_s
        self.tier = tier
        self.cancelled = False
        self.submitted_at = time.perf_counter()
        self.row = -1
        self._rows = iter(rows)
        self._on_event = on_event
        self._outcomes: deque[Outcome] = deque()
        self._changed = threading.Condition()
        self._done = False
        self._stop: Any = None

    @property
    def done(self) -> bool:
        """Whether the last row is done."""
        return self._done

    def __iter__(self) -> Iterator[Outcome]:
        try:
            while True:
                with self._changed:
                    while not self._outcomes:
                        if self._done:
                            return
                        self._changed.wait()
                    outcome = self._outcomes.popleft()
                    self._changed.notify_all()
                yield outcome
        finally:
            if not self._done:  # the reader left, or pressed Ctrl+C
                self.cancel()

    def cancel(self) -> None:
        """Stop: the row in work is interrupted, the rest are not begun."""
        with self._changed:
            self.cancelled = True
            stop = self._stop
            self._changed.notify_all()
        if stop is not None:
            stop()

    def next_row(self) -> Mapping[str, Any] | None:
        """Take the next row, waiting while the reader is far behind; None at the end."""
        if len(self._outcomes) >= AHEAD:
            with self._changed:
                self._changed.wait_for(lambda: len(self._outcomes) < AHEAD or self.cancelled)
        try:
            row = next(self._rows)
        except StopIteration:
            return None
        self.row += 1
        return row

    def begin(self, stop: Any) -> None:
        """Note how the row in work is interrupted; a job already cancelled is stopped at once."""
        with self._changed:
            self._stop = stop
            cancelled = self.cancelled
        if cancelled:
            stop()

    def put(self, outcome: Outcome) -> None:
        """Add the Outcome of the row in work."""
        self.emit("outcome", row=self.row, outcome=outcome)
        with self._changed:
            self._stop = None
            self._outcomes.append(outcome)
            self._changed.notify_all()

    def finish(self) -> None:
        """Say that no Outcome follows."""
        with self._changed:
            self._done = True
            self._changed.notify_all()

    def emit(self, kind: Any, **data: Any) -> None:
        """Tell whoever follows this job; a follower that fails does not fail the job."""
        if self._on_event is None:
            return
        try:
            self._on_event(Event(kind, data))
        except Exception:
            log.exception("A listener of a run of %s failed", self.version.alias)
