"""Together: several rows of one loaded model run in its worker at a time, and what becomes of each.

Rows whose arguments do not fit are answered before anything runs. Where the worker ends on the way, only a row that is
known to have taken more than its time is answered for; the others that have no answer are handed back to be run alone,
so that the one that is at fault, and only that, carries the error.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from hfreg.engine import Outcome
from hfreg.engine.ending import broken, stopped
from hfreg.engine.isolated.answer import Answer, judged
from hfreg.engine.isolated.channel import BadFrame
from hfreg.engine.isolated.company import Company, Member
from hfreg.engine.isolated.process import Ended
from hfreg.engine.job import Task
from hfreg.errors import HfregError

if TYPE_CHECKING:
    from hfreg.engine.isolated.slot import WorkerSlot

log = logging.getLogger(__name__)


class Together:
    """One run of several rows, in the thread of their slot."""

    def __init__(self, slot: WorkerSlot) -> None:
        self._slot = slot
        self._began = time.perf_counter()
        self._company: Company | None = None

    def run(self, tasks: list[Task]) -> list[Task]:
        """Run them, and return those that are to run again alone."""
        members = [member for task in tasks if (member := self._member(task)) is not None]
        if not members:
            return []
        self._company = company = Company(members, self._slot.turn_to, self._answered, self._slot.stop_all)
        begun = [member for member in members if self._begin(company, member)]
        try:
            if begun:
                self._go(company)
        except Ended as end:
            self._slot.lose()
            if end.reason == "timeout" and (late := company.late()) is not None:
                self._slot.land(late.task, self._stopped(late, "timeout"))
        except (HfregError, BadFrame):  # no worker, no room, or too large to cross in one: each is told by itself
            pass
        except Exception:  # a fault of the platform must not end the thread of the slot
            log.exception("Rows of %s could not be run together", self._slot.version.alias)
            self._slot.lose()
        return [member.task for member in company.end()]

    def _begin(self, company: Company, member: Member) -> bool:
        if not (begun := member.task.job.begin(member.task, partial(self._stop, company, member))):
            company.cancel(member)
            self._slot.leave_flight(member.task)
        return begun

    def _go(self, company: Company) -> None:
        """Run them in a worker that has answered before; a fresh one gets a row alone first."""
        with self._slot.room():
            process, view, secrets, cold = self._slot.worker()
            if not cold:
                company.run(process, view, secrets)

    def _member(self, task: Task) -> Member | None:
        """Bind the arguments of a row; one that they do not fit has its answer with that."""
        said = self._slot.telling(task)
        try:
            return Member(task, self._slot.version.definition.bind(**task.row), said)
        except HfregError as error:
            if task.job.begin(task, lambda: None):
                waited = (self._began - task.put_at) * 1e3
                self._slot.land(task, self._slot.made(Answer(error=error), said, self._began, waited))
            return None

    def _answered(self, member: Member) -> None:
        """Judge what a worker answered for a row, and hand it to its caller."""
        task = member.task
        try:
            spent_s, load_s = self._spent(member)
            started = time.perf_counter() - spent_s - load_s
            answer = judged(member.said.answer, self._slot.version.definition)
            outcome = self._slot.made(
                answer, member.said, started, (started - task.put_at) * 1e3,
                (spent_s + load_s) * 1e3, load_s * 1e3, load_s > 0,
            )  # fmt: skip
            self._slot.count(load_s * 1e3)
        except Exception as problem:  # a fault of the platform must not leave a caller waiting for ever
            log.exception("A row of %s could not be run", self._slot.version.alias)
            outcome = broken(task.job, problem)
        self._slot.land(task, outcome)

    def _stop(self, company: Company, member: Member) -> None:
        """Answer for a row at once; the others' go on. Called from any thread."""
        if company.cancel(member):
            self._slot.stop_children(member.task)
            self._slot.land(member.task, self._stopped(member, "cancelled"))

    def _spent(self, member: Member) -> tuple[float, float]:
        assert self._company is not None  # noqa: S101
        return self._company.turns.spent_s(member.said.number)

    def _stopped(self, member: Member, reason: str) -> Outcome:
        spent_s = sum(self._spent(member))
        started = time.perf_counter() - spent_s
        waited_ms = (started - member.task.put_at) * 1e3
        return stopped(member.task.job, reason, started, waited_ms, member.said.printed)
