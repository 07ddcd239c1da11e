"""Worker slot: one loaded model in a process of its own.

The slot checks the arguments, has a worker forked when there is none, hands it one row at a time and turns every way
that can end into an Outcome. What the worker asks for on the way (files, other models) is answered from a thread, so
that time and memory go on being watched. A worker that idles is frozen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from queue import Empty
from typing import Any

from hfreg.engine import Event, Loaded, Outcome, Platform, Resolver, Timings
from hfreg.engine.ending import stopped
from hfreg.engine.isolated import channel
from hfreg.engine.isolated.channel import BadFrame, Frame
from hfreg.engine.isolated.errors import from_frame
from hfreg.engine.isolated.folders import View
from hfreg.engine.isolated.process import Ended, WorkerProcess
from hfreg.engine.isolated.redaction import redacted
from hfreg.engine.isolated.requests import Requests
from hfreg.engine.isolated.sandbox import tier
from hfreg.engine.job import Task
from hfreg.engine.row import MAX_PRINTED
from hfreg.engine.slot import Slot
from hfreg.errors import HfregError, NotConfined, ScoringError
from hfreg.version import Version

IDLE_S = 0.5
"""Seconds without a row after which a worker is frozen."""
EVENTS = {"loading": "what", "running": "row", "print": "text", "piece": "value"}
"""What a worker may tell of, and the field that tells it."""

Start = Callable[[Version, Mapping[str, str]], tuple[WorkerProcess, View]]


class WorkerSlot(Slot):
    """One model loaded in a worker."""

    def __init__(self, version: Version, platform: Platform, start: Start, readable: Sequence[Path]) -> None:
        super().__init__(version)
        self._platform = platform
        self._start_worker = start
        self._cancel = threading.Event()
        self._resolver: Resolver = platform.resolver(version, self._tell, self._cancel)
        self._requests = Requests(version, platform, self._resolver, readable)
        self._process: WorkerProcess | None = None
        self._view: View | None = None
        self._since = time.time()
        self._calls = self._number = 0
        self._load_ms = 0.0
        self._printed: list[str] = []
        self._room = 0
        self._answer: Frame = {}
        self._secrets: frozenset[str] = frozenset()

    def describe(self) -> Loaded | None:
        process = self._process
        if process is None or not process.alive:
            return None
        return Loaded(
            alias=self.version.alias,
            version=self.version.number,
            state=self.version.state,
            since=self._since,
            last_call=self.last_call,
            calls=self._calls,
            memory_bytes=process.usage.proportional_bytes(),
            load_ms=self._load_ms,
            busy=self._task is not None,
        )

    def _next(self) -> Task | None:
        try:
            return self._queue.get(timeout=IDLE_S)
        except Empty:
            if self._process is not None:
                self._process.freeze()
            return self._queue.get()

    def _run(self, task: Task) -> None:
        if not task.job.begin(task, lambda: self._stop(task)):
            return
        started, waited = time.perf_counter(), (time.perf_counter() - task.put_at) * 1e3
        with self._lock:
            self._task = task
            self._children.clear()
            self._cancel.clear()
        self._printed, self._room = [], MAX_PRINTED
        outcome = self._outcome(task, started, waited)
        with self._lock:
            self._task = None
            late, stopping = self._given_up, self._cancel.is_set()
        if stopping and outcome.status != "cancelled":  # stopped just as it was done: its worker is being ended
            self._drop()
            outcome = stopped(task.job, "cancelled", started, waited, "".join(self._printed))
        self.last_call = time.time()
        if not late:
            task.job.put(task, outcome)

    def _outcome(self, task: Task, started: float, waited: float) -> Outcome:
        cold = False
        try:
            arguments = self.version.definition.bind(**task.row)
            cold = self._ready()
            return self._answered(task, arguments, cold, started, waited)
        except Ended as end:
            return self._ended(task, end, started, waited)
        except HfregError as error:
            return self._made(started, waited, 0.0, cold, error=error)

    def _ready(self) -> bool:
        """Have a worker that runs; returns whether it had to be started."""
        process = self._process
        if process is not None and process.alive:
            process.thaw()
            return False
        self._drop()
        environment = self._platform.environment(self.version)
        self._secrets = frozenset(environment.values())
        self._process, self._view = self._start_worker(self.version, environment)
        if self._process.missing:
            raise NotConfined(
                f"{self.version.alias} does not run: its process could not be confined. Missing: "
                f"{', '.join(self._process.missing)}. `hfreg doctor` tells what this machine offers."
            )
        self._process.send(
            {"kind": "start", "version": self.version.model_dump_json(), "environment": dict(environment)}
        )
        self._since, self._calls = time.time(), 0
        if self._cancel.is_set():
            self._process.kill("cancelled")
        return True

    def _answered(self, task: Task, arguments: Mapping[str, Any], cold: bool, started: float, waited: float) -> Outcome:
        process = self._process
        assert process is not None  # noqa: S101
        self._number += 1
        began = time.perf_counter()
        try:
            process.send({"kind": "row", "id": self._number, "row": channel.pack(arguments)})
        except BadFrame as problem:
            raise ScoringError(f"The arguments are too large for {self.version.alias}: {problem}.") from None
        process.follow(task.job.limit_s, lambda frame: self._take(process, frame))
        ran_ms = (time.perf_counter() - began) * 1e3
        load_ms = process.loading_s * 1e3
        self._calls += 1
        self._load_ms += load_ms
        return self._judged(ran_ms, load_ms, cold or load_ms > 0, started, waited)

    def _judged(self, ran_ms: float, load_ms: float, cold: bool, started: float, waited: float) -> Outcome:
        """Hold what a worker answered to the output type again: it is not to be believed."""
        told = self._answer
        warnings, notes = _texts(told.get("warnings")), _texts(told.get("notes"))
        value, error = None, None
        if "error" in told:
            error = from_frame(told["error"])
        else:
            try:
                converted = self.version.definition.parsed_output_type.convert(channel.unpack(told.get("value")))
                value, warnings = converted.value, (*warnings, *converted.warnings)
            except (HfregError, BadFrame) as problem:
                error = problem if isinstance(problem, HfregError) else ScoringError(str(problem))
        return self._made(started, waited, ran_ms, cold, value, error, warnings, notes, load_ms)

    def _ended(self, task: Task, end: Ended, started: float, waited: float) -> Outcome:
        self._drop()
        for child in self._children:  # it waits for nobody any more
            child.cancel()
        if end.reason in {"timeout", "cancelled"}:
            return stopped(task.job, end.reason, started, waited, "".join(self._printed))
        alias = self.version.alias
        what, kind = {
            "memory": (f"{alias} took more memory than it may: {end}. Its process was ended.", "MemoryError"),
            "protocol": (f"{alias} said what no model may: {end}. Its process was ended.", "ProtocolError"),
        }.get(end.reason, (f"The process of {alias} is no more: {end}", "ProcessEnded"))
        return self._made(started, waited, 0.0, False, error=ScoringError(what, kind))

    def _made(
        self,
        started: float,
        waited: float,
        ran_ms: float,
        cold: bool,
        value: Any = None,
        error: HfregError | None = None,
        warnings: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        load_ms: float = 0.0,
    ) -> Outcome:
        total_ms = (time.perf_counter() - started) * 1e3 + waited
        return Outcome(
            alias=self.version.alias,
            version=self.version.number,
            state=self.version.state,
            value=value,
            error=error,
            warnings=warnings,
            notes=notes,
            stdout=redacted("".join(self._printed), self._secrets),
            timings=Timings(waited, load_ms, max(0.0, ran_ms - load_ms), total_ms),
            cold=cold,
            tier=tier(self._process.layers) if self._process else "process only",
            pins=self._resolver.pins,
            status="ok" if error is None else "error",
        )

    # What the worker says

    def _take(self, process: WorkerProcess, frame: Frame) -> None:
        frame = redacted(frame, self._secrets)
        kind = frame.get("kind")
        if kind == "outcome" and frame.get("id") == self._number:
            self._answer = frame
        elif kind == "event":
            self._take_event(process, frame.get("event"), frame.get("data"))
        elif kind == "ask":
            process.loads("asked", frame.get("what") == "resolve")
            context = copy_context()  # so that a call of another model is one on behalf of the same user
            threading.Thread(target=context.run, args=(self._reply, process, frame), daemon=True).start()
        else:
            process.kill("protocol")

    def _take_event(self, process: WorkerProcess, kind: Any, data: Any) -> None:
        if kind == "loaded":
            process.loads("told", False)
            if self._task is not None:
                self._task.job.emit("loaded", ms=process.loading_s * 1e3)
        if kind not in EVENTS or not isinstance(data, dict) or (task := self._task) is None:
            return
        if kind == "loading":
            process.loads("told", True)
        value = channel.unpack(data.get(EVENTS[kind]))
        if kind == "print" and isinstance(value, str):
            kept = value[: self._room]
            self._room -= len(kept)
            if not kept:
                return
            value = kept
            self._printed.append(kept if self._room else kept + "\n… more was printed than the platform keeps\n")
        task.job.emit(kind, **{EVENTS[kind]: task.position if kind == "running" else value})

    def _reply(self, process: WorkerProcess, frame: Frame) -> None:
        process.send(self._requests.answer(frame, self._view))
        process.loads("asked", False)

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
        task.job.put(task, stopped(task.job, "cancelled", time.perf_counter(), 0.0, "".join(self._printed)))

    def _unload(self) -> None:
        self._drop()

    def _drop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()
        view, self._view = self._view, None
        if view is not None:
            view.remove()


def _texts(given: Any) -> tuple[str, ...]:
    """Return the texts of a list, as many and as long as a page can show."""
    return tuple(str(text)[:2000] for text in given[:100]) if isinstance(given, list) else ()
