"""Pool: the engine around its slots, whatever they run rows in.

A loaded model is a slot with a queue: calls to it wait their turn and one runs at a time, because one pipeline or
tokenizer used by two threads gives silently wrong answers. The pool makes slots on first use, takes care that
changed source starts afresh, and puts a fresh slot in the place of one that does not end its row.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hfreg.engine import Loaded, OnEvent, Run, Standing
from hfreg.engine.ending import busy
from hfreg.engine.job import WAITING, Job, Task
from hfreg.engine.lanes import AHEAD
from hfreg.engine.slot import Slot
from hfreg.errors import EngineClosed
from hfreg.scoring.batching import gathers
from hfreg.version import Version

MAX_UNSAVED = 4
"""How many models loaded for Test Code stay in memory; the one used longest ago goes first."""

LAST_S = 1.0
"""How long closing waits for a row that does not heed being stopped."""

CLOSED = "This registry is closed. Open it again with hfreg.open()."

SlotKey = tuple[str, int, str]


class Pool(ABC):
    """The slots of one engine, by version and source."""

    tier: str

    def __init__(self) -> None:
        self._slots: dict[SlotKey, Slot] = {}
        self._kept: set[tuple[str, int]] = set()
        self._lock = threading.Lock()
        self._closed = False

    @abstractmethod
    def _new_slot(self, version: Version) -> Slot:
        """Make the slot of a version, not started."""

    def submit(
        self,
        version: Version,
        rows: Iterable[Mapping[str, Any]],
        limits: float | None,
        on_event: OnEvent | None = None,
        here: bool = False,
    ) -> Job:
        """Begin a job over rows; see `hfreg.engine.Engine.submit`."""
        job = Job(version, limits, on_event, self.tier)
        if (slot := Slot.current()) is not None:  # a resource called by scoring logic: stopping one stops the other
            slot.adopt(job)
        if self._closed:
            raise EngineClosed(CLOSED)
        job.feed(
            rows, self._run_here if here else self._enqueue, lambda: AHEAD if gathers(version.definition) else WAITING
        )
        return job

    def load(self, version: Version, on_event: OnEvent | None = None) -> Run:
        """Begin to have a model ready without running a row; see `hfreg.engine.Engine.load`."""
        job = Job(version, None, on_event, self.tier)
        if self._closed:
            raise EngineClosed(CLOSED)
        job.feed([{}], lambda task: self._enqueue(task._replace(only_loads=True)))
        return job

    def loaded(self, measure: bool = True) -> list[Loaded]:
        """List the models in memory."""
        with self._lock:
            slots = list(self._slots.values())
        found = [loaded for slot in slots if (loaded := slot.describe(measure)) is not None]
        return [replace(one, kept=self.is_kept(one.alias, one.version)) for one in found]

    def keep(self, alias: str, version: int, on: bool = True) -> None:
        """Keep a model loaded until it is unloaded, or no longer."""
        (self._kept.add if on else self._kept.discard)((alias, version))

    def is_kept(self, alias: str, version: int) -> bool:
        """Whether a model stays in memory when others need it."""
        return (alias, version) in self._kept

    def standing(self) -> Standing:
        """Return how the engine stands."""
        return Standing(self.tier)

    def unload(self, alias: str, version: int | None = None) -> int:
        """Drop a model's loads and return how many; a run in work ends first."""
        with self._lock:
            keys = [k for k in self._slots if k[0] == alias and version in (None, k[1])]
            dropped = [self._slots.pop(k) for k in keys]
            self._kept -= {k[:2] for k in keys}
        held = sum(slot.holds for slot in dropped)
        for slot in dropped:
            slot.stop()
        return held

    def close(self) -> None:
        """Cancel what runs and what waits, and end every thread."""
        with self._lock:
            slots, self._slots, self._closed = list(self._slots.values()), {}, True
        for slot in slots:
            slot.cancel()
        for slot in slots:  # so that the last calls are known before the log closes
            slot.join(LAST_S)

    def _run_here(self, task: Task) -> None:
        """Run a row in this thread, where its slot lets it, or queue it."""
        with self._lock:
            slot = None if self._closed else self._slot(task.job.version)
            claimed = slot is not None and slot.claim()
        if slot is not None and claimed:
            slot.run_here(task)
        else:
            self._enqueue(task)

    def _enqueue(self, task: Task) -> None:
        with self._lock:
            if not self._closed:
                slot = self._slot(task.job.version)
                if task.of_table or not slot.full:
                    slot.put(task)
                    return
        if self._closed:
            task.job.cancel()
        else:
            task.job.put(task, busy(task.job))

    def _slot(self, version: Version) -> Slot:
        key = (version.alias, version.number, version.definition.code_digest)
        if (slot := self._slots.get(key)) is not None:
            return slot
        for old in self._stale(key):  # changed source starts afresh
            self._slots.pop(old).stop()
        if version.definition.options.keep_loaded:
            self._kept.add(key[:2])
        slot = self._slots[key] = self._new_slot(version)
        slot.start()
        return slot

    def _stale(self, key: SlotKey) -> list[SlotKey]:
        """List what a new slot takes the place of: its version's earlier source, or the oldest unsaved model."""
        if key[1]:
            return [k for k in self._slots if k[:2] == key[:2]]
        unsaved = sorted(
            (k for k in self._slots if k[1] == 0 and k[:2] not in self._kept), key=lambda k: self._slots[k].last_call
        )
        return unsaved[: max(0, len(unsaved) - MAX_UNSAVED + 1)]

    def _replace(self, stuck: Slot) -> None:
        """Forget a slot that does not end its row; a fresh one takes over what waits."""
        with self._lock:
            for key in [k for k, slot in self._slots.items() if slot is stuck]:
                del self._slots[key]
            waiting, closed = [*stuck.in_flight, *stuck.drain()], self._closed
            for task in waiting:
                if not closed:
                    self._slot(task.job.version).put(task)
        if closed:
            for task in waiting:
                task.job.cancel()
