"""Holding: the worker of one slot — started when it is needed, measured, frozen while it idles, and let go.

A worker that idles uses no processor, and may be evicted by whoever needs its memory. What is run in it is the matter
of `hfreg.engine.isolated.slot`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Protocol

from hfreg.engine import Event, Loaded, Resolver
from hfreg.engine.isolated.folders import View
from hfreg.engine.isolated.process import WorkerProcess
from hfreg.engine.isolated.requests import Requests
from hfreg.engine.isolated.residency import Gauge, Residency, Sizes
from hfreg.engine.isolated.sandbox import tier
from hfreg.engine.job import Task
from hfreg.engine.lanes import Window
from hfreg.engine.slot import Slot
from hfreg.errors import NotConfined
from hfreg.version import Version

IDLE_S = 0.5
"""Seconds without a row after which a worker is measured and frozen."""
LOOK_S = 60.0
"""How often the thread of a frozen model, or of one that has no worker, looks whether that is still so."""
SHOWN_S = 10.0
"""How old the memory of a worker may be that a page shows."""


class Start(Protocol):
    """Starts a worker that has its limit of memory."""

    def __call__(
        self, version: Version, environment: Mapping[str, str], limit_bytes: int
    ) -> tuple[WorkerProcess, View]:
        """Return the process and the files that it may read."""


class Holding(Slot):
    """A slot with a worker."""

    def __init__(
        self, version: Version, platform: Sizes, residency: Residency, start: Start, readable: Sequence[Path], tier: str
    ) -> None:
        super().__init__(version)
        self._window = Window(version.definition.options.threads or 1)
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

    @property
    def _awake(self) -> bool:
        """Whether there is a worker that takes a row at once."""
        return self._process is not None and not self._frozen

    @property
    def _runs_here(self) -> bool:  # nothing of the row runs in this process, so it may be in anybody's thread
        return self._awake

    def _next(self) -> Task | None:
        while True:
            try:
                return self._lanes.get(IDLE_S if self._awake else LOOK_S)
            except Empty:  # callers may have run rows in their own threads
                if self._awake and time.time() - self.last_call >= IDLE_S and self._turn.acquire(blocking=False):
                    try:
                        self._rest()
                    finally:
                        self._turn.release()

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

    def worker(self) -> tuple[WorkerProcess, View | None, frozenset[str], bool]:
        """Return the worker, the files it may read, its secrets, and whether it had to be started."""
        cold = self._ready()
        assert self._process is not None  # noqa: S101
        return self._process, self._view, self._secrets, cold

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

    def _tell(self, event: Event) -> None:
        """Pass on how a download goes."""
        if (task := self._task) is not None:
            task.job.emit(event.kind, **event.data)

    def _unload(self) -> None:
        self._drop()

    def _drop(self) -> None:
        """Let go of the worker, from whichever thread is first."""
        with self._lock:
            process, self._process = self._process, None
            view, self._view = self._view, None
            self._gauge, self._frozen, self._well = None, False, False
        if process is not None:
            process.close()
            self._residency.leave(self)
        if view is not None:
            view.remove()
