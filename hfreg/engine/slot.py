"""Slot: one loaded model of the inline engine, which is one thread that runs one row at a time.

The slot compiles the source on its first row, keeps what it loads, runs rows of jobs in the order they
came and turns whatever happens into Outcomes. Interrupting is an exception set on the thread from outside;
it lands at the next bytecode. When it does not land within `GRACE_S` (a long call into C), the slot is
given up: its caller gets the answer at once and a fresh slot takes over what waits.
"""

from __future__ import annotations

import ctypes
import gc
import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from hfreg.engine import Loaded, Outcome, Platform
from hfreg.engine.job import Job
from hfreg.engine.row import LoadedModel, Stop, failed, stopped
from hfreg.engine.watchdog import Watchdog
from hfreg.version import Version

GRACE_S = 1.0

_current = threading.local()


class Slot:
    """One loaded model: its thread, its queue, and what is running."""

    def __init__(
        self, version: Version, platform: Platform, watchdog: Watchdog, give_up: Callable[[list[Job]], None]
    ) -> None:
        self.last_call = time.time()
        self._version = version
        self._model = LoadedModel(version, platform)
        self._watchdog = watchdog
        self._give_up = give_up
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._job: Job | None = None
        self._reason: str | None = None
        self._children: list[Job] = []
        self._given_up = False
        self._thread = threading.Thread(target=self._work, name=f"hfreg {version.alias} v{version.number}", daemon=True)
        self._thread.start()

    @staticmethod
    def current() -> Slot | None:
        """Return the slot whose thread this is, or None."""
        return getattr(_current, "slot", None)

    def put(self, job: Job) -> None:
        """Queue a job."""
        self._queue.put(job)

    def stop(self) -> None:
        """End the thread once what is queued has run, and drop the model."""
        self._queue.put(None)

    def join(self, seconds: float) -> None:
        """Wait for the thread to end."""
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def cancel(self) -> None:
        """Cancel the job in work."""
        if (job := self._job) is not None:
            job.cancel()

    def adopt(self, child: Job) -> None:
        """Remember a job that this slot's scoring logic waits for, so that stopping reaches it."""
        self._children.append(child)

    def describe(self) -> Loaded | None:
        """Describe the model in memory; None while nothing was ever run."""
        model = self._model
        if not model.calls and self._job is None:
            return None
        version = self._version
        return Loaded(
            alias=version.alias,
            version=version.number,
            state=version.state,
            since=model.since,
            last_call=self.last_call,
            calls=model.calls,
            memory_bytes=model.memory_bytes(),
            load_ms=model.load_ms,
            busy=self._job is not None,
        )

    def overdue(self) -> None:
        """The watchdog's call: the row ran out of time, or did not heed being interrupted."""
        if self._reason is None:
            self._interrupt("timeout")
        else:
            self._abandon()

    def _work(self) -> None:
        _current.slot = self
        while not self._given_up and (job := self._queue.get()) is not None:
            self._run(job)
        if not self._given_up:
            if self._model.unload():
                gc.collect()  # weights are held in circles; without any, this would only cost a tenth of a second

    def _run(self, job: Job) -> None:
        try:
            while not job.cancelled and (row := job.next_row()) is not None:
                outcome = self._guarded(job, row)
                if self._given_up:
                    return
                job.put(outcome)
        except Exception as error:  # the rows themselves raised: a generator of the caller's
            job.put(failed(job, error))
        if job.cancelled and job.row < 0:  # stopped while it waited: its caller still gets an answer
            job.put(stopped(job, "cancelled", job.submitted_at, 0.0, ""))
        job.finish()

    def _guarded(self, job: Job, row: Mapping[str, Any]) -> Outcome:
        """Run one row so that an interruption lands inside, never after."""
        started = time.perf_counter()
        queue_ms = (started - job.submitted_at) * 1e3 if job.row == 0 else 0.0
        self._start(job)
        if job.limit_s is not None:
            self._watchdog.watch(self, job.limit_s)
        outcome: Outcome | None = None
        try:
            job.begin(lambda: self._interrupt("cancelled"))
            outcome = self._model.run(job, row, queue_ms)
            self._finish()
            self._await_stop()
        except Stop:
            self._finish()
        self.last_call = time.time()
        if outcome is None or self._reason is not None:  # stopped, or stopped just as it was done
            outcome = stopped(job, self._reason or "cancelled", started, queue_ms, self._model.printed())
        return outcome

    def _start(self, job: Job) -> None:
        with self._lock:
            self._job, self._reason = job, None
            self._children.clear()

    def _finish(self) -> None:
        """From here on nothing interrupts this row."""
        with self._lock:
            self._job = None
            self._watchdog.forget(self)

    def _await_stop(self) -> None:
        """Let an interruption that was set just before the end land here, not in the next row.

        Taking it back instead would leave CPython looking for it at every bytecode of every thread. One that
        scoring logic caught itself does not come, so this waits for a few bytecodes only.
        """
        if self._reason is not None:
            for _ in range(10):
                time.sleep(0.001)

    def _interrupt(self, reason: str) -> None:
        with self._lock:
            if self._job is None or self._reason is not None:  # over, or being stopped already
                return
            self._reason = reason
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._thread.ident or 0), ctypes.py_object(Stop))
            self._watchdog.watch(self, GRACE_S)
            children = list(self._children)
        for child in children:
            child.cancel()

    def _abandon(self) -> None:
        """The interruption did not land: answer for the row, and hand what waits to a fresh slot."""
        with self._lock:
            job = self._job
            if job is None or self._given_up:
                return
            self._given_up = True
        job.put(stopped(job, f"{self._reason} in C", job.submitted_at, 0.0, self._model.printed()))
        waiting = [job]
        while not self._queue.empty():
            if (queued := self._queue.get()) is not None:
                waiting.append(queued)
        self._queue.put(None)
        self._give_up(waiting)
