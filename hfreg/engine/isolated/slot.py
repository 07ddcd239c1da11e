"""Worker slot: one loaded model in a process of its own.

The slot checks the arguments, has a worker forked when there is none, hands it one row at a time and turns every way
that can end into an Outcome. What the worker asks for on the way (files, other models) is answered from a thread, so
that time and memory go on being watched. A worker that idles is frozen, and may be evicted by whoever needs its memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any, Protocol

from hfreg.engine import Event, Loaded, Outcome, Resolver, Timings
from hfreg.engine.ending import stopped
from hfreg.engine.isolated import channel
from hfreg.engine.isolated.answer import Answer, judged, lost
from hfreg.engine.isolated.channel import BadFrame
from hfreg.engine.isolated.folders import View
from hfreg.engine.isolated.process import Ended, WorkerProcess
from hfreg.engine.isolated.requests import Requests
from hfreg.engine.isolated.residency import Gauge, Residency, Sizes
from hfreg.engine.isolated.sandbox import tier
from hfreg.engine.isolated.telling import Telling
from hfreg.engine.job import Task
from hfreg.engine.slot import Slot
from hfreg.errors import HfregError, NotConfined, ScoringError
from hfreg.version import Version

IDLE_S = 0.5
"""Seconds without a row after which a worker is measured and frozen."""
SHOWN_S = 10.0
"""How old the memory of a worker may be that a page shows."""


class Start(Protocol):
    """Starts a worker that has its limit of memory."""

    def __call__(
        self, version: Version, environment: Mapping[str, str], limit_bytes: int
    ) -> tuple[WorkerProcess, View]:
        """Return the process and the files that it may read."""


class WorkerSlot(Slot):
    """One model loaded in a worker."""

    def __init__(
        self, version: Version, platform: Sizes, residency: Residency, start: Start, readable: Sequence[Path], tier: str
    ) -> None:
        super().__init__(version)
        self._tier = tier
        self._residency = residency
        limit_mb = version.definition.limits.memory_mb
        self._limit_bytes = limit_mb * 2**20 if limit_mb else residency.budget_bytes
        self._platform = platform
        self._start_worker = start
        self._cancel = threading.Event()
        self._resolver: Resolver = platform.resolver(version, self._tell, self._cancel)
        self._requests = Requests(version, platform, self._resolver, readable)
        self._process: WorkerProcess | None = None
        self._view: View | None = None
        self._gauge: Gauge | None = None
        self._frozen = False
        self._since = time.time()
        self._calls = self._number = 0
        self._load_ms = 0.0
        self._said: Telling | None = None
        self._secrets: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        return self._process is not None or self._task is not None

    @property
    def settled(self) -> bool:
        """Whether its worker has answered, so that what it holds is known."""
        process = self._process
        return process is not None and self._calls > 0 and process.alive

    @property
    def used_at(self) -> float:
        """When it was last of use to anybody."""
        return max(self._since, self.last_call)

    def memory_bytes(self, max_age_s: float | None) -> int:
        """Return what its worker holds, measured at most so long ago; None: as last known."""
        process, gauge = self._process, self._gauge
        return gauge.read(max_age_s) if process is not None and gauge is not None and process.alive else 0

    def evict(self) -> None:
        """End its worker; the next call starts another. Called only while it runs no row."""
        self._drop()

    def describe(self, measure: bool = True) -> Loaded | None:
        process = self._process
        there = process is not None and process.alive
        if not there and self._task is None:
            return None
        layers = process.layers if process is not None else {}
        return self._described(
            since=self._since,
            calls=self._calls,
            memory_bytes=self.memory_bytes(SHOWN_S if measure else None),
            load_ms=self._load_ms,
            tier=tier(layers) if layers else self._tier,
            layers=layers,
            pid=process.pid if process is not None and there else None,
            frozen=self._frozen,
            cpu_s=process.usage.cpu_s() if process is not None and there else 0.0,
            limit_bytes=self._limit_bytes,
        )

    def _next(self) -> Task | None:
        try:
            return self._lanes.get(IDLE_S)
        except Empty:
            self._rest()
            return self._lanes.get()

    def _rest(self) -> None:
        """Look what the worker has come to, have others go if that is too much, and let it use no processor."""
        process, gauge = self._process, self._gauge
        if process is None or gauge is None:
            return
        if gauge.stale:
            gauge.read(0.0)
            self._residency.settle()
        process.freeze()
        self._frozen = self._process is process

    def _run(self, task: Task) -> None:
        if not task.job.begin(task, lambda: self._stop(task)):
            return
        started, waited = time.perf_counter(), (time.perf_counter() - task.put_at) * 1e3
        with self._lock:
            self._task = task
            self._children.clear()
            self._cancel.clear()
        self._number += 1
        self._said = said = Telling(task, self._number, self._requests)
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
            with self._residency.room(self.version, self._cancel.is_set):
                begun = time.perf_counter()
                started, waited = begun, waited + (begun - started) * 1e3
                cold = self._ready()
                if task.only_loads:
                    return self._made(Answer(), said, started, waited)
                return self._answered(task, arguments, said, cold, started, waited)
        except Ended as end:
            return self._ended(task, end, said, started, waited)
        except HfregError as error:
            return self._made(Answer(error=error), said, started, waited, cold=cold)

    def _ready(self) -> bool:
        """Have a worker that runs; returns whether it had to be started."""
        process = self._process
        if process is not None and process.alive:
            self._frozen = False
            process.thaw()
            return False
        self._drop()
        environment = self._platform.environment(self.version)
        self._secrets = frozenset(environment.values())
        self._since, self._calls, self._load_ms = time.time(), 0, 0.0
        self._process, self._view = self._start_worker(self.version, environment, self._limit_bytes)
        self._gauge = Gauge(self._process.usage, self._residency.enter(self))
        if self._process.missing:
            raise NotConfined(
                f"{self.version.alias} does not run: its process could not be confined. Missing: "
                f"{', '.join(self._process.missing)}. `hfreg doctor` tells what this machine offers."
            )
        self._process.send(
            {"kind": "start", "version": self.version.model_dump_json(), "environment": dict(environment)}
        )
        if self._cancel.is_set():
            self._process.kill("cancelled")
        return True

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
        process.follow(task.job.limit_s, lambda frame: said.hear(process, view, secrets, frame))
        ran_ms = (time.perf_counter() - began) * 1e3
        load_ms = process.clock.loading_s * 1e3
        self._calls += 1
        self._load_ms += load_ms
        answer = judged(said.answer, self.version.definition)
        return self._made(answer, said, started, waited, ran_ms, load_ms, cold or load_ms > 0)

    def _ended(self, task: Task, end: Ended, said: Telling, started: float, waited: float) -> Outcome:
        self._drop()
        for child in self._children:  # it waits for nobody any more
            child.cancel()
        if end.reason in {"timeout", "cancelled"}:
            return stopped(task.job, end.reason, started, waited, said.printed)
        return self._made(Answer(error=lost(self.version.alias, end, self._secrets)), said, started, waited)

    def _made(
        self,
        answer: Answer,
        said: Telling,
        started: float,
        waited: float,
        ran_ms: float = 0.0,
        load_ms: float = 0.0,
        cold: bool = False,
    ) -> Outcome:
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

    def _tell(self, event: Event) -> None:
        """Pass on how a download goes."""
        if (task := self._task) is not None:
            task.job.emit(event.kind, **event.data)

    # Ending

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

    def _answer_for(self, task: Task) -> None:
        printed = self._said.printed if self._said else ""
        task.job.put(task, stopped(task.job, "cancelled", time.perf_counter(), 0.0, printed))

    def _unload(self) -> None:
        self._drop()

    def _drop(self) -> None:
        """Let go of the worker, from whichever thread is first."""
        with self._lock:
            process, self._process = self._process, None
            view, self._view = self._view, None
            self._gauge, self._frozen = None, False
        if process is not None:
            process.close()
            self._residency.leave(self)
        if view is not None:
            view.remove()
