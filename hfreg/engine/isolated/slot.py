"""Worker slot: one loaded model in a process of its own.

The slot checks the arguments, has a worker forked when there is none, hands it one row at a time, or those that may run
together (`hfreg.engine.isolated.together`), and turns every way that can end into an Outcome. What the worker asks for
on the way (files, other models) is answered from a thread, so that time and memory go on being watched.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any

from hfreg.engine import Outcome, Timings
from hfreg.engine.ending import stopped
from hfreg.engine.isolated import channel
from hfreg.engine.isolated.answer import Answer, judged, lost
from hfreg.engine.isolated.channel import BadFrame
from hfreg.engine.isolated.clock import Clock
from hfreg.engine.isolated.holding import Holding
from hfreg.engine.isolated.process import Ended
from hfreg.engine.isolated.sandbox import tier
from hfreg.engine.isolated.telling import Telling
from hfreg.engine.isolated.together import Together
from hfreg.engine.job import Task
from hfreg.errors import HfregError, ScoringError


class WorkerSlot(Holding):
    """One model loaded in a worker."""

    _said: Telling | None = None

    def _run(self, task: Task) -> None:
        if not task.job.begin(task, lambda: self._stop(task)):
            return
        started, waited = time.perf_counter(), (time.perf_counter() - task.put_at) * 1e3
        with self._lock:
            self._task = task
            self._children.clear()
            self._cancel.clear()
        self._said = said = self.telling(task)
        outcome = self._outcome(task, said, started, waited)
        with self._lock:
            self._task = None
            late, stopping = self._given_up, self._cancel.is_set()
        if stopping and outcome.status != "cancelled":  # stopped just as it was done: its worker is being ended
            self._drop()
            outcome = stopped(task.job, "cancelled", started, waited, said.printed)
        if not task.only_loads:
            self.last_call = time.time()
            self._note(outcome)
        if not late:
            task.job.put(task, outcome)

    def _outcome(self, task: Task, said: Telling, started: float, waited: float) -> Outcome:
        cold = False
        try:
            arguments = {} if task.only_loads else self.version.definition.bind(**task.row)
            with self.room():
                begun = time.perf_counter()
                started, waited = begun, waited + (begun - started) * 1e3
                cold = self._ready()
                if task.only_loads:
                    return self.made(Answer(), said, started, waited)
                return self._answered(task, arguments, said, cold, started, waited)
        except Ended as end:
            return self._ended(task, end, said, started, waited)
        except HfregError as error:
            return self.made(Answer(error=error), said, started, waited, cold=cold)

    def _answered(
        self, task: Task, arguments: Mapping[str, Any], said: Telling, cold: bool, started: float, waited: float
    ) -> Outcome:
        process, view, secrets = self._process, self._view, self._secrets
        assert process is not None  # noqa: S101
        began = time.perf_counter()
        try:
            process.send({"kind": "row", "id": said.number, "row": channel.pack(arguments)})
        except BadFrame as problem:
            raise ScoringError(f"The arguments are too large for {self.version.alias}: {problem}.") from None
        process.follow(Clock(task.job.limit_s), lambda frame: said.hear(process, view, secrets, frame))
        ran_ms = (time.perf_counter() - began) * 1e3
        load_ms = process.clock.loading_s * 1e3
        self.count(load_ms)
        answer = judged(said.answer, self.version.definition)
        return self.made(answer, said, started, waited, ran_ms, load_ms, cold or load_ms > 0)

    def _ended(self, task: Task, end: Ended, said: Telling, started: float, waited: float) -> Outcome:
        self.lose()
        if end.reason in {"timeout", "cancelled"}:
            return stopped(task.job, end.reason, started, waited, said.printed)
        return self.made(Answer(error=lost(self.version.alias, end, self._secrets)), said, started, waited)

    def made(
        self,
        answer: Answer,
        said: Telling,
        started: float,
        waited: float,
        ran_ms: float = 0.0,
        load_ms: float = 0.0,
        cold: bool = False,
    ) -> Outcome:
        """Return the Outcome of a row that came to an answer, or to an error in its place."""
        total_ms = (time.perf_counter() - started) * 1e3 + waited
        return Outcome(
            alias=self.version.alias,
            version=self.version.number,
            state=self.version.state,
            value=answer.value,
            error=answer.error,
            warnings=answer.warnings,
            notes=answer.notes,
            stdout=said.printed,
            timings=Timings(waited, load_ms, max(0.0, ran_ms - load_ms), total_ms),
            cold=cold,
            tier=tier(self._process.layers) if self._process else self._tier,
            pins=self._resolver.pins,
            status="ok" if answer.error is None else "error",
        )

    # Rows that run together

    def _run_together(self, tasks: list[Task]) -> None:
        with self._lock:
            self._said = None
            self._children.clear()
            self._cancel.clear()
        alone = Together(self).run(tasks)
        with self._lock:
            self._task = None
            stopping = self._cancel.is_set()
        if stopping:  # its worker is being ended
            self._drop()
        for task in alone:
            self._run_safely(task)
            self.leave_flight(task)

    def telling(self, task: Task) -> Telling:
        """Return what hears a row, by a number of its own."""
        self._number += 1
        return Telling(task, self._number, self._requests)

    def room(self) -> AbstractContextManager[None]:
        """Hold memory for a row; wait for it where there is none."""
        return self._residency.room(self.version, self._cancel.is_set)

    def turn_to(self, task: Task) -> None:
        """Note which row is in work."""
        self._task = task

    def count(self, load_ms: float) -> None:
        """Count an answer of the worker, and what it loaded for it."""
        self._calls += 1
        self._load_ms += load_ms

    def land(self, task: Task, outcome: Outcome) -> None:
        """Hand the Outcome of a row that ran with others to its caller, from any thread."""
        self.leave_flight(task)
        self.last_call = time.time()
        self._note(outcome)
        if not self._given_up:
            task.job.put(task, outcome)

    def leave_flight(self, task: Task) -> None:
        """Forget a row that has its answer, or is not to have one."""
        with suppress(ValueError):  # answered for already
            self._flight.remove(task)

    # Ending

    def lose(self) -> None:
        """Let go of a worker that ended while a row was in work, and of what that row waited for."""
        self._drop()
        self.stop_children()

    def stop_children(self, of: Task | None = None) -> None:
        """Cancel the calls of other models that scoring logic waits for; of one row where it is given."""
        if of is None or self._task is of:
            for child in self._children.copy():
                child.cancel()

    def stop_all(self) -> None:
        """Note that nobody waits for what runs together any more."""
        self._cancel.set()

    def _stop(self, task: Task) -> None:
        with self._lock:
            if self._task is not task:
                return
            self._cancel.set()
            process, children = self._process, list(self._children)
        for child in children:
            child.cancel()
        if process is not None:
            process.kill("cancelled")

    def _interrupted(self, task: Task) -> None:
        if self._task is task:  # what its worker still does is nobody's row any more
            self._drop()
        super()._interrupted(task)

    def _answer_for(self, task: Task) -> None:
        printed = self._said.printed if self._said else ""
        task.job.put(task, stopped(task.job, "cancelled", time.perf_counter(), 0.0, printed))
