"""Inline row: one of several rows that run together in this process, and how it is stopped between its turns.

A row that waits for a forward pass is not interrupted: it is told when its turn comes again. Its time limit counts its
own turns alone; a forward pass may take as long as the rows that it is made for may take together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hfreg.engine.job import Task
from hfreg.engine.row import NOBODY, LoadedModel, Stop
from hfreg.scoring.forwards import Turn

if TYPE_CHECKING:
    from hfreg.engine.inline_slot import InlineSlot


class InlineRow:
    """One row on its way (`hfreg.scoring.batching.Row`)."""

    def __init__(self, slot: InlineSlot, model: LoadedModel, task: Task) -> None:
        self.stopping = False
        self.reason: str | None = None
        self._slot = slot
        self._model = model
        self._task = task
        self._now = NOBODY
        self._spent_s = 0.0

    def run(self) -> None:
        """Run it to its end, whatever that is."""
        self._slot.run_in_company(self, self._task)

    def stop(self) -> None:
        """Interrupt it, now or when its turn comes."""
        self.stopping = True
        self._slot.interrupt(self._task)

    def leave(self) -> None:
        """Another row takes its turn; an interruption that is on its way lands here."""
        self._now = self._model.leave()
        self.reason, self._spent_s = self._slot.end_turn()
        try:
            self._slot.await_stop()
        except Stop:
            self._model.enter(self._now)
            raise

    def enter(self, waited_s: float) -> None:
        """Its turn again, after it waited so long for others."""
        self._slot.start_turn(self._task, self._task.job.limit_s, self._spent_s)
        self._model.enter(self._now, waited_s)
        if self.stopping or self._slot.given_up:
            raise Stop

    def lead(self, turns: Sequence[Turn]) -> None:
        """A forward pass of these rows begins, this one the first of them."""
        limit_s = self._task.job.limit_s
        self.reason = None
        self._model.enter(self._now)
        self._slot.start_turn(self._task, None if limit_s is None else limit_s * len(turns))

    def led(self) -> None:
        """The forward pass ended."""
        self._now = self._model.leave()
        self.reason, _ = self._slot.end_turn()
        self._slot.await_stop()
