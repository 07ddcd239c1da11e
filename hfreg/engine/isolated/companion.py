"""Companion: one of several rows that run together in a worker, and what it says of its turns.

Who is in work is told as it changes, so that the supervisor counts the time to that row; stopping a row is the
supervisor's alone, which ends the process.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hfreg.engine import Event
from hfreg.engine.isolated import channel
from hfreg.engine.job import Job, Task
from hfreg.engine.row import NOBODY, LoadedModel
from hfreg.scoring.forwards import Turn
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.engine.isolated.worker import Supervisor

FAILED = 70
"""Exit status of a worker whose own code failed."""


class Companion:
    """One row on its way (`hfreg.scoring.batching.Row`), by its number on the channel."""

    stopping = False

    def __init__(
        self, supervisor: Supervisor, model: LoadedModel, version: Version, tier: str, number: int, row: Any
    ) -> None:
        self.number = number
        self._supervisor = supervisor
        self._model = model
        self._job = Job(version, None, self._tell, tier)
        self._row = row
        self._now = NOBODY

    def run(self) -> None:
        """Run it to its end, whatever that is."""
        try:
            self._take_turn(self)
            task = Task(self._job, 0, channel.unpack(self._row, rich=True), 0.0)
            self._supervisor.answer(self.number, self._model.run(task, 0.0))
        except BaseException:  # of the platform's own: whoever waits for the others must not wait for ever
            traceback.print_exc()
            os._exit(FAILED)

    def leave(self) -> None:
        """Another row takes its turn."""
        self._now = self._model.leave()

    def enter(self, waited_s: float) -> None:
        """Its turn again, after it waited so long for others."""
        self._take_turn(self)
        self._model.enter(self._now, waited_s)

    def lead(self, turns: Sequence[Turn]) -> None:
        """A forward pass of these rows begins, this one the first of them."""
        self._take_turn(*turns)
        self._model.enter(self._now)

    def led(self) -> None:
        """The forward pass ended."""
        self._now = self._model.leave()

    def _take_turn(self, *turns: Any) -> None:
        self._supervisor.send({"kind": "turn", "rows": [turn.number for turn in turns]})

    def _tell(self, event: Event) -> None:
        if event.kind != "running":  # its first turn says so
            self._supervisor.tell(event, self.number)
