"""Company: rows that run together in one worker, as its supervisor sees them.

They go out in one frame, and each answer, printed text and note comes back by the number of its row as soon as it is
there, in any order. What names another row than those that have no answer ends the process. A row that is stopped is
answered for at once and its worker's answer passed over, so that the others' rows go on; how long that may take is the
matter of `hfreg.engine.isolated.turns`, running again what a process left behind that of the slot.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hfreg.engine.isolated import channel
from hfreg.engine.isolated.channel import Frame
from hfreg.engine.isolated.folders import View
from hfreg.engine.isolated.process import WorkerProcess
from hfreg.engine.isolated.telling import Telling
from hfreg.engine.isolated.turns import Turns
from hfreg.engine.job import Task


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One row of a company: its arguments, and what is said about it."""

    task: Task
    arguments: Mapping[str, Any]
    said: Telling


class Company:
    """The rows that run together; `cancel` comes from any thread, all else from that of the slot."""

    def __init__(
        self,
        members: Collection[Member],
        on_turn: Callable[[Task], None],
        on_answer: Callable[[Member], None],
        on_empty: Callable[[], None],
    ) -> None:
        self._members = {member.said.number: member for member in members}
        self._left = dict(self._members)
        self._begun: set[int] = set()
        self._asks = next(iter(members)).said  # hears what is asked, whichever row is in work: one at a time
        self._on_turn = on_turn
        self._on_answer = on_answer
        self._on_empty = on_empty
        self._over = False
        self._lock = threading.Lock()
        self._process: WorkerProcess | None = None
        self.turns = Turns({number: member.task.job.limit_s for number, member in self._members.items()})

    def run(self, process: WorkerProcess, view: View | None, secrets: Collection[str]) -> None:
        """Have a worker run them to their ends; raises Ended, and BadFrame when they are too large to cross."""
        rows = [[number, channel.pack(member.arguments)] for number, member in self._members.items()]
        process.send({"kind": "rows", "rows": rows})
        with self._lock:
            self._process = process
            if not self._left:
                process.kill("cancelled")
        self.turns.begin(None)
        process.follow(self.turns, lambda frame: self._hear(process, view, secrets, frame))

    def end(self) -> list[Member]:
        """Nothing of them runs any more; return those that have no answer."""
        with self._lock:
            self._over, self._process = True, None
            return list(self._left.values())

    def late(self) -> Member | None:
        """Return the row that took more than its time, where it is known which did; it is answered for from here."""
        number = self.turns.at[0] if len(self.turns.at) == 1 else None
        return self._taken(number) if number is not None and self.turns.is_late(number) else None

    def cancel(self, member: Member) -> bool:
        """Pass over the answer of a row; returns whether it had none. With the last of them the process ends."""
        if self._taken(member.said.number) is None:
            return False
        self.turns.stop(member.said.number)
        with self._lock:
            if not self._left and not self._over:
                self._on_empty()
                if self._process is not None:
                    self._process.kill("cancelled")
        return True

    def _taken(self, number: int) -> Member | None:
        with self._lock:
            return self._left.pop(number, None)

    def _hear(self, process: WorkerProcess, view: View | None, secrets: Collection[str], frame: Frame) -> bool:
        """Take one frame of the worker; whether it was the last answer."""
        kind = frame.get("kind")
        number: Any = frame.get("id")
        if kind == "ask":
            self._asks.hear(process, view, secrets, frame)
        elif kind == "turn":
            self._take_turn(process, frame.get("rows"))
        elif kind not in ("event", "outcome") or not self.turns.knows(number):
            process.kill("protocol")
        elif kind == "event":
            if number in self._left or frame.get("event") in ("loading", "loaded"):
                self._members[number].said.hear(process, view, secrets, frame)
        else:
            self.turns.end(number)
            if self._members[number].said.hear(process, view, secrets, frame) and (member := self._taken(number)):
                self._on_answer(member)
        return kind == "outcome" and not self.turns.at

    def _take_turn(self, process: WorkerProcess, rows: Any) -> None:
        if type(rows) is not list or not 0 < len(rows) <= len(self._members) or not all(map(self.turns.knows, rows)):
            process.kill("protocol")
            return
        self.turns.take(rows)
        member = self._members[rows[0]]
        self._on_turn(member.task)
        if len(rows) == 1 and rows[0] not in self._begun and rows[0] in self._left:
            self._begun.add(rows[0])
            member.task.job.emit("running", row=member.task.position)
