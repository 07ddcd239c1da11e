"""Inline slot: one loaded model in a thread of this process, and how a row in it is stopped.

The slot compiles the source on its first row and keeps what it loads. Interrupting is an exception set on the
thread from outside, and only where it does no harm: never inside an import, which would break the module for the
whole process, nor inside the platform's own code. What does not heed it within `GRACE_S` (a long call into C, a
load) is given up: its caller gets the answer at once, and a fresh slot takes over what waits.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from hfreg.engine import Loaded, Outcome, Platform, row
from hfreg.engine.bare import bare, is_main
from hfreg.engine.ending import broken, stopped
from hfreg.engine.inline_row import InlineRow
from hfreg.engine.job import Task
from hfreg.engine.row import LoadedModel, Stop
from hfreg.engine.slot import Slot
from hfreg.engine.watchdog import Watchdog
from hfreg.scoring import batching, forwards
from hfreg.version import Version

GRACE_S = 1.0
RETRY_S = 0.02
BRIEF_MS = 50.0
"""A model that answers within it may run in its caller's thread: to wake another is a good part of that time, and a
caller who cannot be answered while a call into C goes on does not wait long."""
LOAD_S = 1800.0
"""How long downloading and loading may take; they do not count against a call's time limit."""

_WITHIN = {(row.__file__, "_called"), (forwards.__file__, "forwarded")}
"""The platform's functions that scoring logic and models run in, and the one between the two."""
_THROUGH = (batching.__file__, "passed")
_HFREG = str(Path(row.__file__).parent.parent)
log = logging.getLogger(__name__)


class InlineSlot(Slot):
    """One model loaded in this process."""

    def __init__(
        self, version: Version, platform: Platform, watchdog: Watchdog, give_up: Callable[[Slot], None]
    ) -> None:
        super().__init__(version)
        self._model = LoadedModel(version, platform)
        self._watchdog = watchdog
        self._give_up = give_up
        self._started = 0.0
        self._limit_s: float | None = None
        self._runner = 0
        self._reason: str | None = None
        self._asked_at = 0.0
        self._issued = False
        self._brief = False  # its last answer was warm, and there soon

    def describe(self, measure: bool = True) -> Loaded | None:
        """Describe the model in memory; None while there is none."""
        model = self._model
        if not model.ready and self._task is None:
            return None
        return self._described(
            since=model.since, calls=model.calls, memory_bytes=model.memory_bytes(), load_ms=model.load_ms
        )

    @property
    def given_up(self) -> bool:
        """Whether another slot has taken its place."""
        return self._given_up

    def run_in_company(self, row: InlineRow, task: Task) -> None:
        """Run one of several rows, in a thread of its own; called when it has its turn."""
        try:
            self._run(task, row)
        except Exception as problem:  # a fault of the platform must not leave a caller waiting for ever
            log.exception("A row of %s could not be run", self.version.alias)
            self.end_turn()
            if task in self._flight:
                self._flight.remove(task)
                task.job.put(task, broken(task.job, problem))

    def overdue(self) -> None:
        """The watchdog's call: time is up, or an interruption is due again."""
        with self._lock:
            task = self._task
            if task is None:
                return
            if self._reason is None:
                if (left := self._time_left()) > 0:
                    self._watchdog.watch(self, left)
                    return
                self._ask("timeout")
        self._insist(task)

    @property
    def _runs_here(self) -> bool:
        return self._brief and bare()

    def _interrupted(self, task: Task) -> None:
        with contextlib.suppress(Stop):
            self.end_turn()
            self.await_stop()
        if not task.job.done:
            task.job.put(task, stopped(task.job, "cancelled", self._started, 0.0, self._model.printed()))

    def _unload(self) -> None:
        if self._model.unload():
            gc.collect()  # weights are held in circles; without any, this would only cost a tenth of a second

    def _run_together(self, tasks: list[Task]) -> None:
        self._model.together(InlineRow(self, self._model, task) for task in tasks)

    def _run(self, task: Task, together: InlineRow | None = None) -> None:
        """Run one row so that an interruption lands inside, never after."""
        if self._given_up or not task.job.begin(task, together.stop if together else lambda: self.interrupt(task)):
            return
        queue_ms = (time.perf_counter() - task.put_at) * 1e3
        self.start_turn(task, task.job.limit_s)
        outcome: Outcome | None = None
        try:
            outcome = self._model.run(task, queue_ms, KeyboardInterrupt if is_main() else Stop)
            self.end_turn()
            self.await_stop()
        except Stop:
            self.end_turn()
        if self._given_up:
            return
        if together is not None:
            self._reason = self._reason or together.reason
            self._flight.remove(task)
        if not task.only_loads:
            self.last_call = time.time()
        if outcome is not None and not task.only_loads:
            self._note(outcome)
        self._brief = outcome is not None and not outcome.cold and outcome.timings.run_ms < BRIEF_MS
        if outcome is None or self._reason is not None:  # stopped, or stopped just as it was done
            printed = self._model.printed()
            outcome = stopped(task.job, self._reason or "cancelled", self._started, queue_ms, printed)
        task.job.put(task, outcome)

    # One turn: the time from which a row may be interrupted to that from which it may not

    def start_turn(self, task: Task, limit_s: float | None, spent_s: float = 0.0) -> None:
        """From here on this row runs in this thread, for as long as its limit leaves after what it spent before."""
        if self._model.cancel.is_set():
            self._model.cancel.clear()
        with self._lock:
            self._children.clear()
            self._task, self._reason, self._issued = task, None, False
            self._started, self._limit_s, self._runner = time.perf_counter() - spent_s, limit_s, threading.get_ident()
            if limit_s is not None:
                self._watchdog.watch(self, max(0.0, limit_s - spent_s))
        if task.job.cancelled:  # between being begun and being here
            self.interrupt(task)

    def end_turn(self) -> tuple[str | None, float]:
        """From here on nothing interrupts this row; returns why it is being stopped, if it is, and what it spent."""
        with self._lock:
            self._task = None
            self._watchdog.forget(self)
            return self._reason, time.perf_counter() - self._started

    def await_stop(self) -> None:
        """Let an interruption that was set just before the end land here, not in the next row.

        Taking it back instead would leave CPython looking for it at every bytecode of every thread. One that
        scoring logic caught itself does not come, so this waits for a few bytecodes only.
        """
        if self._issued:
            for _ in range(10):
                time.sleep(0.001)

    def _time_left(self) -> float:
        """Return the seconds that a row may still run; what it spends on loading has a limit of its own."""
        loading, loads_now = self._model.loading()
        left = (self._limit_s or 0.0) - (time.perf_counter() - self._started - loading)
        if loads_now and left > 0:
            return max(left, RETRY_S) if loading < LOAD_S else 0.0
        return left

    def interrupt(self, task: Task) -> None:
        """Stop a row, if it is its turn."""
        with self._lock:
            if self._task is not task or self._reason is not None:  # over, or being stopped already
                return
            self._ask("cancelled")
        self._insist(task)

    def _ask(self, reason: str) -> None:
        self._reason, self._asked_at = reason, time.monotonic()
        self._model.cancel.set()

    def _insist(self, task: Task) -> None:
        """Interrupt the row where that does no harm, else look again soon; give the slot up when it takes too long."""
        with self._lock:
            if self._task is not task:
                return
            children = list(self._children)
            if not self._issued and self._may_interrupt():
                self._issued = True
                thread = ctypes.c_ulong(self._runner)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Stop))
            late = time.monotonic() - self._asked_at > GRACE_S and not self._given_up
            self._given_up = self._given_up or late
            if not self._issued or not self._given_up:
                self._watchdog.watch(self, RETRY_S)
        for child in children:
            child.cancel()
        if late:
            threading.Thread(target=self._abandon, args=(task,), name="hfreg give up", daemon=True).start()

    def _may_interrupt(self) -> bool:
        """Whether the thread is in scoring logic or a library, and in no import."""
        frame = sys._current_frames().get(self._runner)
        while frame is not None:
            file = frame.f_code.co_filename
            place = file, frame.f_code.co_name
            if file.startswith(("<frozen importlib", _HFREG)) and place != _THROUGH:
                return place in _WITHIN
            if file == self._model.source_name:
                return True
            frame = frame.f_back
        return False

    def _abandon(self, task: Task) -> None:
        """Answer for a row that does not end, and let a fresh slot take over what waits."""
        if task in self._flight:
            self._flight.remove(task)
        self._answer_for(task)
        self._give_up(self)

    def _answer_for(self, task: Task) -> None:
        reason = f"{self._reason or 'cancelled'} in C"
        task.job.put(task, stopped(task.job, reason, self._started, 0.0, self._model.printed()))
