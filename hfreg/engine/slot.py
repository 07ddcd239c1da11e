"""Slot: one loaded model as an engine sees it: a thread that runs one row at a time.

The rows that wait for it are run in the order they came. Where scoring logic allows it, those that wait are taken
together (`hfreg.engine.lanes`), and calls do not wait behind the rows of tables. Where nobody waits, a caller's own
thread may run its row: it has nothing else to do, and waking another takes longer than a small model. What running rows
means, how they are stopped and what is let go at the end is the matter of the engine: in this process
(`hfreg.engine.inline`) or in one of its own (`hfreg.engine.isolated`).
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from contextvars import Context, ContextVar
from statistics import median
from typing import Any

from hfreg.engine import Loaded, Outcome
from hfreg.engine.ending import broken
from hfreg.engine.job import Job, Task
from hfreg.engine.lanes import Lanes, Window
from hfreg.scoring.batching import gathers
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
        self.gathers = gathers(version.definition)
        self._context = Context()  # rows run in it, whosever thread they run in
        self._context.run(_current.set, self)
        self._lanes = Lanes()
        self._window = Window()
        self._flight: list[Task] = []  # run together, not answered yet
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # whoever holds it runs rows, or lets go of the model
        self._up: Task | None = None  # the thread has taken it and wants the turn: no caller overtakes it
        self._task: Task | None = None
        self._given_up = False
        self._well = False  # has answered once: what a first row does to make all ready is done
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
        return self._lanes.waiting

    @property
    def holds(self) -> bool:
        """Whether there is something to unload."""
        return True

    @property
    def in_flight(self) -> list[Task]:
        """The rows that were taken together and have no answer."""
        return self._flight.copy()

    @property
    def full(self) -> bool:
        """Whether as many calls wait as may."""
        return self._lanes.calls >= MAX_WAITING

    def start(self) -> None:
        """Begin to take rows."""
        self._thread.start()

    def put(self, task: Task) -> None:
        """Queue a row."""
        self._lanes.put(task)

    def claim(self) -> bool:
        """Take the turn for a row that the caller's thread is going to run; whether that may be."""
        free = self._runs_here and self._up is None and not self._lanes.waiting
        return free and self._turn.acquire(blocking=False)

    def run_here(self, task: Task) -> None:
        """Run a row in this thread, which has claimed the turn, and give the turn back."""
        try:
            self._context.run(self._run_safely, task)
        except BaseException:  # Ctrl+C
            task.job.cancel()
            self._interrupted(task)
            raise
        finally:
            self._turn.release()

    def stop(self) -> None:
        """End the thread once what is queued has run, and drop the model."""
        self._lanes.put(None)

    def drain(self) -> list[Task]:
        """Take back what waits, and end the thread after the row in work."""
        up = self._pick_up()
        return [*([up] if up else ()), *self._lanes.drain()]

    def cancel(self) -> None:
        """Cancel the job in work and all that wait."""
        for task in (self._task, *self._flight, *self.drain()):
            if task is not None:
                task.job.cancel()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end; a row that does not heed being cancelled is answered for."""
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)
        with self._lock:
            tasks, late = self._flight.copy() or [task for task in (self._task,) if task], not self._given_up
            self._given_up = True
        for task in tasks if late else ():
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

    def _run_together(self, tasks: list[Task]) -> None:
        """Run several rows and hand their Outcomes to their jobs; each leaves `_flight` before that."""
        for task in tasks:
            self._run_safely(task)
            self._flight.remove(task)

    @property
    def _runs_here(self) -> bool:
        """Whether a row may run in its caller's thread now."""
        return False

    def _interrupted(self, task: Task) -> None:
        """Answer for a row that was interrupted in its caller's thread, and be ready for the next."""
        self._task = None
        if not task.job.done:
            self._answer_for(task)

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
            busy=self._task is not None or bool(self._flight),
            waiting=self.waiting,
            cold_ms=self._cold_ms,
            warm_ms=median(self._warm.copy()) if self._warm else None,
            **facts,
        )

    def _note(self, outcome: Outcome) -> None:
        """Remember how long an answer took, without its wait."""
        if outcome.ok:
            self._well = True
            took = outcome.timings.total_ms - outcome.timings.queue_ms
            if outcome.cold:
                self._cold_ms = took
            else:
                self._warm.append(took)

    def _next(self) -> Task | None:
        """Wait for the next row; None ends the thread."""
        return self._lanes.get()

    def _run_safely(self, task: Task) -> None:
        try:
            self._run(task)
        except Exception as problem:  # a fault of the platform must not leave a caller waiting for ever
            log.exception("A row of %s could not be run", self.version.alias)
            self._task = None
            task.job.put(task, broken(task.job, problem))

    def _work(self) -> None:
        while not self._given_up and (task := self._next()) is not None:
            self._up = task
            with self._turn:
                if (picked := self._pick_up()) is not None:  # else it was taken back meanwhile
                    self._context.run(self._take, picked)
        if not self._given_up:
            with self._turn:
                self._unload()

    def _pick_up(self) -> Task | None:
        with self._lock:
            task, self._up = self._up, None
        return task

    def _take(self, task: Task) -> None:
        """Run a row, and with it those that wait and may run together with it."""
        others = self._lanes.others(task, self._window.rows) if self.gathers and self._well else []
        if not others:
            self._run_safely(task)
            return
        self._flight = [task, *others]
        with self._window:
            self._run_together(self._flight.copy())
        self._flight = []
