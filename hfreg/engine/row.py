"""Row: one row of arguments through one loaded model, in the thread it is called on.

Binds, compiles and loads on first use, runs, converts the answer, and turns every way it can end into an
Outcome. It is stopped from outside by a `Stop` set on its thread; who does that is `hfreg.engine.slot`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import suppress
from functools import partial
from types import GeneratorType
from typing import Any

from hfreg.engine import Event, Outcome, Platform, Resolver, Timings
from hfreg.engine.failure import scoring_failure
from hfreg.engine.job import Job, Task
from hfreg.errors import HfregError
from hfreg.input_types import MODEL_DIR
from hfreg.scoring import media
from hfreg.scoring.batching import Crew, Row
from hfreg.scoring.compile import compile_logic, source_name
from hfreg.scoring.libraries import Libraries
from hfreg.scoring.placement import Placement
from hfreg.scoring.tally import Tally
from hfreg.version import Version

MAX_PRINTED = 64 * 1024
CONFINED = "confined"
"""The tier in which a model has the network only when its definition asks for it."""


class Stop(BaseException):
    """Set on a thread from outside, to end the row in work."""


class Clock:
    """Where the time of one row goes, in seconds of `time.perf_counter()`."""

    __slots__ = ("queue_ms", "ran", "run_started", "started", "waited")

    def __init__(self, queue_ms: float) -> None:
        self.queue_ms = queue_ms
        self.started = self.run_started = time.perf_counter()
        self.ran = 0.0
        self.waited = 0.0  # for rows that it runs together with

    def timings(self, load_ms: float) -> Timings:
        """Return the milliseconds so far; loading happens within the run and is told apart."""
        total_ms = (time.perf_counter() - self.started) * 1e3 + self.queue_ms
        waited_ms = self.waited * 1e3
        run_ms = max(0.0, self.ran * 1e3 - load_ms - waited_ms)
        return Timings(self.queue_ms + waited_ms, load_ms, run_ms, total_ms)


class Now:
    """The row in work: what belongs to it alone while others run together with it."""

    __slots__ = ("clock", "job", "printed", "room", "tally")

    def __init__(self, job: Job | None, clock: Clock) -> None:
        self.job = job
        self.clock = clock
        self.printed: list[str] = []
        self.room = MAX_PRINTED
        self.tally = Tally()


NOBODY = Now(None, Clock(0.0))
"""What stands where a row is while none is in work."""


class LoadedModel:
    """The compiled source of one version with everything it loaded."""

    def __init__(self, version: Version, platform: Platform) -> None:
        self.since = time.time()
        self.calls = 0
        self.load_ms = 0.0
        self.cancel = threading.Event()
        self._version = version
        self._platform = platform
        self._resolver: Resolver | None = None
        self._libraries: Libraries | None = None
        self._function: Callable[..., Any] | None = None
        self._begun = False
        self._now = NOBODY
        self._crew: Crew | None = None

    @property
    def ready(self) -> bool:
        """Whether its source is compiled; what that loads is loaded when it runs."""
        return self._function is not None

    @property
    def source_name(self) -> str:
        """The pseudo-filename of the scoring logic; empty before it is compiled."""
        return self._libraries.source_name if self._libraries else ""

    def run(self, task: Task, queue_ms: float, through: type[BaseException] = Stop) -> Outcome:
        """Run one row and return its Outcome, whatever happens in it; only Stop and `through` pass."""
        job = task.job
        clock, cold = Clock(queue_ms), not self._begun
        self._now = Now(job, clock)
        value: Any = None
        warnings: tuple[str, ...] = ()
        error: HfregError | None = None
        try:
            value, warnings = self._answer(task, clock, cold)
        except (Stop, through):
            raise
        except HfregError as problem:
            error = problem
        except BaseException as problem:  # scoring logic may raise anything, SystemExit too
            secrets = self._libraries.secrets if self._libraries else frozenset[str]()
            error = scoring_failure(
                problem, job.version.alias, job.version.number, self.source_name, secrets, self._cut_off
            )
        return self._outcome(job, clock, cold, value, warnings, error)

    @property
    def _cut_off(self) -> bool:
        job = self._now.job
        return job is not None and job.tier == CONFINED and not self._version.definition.network

    def printed(self) -> str:
        """Return what the row in work printed so far."""
        return "".join(self._now.printed)

    def together(self, rows: Iterable[Row]) -> None:
        """Run rows that each call `run` of this on a thread of its own, so that their forward passes are few."""
        if self._crew is None:
            self._crew = Crew(f"hfreg {self._version.alias} row", self._loads)
        with suppress(Exception):  # each row comes to it by itself, and tells it
            self._ready()[1].memo.on_new = self._crew.adopt
        try:
            self._crew.run(rows)
        finally:
            if self._libraries is not None:
                self._libraries.memo.on_new = None

    def leave(self) -> Now:
        """Set the row in work aside, and return what is to be given back with `enter`."""
        now, self._now = self._now, NOBODY
        if self._libraries is not None:
            now.tally = self._libraries.tally
        return now

    def enter(self, now: Now, waited_s: float = 0.0) -> None:
        """Take up a row that was set aside, after it waited so long for others."""
        self._now = now
        now.clock.waited += waited_s
        if self._libraries is not None:
            self._libraries.tally = now.tally

    def _loads(self) -> Iterable[Any]:
        return self._libraries.memo.values() if self._libraries is not None else ()

    def loading(self) -> tuple[float, bool]:
        """Return the seconds that the row in work has spent on loading, and whether it is loading now."""
        if (libraries := self._libraries) is None:
            return 0.0, False
        since = libraries.tally.loading_since
        return libraries.tally.load_seconds + (time.perf_counter() - since if since else 0.0), since is not None

    def memory_bytes(self) -> int:
        """Measure what the loaded weights take."""
        return self._libraries.memo.memory_bytes() if self._libraries else 0

    def unload(self) -> bool:
        """Drop what was loaded; returns whether there was anything."""
        libraries, self._libraries, self._function = self._libraries, None, None
        crew, self._crew = self._crew, None
        if crew is not None:
            crew.close()
        return libraries.unload() if libraries else False

    def _answer(self, task: Task, clock: Clock, cold: bool) -> tuple[Any, tuple[str, ...]]:
        job, definition = task.job, task.job.version.definition
        arguments = {} if task.only_loads else definition.bind(**task.row)
        if definition.takes_media:
            arguments = media.decoded(arguments)
        function, libraries = self._ready()
        if task.only_loads:
            return None, ()
        libraries.begin(warm=not cold)
        self._begun = True
        job.emit("running", row=task.position)
        clock.run_started = time.perf_counter()
        try:
            value = self._called(function, arguments)
        finally:
            clock.ran = time.perf_counter() - clock.run_started
            self.calls += 1
            libraries.end()
            if libraries.tally.load_seconds:
                self.load_ms += libraries.tally.load_seconds * 1e3
        converted = definition.parsed_output_type.convert(value)
        return converted.value, (*libraries.tally.warnings, *converted.warnings)

    def _called(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
        value = function(**arguments)
        return self._streamed(value) if isinstance(value, GeneratorType) else value

    def _ready(self) -> tuple[Callable[..., Any], Libraries]:
        """Compile the source on first use; what it loads is loaded when it runs."""
        if self._function is None or self._libraries is None:
            version, platform = self._version, self._platform
            self._resolver = platform.resolver(version, self._pass_on, self.cancel)
            libraries = Libraries(
                self._resolver,
                platform.environment(version),
                self._write,
                lambda what: self._emit("loading", what),
                lambda seconds: self._emit("loaded", seconds * 1e3),
            )
            libraries.placement = Placement(version.definition.options)
            names: dict[str, Any] = {"cache": libraries.cache}
            if version.definition.input_type == "Custom":
                folder = platform.folder(version) if version.definition.folder else None
                names[MODEL_DIR] = libraries.model_dir = str(folder) if folder else None
            for alias in version.definition.resources:
                names[alias] = partial(self._call_resource, alias)
            label = f"{version.alias} v{version.number}" if version.number else f"{version.alias} (not saved)"
            function = compile_logic(version.definition, names, libraries.import_, libraries.builtins, label)
            libraries.source_name = source_name(function)
            self._function, self._libraries = function, libraries
        return self._function, self._libraries

    def _streamed(self, pieces: Generator[Any, Any, Any]) -> Any:
        """Hand on each piece as it comes; the value is what was returned, else the pieces joined."""
        collected: list[Any] = []
        while True:
            try:
                piece = next(pieces)
            except StopIteration as end:
                if end.value is not None:
                    return end.value
                return "".join(collected) if all(isinstance(p, str) for p in collected) else collected
            collected.append(piece)
            self._emit("piece", piece)

    def _call_resource(self, alias: str, /, *positional: Any, **named: Any) -> Any:
        return self._platform.call(self._version, alias, positional, named)

    def _outcome(
        self,
        job: Job,
        clock: Clock,
        cold: bool,
        value: Any,
        warnings: tuple[str, ...],
        error: HfregError | None,
    ) -> Outcome:
        ran = self._libraries is not None and clock.ran > 0
        tally = self._libraries.tally if ran and self._libraries is not None else None
        return Outcome(
            alias=job.version.alias,
            version=job.version.number,
            state=job.version.state,
            value=value,
            error=error,
            warnings=warnings or (tuple(tally.warnings) if tally else ()),
            notes=tuple(tally.notes) if tally else (),
            stdout=self.printed(),
            timings=clock.timings(tally.load_seconds * 1e3 if tally else 0.0),
            cold=tally is not None and (cold or tally.load_seconds > 0),
            tier=job.tier,
            pins=self._resolver.pins if self._resolver else {},
            status="ok" if error is None else "error",
        )

    def _write(self, text: str) -> None:
        now = self._now
        if now.room > 0 and now.job is not None:
            kept = text[: now.room]
            now.room -= len(kept)
            cut = "" if now.room else "\n… more was printed than the platform keeps\n"
            now.printed.append(kept + cut)
            self._emit("print", kept)

    def _emit(self, kind: Any, value: Any) -> None:
        names = {"loading": "what", "loaded": "ms", "print": "text", "piece": "value"}
        if self._now.job is not None:
            self._now.job.emit(kind, **{names[kind]: value})

    def _pass_on(self, event: Event) -> None:
        if self._now.job is not None:
            self._now.job.emit(event.kind, **event.data)
