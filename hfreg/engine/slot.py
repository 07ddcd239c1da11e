"""Slot: one loaded model as an engine sees it, which is one thread that runs one row at a time.

The rows that wait for it are run in the order they came. What running a row means, how it is stopped and what
is let go at the end is the matter of the engine: in this process (`hfreg.engine.inline`) or in one of its own
(`hfreg.engine.isolated`).
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from statistics import median
from typing import Any

from hfreg.engine import Loaded, Outcome
from hfreg.engine.ending import broken
from hfreg.engine.job import Job, Task
from hfreg.version import Version

MAX_WAITING = 256
"""Calls that may wait for one loaded model; a further one is told that it is busy."""
RECENT = 50
"""Warm calls whose median is told."""

log = logging.getLogger(__name__)
_current: ContextVar[Slot | None] = ContextVar("slot", default=None)


class Slot(ABC):
    """One loaded model: its thread, its queue, and what is running. `start()` it once it is made."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.last_call = time.time()
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._task: Task | None = None
        self._given_up = False
        self._children: list[Job] = []
        self._cold_ms: float | None = None
        self._warm: deque[float] = deque(maxlen=RECENT)
        self._thread = threading.Thread(target=self._work, name=f"hfreg {version.alias} v{version.number}", daemon=True)

    @staticmethod
    def current() -> Slot | None:
        """Return the slot whose row runs in this thread, or None."""
        return _current.get()

    @property
    def waiting(self) -> int:
        """How many calls wait."""
        return self._queue.qsize()

    @property
    def holds(self) -> bool:
        """Whether there is something to unload."""
        return True

    @property
    def full(self) -> bool:
        """Whether as many calls wait as may."""
        return self.waiting >= MAX_WAITING

    def start(self) -> None:
        """Begin to take rows."""
        self._thread.start()

    def put(self, task: Task) -> None:
        """Queue a row."""
        self._queue.put(task)

    def stop(self) -> None:
        """End the thread once what is queued has run, and drop the model."""
        self._queue.put(None)

    def drain(self) -> list[Task]:
        """Take back what waits, and end the thread after the row in work."""
        waiting = []
        try:
            while True:
                if (task := self._queue.get_nowait()) is not None:
                    waiting.append(task)
        except Empty:
            self._queue.put(None)
            return waiting

    def cancel(self) -> None:
        """Cancel the job in work and all that wait."""
        for task in (self._task, *self.drain()):
            if task is not None:
                task.job.cancel()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end; a row that does not heed being cancelled is answered for."""
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)
        with self._lock:
            task, late = self._task, not self._given_up
            self._given_up = True
        if task is not None and late:
            self._answer_for(task)

    def adopt(self, child: Job) -> None:
        """Remember a job that this slot's scoring logic waits for, so that stopping reaches it."""
        self._children.append(child)

    @abstractmethod
    def describe(self, measure: bool = True) -> Loaded | None:
        """Describe the model in memory; None while there is none. Without `measure` memory is as last known."""

    @abstractmethod
    def _run(self, task: Task) -> None:
        """Run one row and hand its Outcome to its job."""

    @abstractmethod
    def _answer_for(self, task: Task) -> None:
        """Give an Outcome for a row that does not end."""

    @abstractmethod
    def _unload(self) -> None:
        """Let go of the model; the thread ends after it."""

    def _described(self, **facts: Any) -> Loaded:
        """Return what every engine knows of its loaded model, with the facts that this one adds."""
        return Loaded(
            alias=self.version.alias,
            version=self.version.number,
            state=self.version.state,
            last_call=self.last_call,
            busy=self._task is not None,
            waiting=self.waiting,
            cold_ms=self._cold_ms,
            warm_ms=median(self._warm.copy()) if self._warm else None,
            **facts,
        )

    def _note(self, outcome: Outcome) -> None:
        """Remember how long an answer took, without its wait."""
        if outcome.ok:
            took = outcome.timings.total_ms - outcome.timings.queue_ms
            if outcome.cold:
                self._cold_ms = took
            else:
                self._warm.append(took)

    def _next(self) -> Task | None:
        """Wait for the next row; None ends the thread."""
        return self._queue.get()

    def _work(self) -> None:
        _current.set(self)
        while not self._given_up and (task := self._next()) is not None:
            try:
                self._run(task)
            except Exception as problem:  # a fault of the platform must not leave a caller waiting for ever
                log.exception("A row of %s could not be run", self.version.alias)
                self._task = None
                task.job.put(task, broken(task.job, problem))
        if not self._given_up:
            self._unload()
