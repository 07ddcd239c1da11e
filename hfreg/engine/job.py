"""Job: rows of one call or table on their way through a loaded model, and the Outcomes they left.

A Job is a Run (`hfreg.engine.Run`): it goes on whether or not anyone reads it. Its rows become Tasks, which wait
their turn at the loaded model beside those of other callers. Rows that are still to come are pulled by a thread
of the job's own, a few ahead of what runs and not far ahead of a reader, so that neither a slow source nor a slow
reader keeps the model from others and a table of a million rows does not pile up in memory.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import SimpleQueue
from typing import Any, NamedTuple

from hfreg.engine import Event, EventKind, OnEvent, Outcome
from hfreg.engine.ending import failed, stopped
from hfreg.version import Version

AHEAD = 1024
"""Outcomes that wait for a reader before no further row is begun."""
WAITING = 2
"""Rows of one job that wait at the model at a time: enough that it never idles, few enough to be fair. Rows that run
together wait apart, where no call waits behind them."""

log = logging.getLogger(__name__)


class Task(NamedTuple):
    """One row of a job, waiting for its turn or running; `put_at` is when that began.

    One that only loads has no row to run: the model is to be ready, that is all. One of a table may run together with
    others of tables.
    """

    job: Job
    position: int
    row: Mapping[str, Any]
    put_at: float
    only_loads: bool = False
    of_table: bool = False


class Job:
    """A submitted run: where it stands, and its Outcomes in row order."""

    def __init__(self, version: Version, limit_s: float | None, on_event: OnEvent | None, tier: str) -> None:
        self.version = version
        self.limit_s = limit_s
        self.tier = tier
        self.cancelled = False
        self._on_event = on_event
        self._outcomes: SimpleQueue[Outcome | None] = SimpleQueue()  # None stands behind the last
        self._early: dict[int, Outcome] = {}
        self._next = 0
        self._total: int | None = None
        self._done = False
        self._read = False
        self._lock = threading.RLock()  # re-entrant: the garbage collector may drop a reader, which cancels, anywhere
        self._room: threading.Condition | None = None
        self._fed = 0
        self._waits = False  # whoever feeds rows, for room
        self._submitted_at = time.perf_counter()
        self._stops: dict[int, Callable[[], None]] = {}
        self._ahead = WAITING

    @property
    def done(self) -> bool:
        """Whether the last row is done."""
        return self._done

    def __iter__(self) -> Outcomes:
        self._read = True
        return Outcomes(self)

    def feed(
        self,
        rows: Iterable[Mapping[str, Any]],
        enqueue: Callable[[Task], None],
        ahead: Callable[[], int] = lambda: WAITING,
    ) -> None:
        """Hand the rows on: one alone at once, more of them from a thread of their own, so many ahead of what ran.

        `ahead` is asked for several rows only: what it takes to know, a single call need not pay for.
        """
        if isinstance(rows, (list, tuple)) and len(rows) == 1:
            self._total = 1
            enqueue(Task(self, 0, rows[0], self._submitted_at))
            return
        self._ahead = ahead()
        self._room = room = threading.Condition(self._lock)
        name = f"hfreg rows of {self.version.alias}"
        threading.Thread(target=self._feed, args=(rows, enqueue, room), name=name, daemon=True).start()

    def begin(self, task: Task, stop: Callable[[], None]) -> bool:
        """Note how the row in work is interrupted; returns False when it must not begin any more."""
        with self._lock:
            if self.cancelled:
                return False
            self._stops[task.position] = stop
            return True

    def cancel(self) -> None:
        """Stop: the row in work is interrupted, the rest are not begun."""
        with self._lock:
            self.cancelled = True
            stops, waited = list(self._stops.values()), not self._done and not self._stops
            self._make_room()
        for stop in stops:
            stop()
        if waited:  # nothing of it runs: a caller who has no answer yet gets one now
            if self._next == 0:
                self.put(Task(self, 0, {}, self._submitted_at), stopped(self, "cancelled", self._submitted_at, 0.0, ""))
            self._end(True)

    def put(self, task: Task, outcome: Outcome) -> None:
        """Add the Outcome of a row; it is seen once those of all rows before it are."""
        self.emit("outcome", row=task.position, arguments=task.row, outcome=outcome)
        with self._lock:
            self._stops.pop(task.position, None)
            self._early[task.position] = outcome
            while self._next in self._early:
                self._outcomes.put(self._early.pop(self._next))
                self._next += 1
            self._end(self.cancelled or self._next == self._total)
            self._make_room()

    def emit(self, kind: EventKind, **data: Any) -> None:
        """Tell whoever follows this job; a follower that fails does not fail the job."""
        if self._on_event is None:
            return
        try:
            self._on_event(Event(kind, data))
        except Exception:
            log.exception("A listener of a run of %s failed", self.version.alias)

    def take(self) -> Outcome | None:
        """Wait for the next Outcome and take it; None when there are no more."""
        if (outcome := self._outcomes.get()) is None:
            self._outcomes.put(None)  # for whoever asks again
        self._make_room()
        return outcome

    def _feed(
        self, rows: Iterable[Mapping[str, Any]], enqueue: Callable[[Task], None], room: threading.Condition
    ) -> None:
        index = 0
        try:
            for row in rows:
                if not self._may_go_on(index, room):
                    return
                enqueue(Task(self, index, row, time.perf_counter(), of_table=self._ahead > WAITING))
                index += 1
        except BaseException as error:  # the rows are the caller's code: whatever it raises is told as their end
            self.put(Task(self, index, {}, time.perf_counter()), failed(self, error))
            index += 1
        with self._lock:
            self._total = index
            self._end(self._next >= index)

    def _may_go_on(self, index: int, room: threading.Condition) -> bool:
        """Wait while enough rows are under way or the reader is far behind; False once the job is cancelled."""
        with room:
            self._fed = index
            self._waits = True  # before looking, so that who makes room meanwhile sees it
            while not self.cancelled and not self._has_room():
                room.wait()
            self._waits = False
            return not self.cancelled

    def _has_room(self, spare: int = 0) -> bool:
        under_way, unread = self._fed - self._next, self._outcomes.qsize() if self._read else 0
        return under_way + spare < self._ahead and unread + spare < AHEAD

    def _make_room(self) -> None:
        """Let whoever feeds rows look again, once there is room for several: to wake it for each row costs as much."""
        if self._waits and self._room is not None and (self.cancelled or self._has_room(self._ahead // 4)):
            with self._room:
                self._room.notify_all()

    def _end(self, ended: bool) -> None:
        """Note that the last row is done, if it is."""
        with self._lock:
            if ended and not self._done:
                self._done = True
                self._outcomes.put(None)


class Outcomes(Iterator[Outcome]):
    """A reader of a job; one that is dropped half-way, or interrupted, cancels it."""

    def __init__(self, job: Job) -> None:
        self._job: Job | None = job

    def __next__(self) -> Outcome:
        if self._job is None:
            raise StopIteration
        try:
            outcome = self._job.take()
        except BaseException:  # Ctrl+C
            self.close()
            raise
        if outcome is None:
            raise StopIteration
        return outcome

    def close(self) -> None:
        """Read no further; what was not begun is not begun any more."""
        job, self._job = self._job, None
        if job is not None and not job.done:
            job.cancel()

    def __del__(self) -> None:
        self.close()
