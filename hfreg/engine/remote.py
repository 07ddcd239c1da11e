"""Remote engine: calls models that run elsewhere, for API Based definitions.

Nothing is loaded and nothing of a user's runs here: optional scoring logic goes to the engine that runs such code.
A version is a slot, as everywhere; unlike a loaded model it answers several calls at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from hfreg.definition import Definition
from hfreg.engine import Engine, Loaded, OnEvent, Outcome, Run
from hfreg.engine.asking import TIER, Asking, Inference
from hfreg.engine.job import Job, Task
from hfreg.engine.pool import Pool
from hfreg.engine.slot import Slot
from hfreg.engine.watchdog import Watchdog
from hfreg.version import Version

AT_ONCE = 8
"""Calls of one version that are under way at a time; more of them wait."""


class RemoteEngine(Pool):
    """Asks the endpoints of API Based models."""

    tier = TIER

    def __init__(
        self, inference: Inference, local: Callable[[], Engine], admit: Callable[[Definition], None] = lambda _: None
    ) -> None:
        """Take who asks endpoints, how to get the engine that runs scoring logic, and what may refuse a call."""
        super().__init__()
        self._inference = inference
        self._local = local
        self._admit = admit
        self._watchdog = Watchdog()

    def load(self, version: Version, on_event: OnEvent | None = None) -> Run:
        """Have the scoring logic ready; without any there is nothing to load."""
        if not version.definition.scoring_logic.strip():
            return super().load(version, on_event)
        return self._local().load(version.model_copy(update={"definition": version.definition.scored}), on_event)

    def close(self) -> None:
        """Cancel what is under way and what waits."""
        super().close()
        self._watchdog.close()

    def _new_slot(self, version: Version) -> RemoteSlot:
        return RemoteSlot(version, lambda task: Asking(task, self._inference, self._local, self._watchdog, self._admit))


class RemoteSlot(Slot):
    """One API Based version: hands each row to a thread of its own, so many at a time."""

    def __init__(self, version: Version, asking: Callable[[Task], Asking]) -> None:
        super().__init__(version)
        self._asking = asking
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._under_way: set[Asking] = set()

    @property
    def holds(self) -> bool:
        """Nothing is in memory here."""
        return False

    def describe(self, measure: bool = True) -> Loaded | None:
        """Nothing is in memory here."""
        return None

    def cancel(self) -> None:
        """Cancel the jobs under way and all that wait."""
        super().cancel()
        for asking in list(self._under_way):
            asking.task.job.cancel()
            asking.stop()

    def _run(self, task: Task) -> None:
        if task.only_loads:
            version = task.job.version
            task.job.put(task, Outcome(version.alias, version.number, version.state, tier=TIER))
            return
        self._room.acquire()
        asking = self._asking(task)
        if not task.job.begin(task, lambda: self._stop(task.job)):
            self._room.release()
            return
        self._under_way.add(asking)
        name = f"hfreg call of {self.version.alias}"
        threading.Thread(target=self._carry, args=(asking,), name=name, daemon=True).start()

    def _carry(self, asking: Asking) -> None:
        try:
            asking.run()
        finally:
            self._under_way.discard(asking)
            self._room.release()

    def _stop(self, job: Job) -> None:
        for asking in list(self._under_way):
            if asking.task.job is job:
                asking.stop()

    def _answer_for(self, task: Task) -> None:
        """No row runs in the slot's own thread."""

    def _unload(self) -> None:
        """Nothing is in memory here."""
