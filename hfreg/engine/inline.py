"""Inline engine: runs scoring logic in this process. For plain Python, notebooks and Ray replicas.

A loaded model is one thread with a queue: calls to it wait their turn and one runs at a time, because one
pipeline or tokenizer used by two threads gives silently wrong answers. The time limit and stop act at the
next bytecode: a long call into C goes on behind an answer that says so, and a fresh thread takes over.
There is no memory limit and no confinement: scoring logic can do what this process can.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from hfreg.engine import Loaded, OnEvent, Platform
from hfreg.engine.job import Job
from hfreg.engine.slot import Slot
from hfreg.engine.watchdog import Watchdog
from hfreg.version import Version

MAX_UNSAVED = 4
"""How many models loaded for Test Code stay in memory; the one used longest ago goes first."""

LAST_S = 1.0
"""How long closing waits for a row that does not heed being stopped."""

SlotKey = tuple[str, int, str]


class InlineEngine:
    """Runs every model in this process, each loaded model in a thread of its own."""

    tier = "inline"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._slots: dict[SlotKey, Slot] = {}
        self._lock = threading.Lock()
        self._watchdog = Watchdog()
        self._closed = False

    def submit(
        self, version: Version, rows: Iterable[Mapping[str, Any]], limits: float | None, on_event: OnEvent | None = None
    ) -> Job:
        """Begin a job over rows and return at once; see `hfreg.engine.Engine.submit`."""
        job = Job(version, rows, limits, on_event, self.tier)
        if (slot := Slot.current()) is not None:  # a resource called by scoring logic: stopping one stops the other
            slot.adopt(job)
        self._enqueue(job)
        return job

    def loaded(self) -> list[Loaded]:
        """List the models in memory."""
        with self._lock:
            slots = list(self._slots.values())
        return [loaded for slot in slots if (loaded := slot.describe()) is not None]

    def unload(self, alias: str, version: int | None = None) -> int:
        """Drop a model's loads and return how many; a run in work ends first."""
        with self._lock:
            keys = [k for k in self._slots if k[0] == alias and version in (None, k[1])]
            dropped = [self._slots.pop(k) for k in keys]
        for slot in dropped:
            slot.stop()
        return len(dropped)

    def close(self) -> None:
        """Cancel what runs and end every thread."""
        with self._lock:
            slots, self._slots, self._closed = list(self._slots.values()), {}, True
        for slot in slots:
            slot.cancel()
            slot.stop()
        for slot in slots:  # so that the last calls are known before the log closes
            slot.join(LAST_S)
        self._watchdog.close()

    def _enqueue(self, job: Job) -> None:
        with self._lock:
            if self._closed:
                raise RuntimeError("This engine is closed. Open the registry again.")
            slot = self._slot(job.version)
            slot.put(job)

    def _slot(self, version: Version) -> Slot:
        key = (version.alias, version.number, version.definition.code_digest)
        if (slot := self._slots.get(key)) is not None:
            return slot
        stale = [k for k in self._slots if k[:2] == key[:2]]
        if version.number == 0:
            stale = sorted(stale, key=lambda k: self._slots[k].last_call)[: max(0, len(stale) - MAX_UNSAVED + 1)]
        for old in stale:  # changed source starts afresh
            self._slots.pop(old).stop()
        slot = Slot(version, self._platform, self._watchdog, lambda rest: self._replace(key, rest))
        self._slots[key] = slot
        return slot

    def _replace(self, key: SlotKey, waiting: list[Job]) -> None:
        """A slot is stuck in C code: forget it, and let a fresh one take over what waits."""
        with self._lock:
            self._slots.pop(key, None)
        for job in waiting:
            self._enqueue(job)
