"""Lanes: what waits for one loaded model — calls in one, rows of tables in the other.

Calls are taken in the order they came. A table's rows are many: they stand aside and take their turn with the calls, as
many at a time as the window says. Covers who is next and who runs together; running them is the slot's.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Literal

from hfreg.engine.job import Task
from hfreg.scoring.batching import MAX_TOGETHER

AHEAD = 2 * MAX_TOGETHER
"""Rows of one table that wait where rows run together."""
FIRST_WINDOW = 64
LONG_S, SHORT_S = 2.0, 0.75
"""Seconds that rows may take together before fewer are taken, and below which more are."""

ROWS: Literal["rows"] = "rows"


class Lanes:
    """A queue of calls, in which one mark stands for all rows of tables."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Task | Literal["rows"] | None] = SimpleQueue()
        self._front: deque[Task | None] = deque()  # looked at, and not taken
        self._rows: deque[Task] = deque()
        self._marked = False

    @property
    def calls(self) -> int:
        """How many calls wait."""
        return self._queue.qsize()

    @property
    def waiting(self) -> int:
        """How many calls and rows wait."""
        return max(0, self._queue.qsize() - self._marked) + len(self._front) + len(self._rows)

    def put(self, task: Task | None) -> None:
        """Queue a row; None ends the thread that takes them."""
        if task is None or not task.of_table:
            self._queue.put(task)
        else:
            self._rows.append(task)
            self._mark()

    def get(self, timeout: float | None = None) -> Task | None:
        """Wait for what is next; raises queue.Empty after `timeout` seconds without any."""
        while True:
            found = self._front.popleft() if self._front else self._queue.get(timeout=timeout)
            if found != ROWS:
                return found
            self._marked = False  # before looking: who adds a row from here on marks it again
            if self._rows:
                with suppress(IndexError):  # drained meanwhile
                    row = self._rows.popleft()
                    self._mark()
                    return row

    def others(self, task: Task, most: int) -> list[Task]:
        """Take what may run together with a row: rows of tables with such, calls with calls."""
        found: list[Task] = []
        if task.only_loads:
            return found
        with suppress(IndexError, Empty):
            while task.of_table and len(found) < most - 1:
                found.append(self._rows.popleft())
            while not task.of_table and not self._front and len(found) < most - 1:
                other = self._queue.get_nowait()
                if other == ROWS:
                    self._marked = False
                elif other is None or other.only_loads:
                    self._front.append(other)
                else:
                    found.append(other)
        self._mark()
        return found

    def drain(self) -> list[Task]:
        """Take back all that waits, and end the thread that takes them."""
        found: list[Task | Literal["rows"] | None] = []
        for lane in (self._front, self._rows):
            with suppress(IndexError):
                while True:
                    found.append(lane.popleft())
        with suppress(Empty):
            while True:
                found.append(self._queue.get_nowait())
        self._queue.put(None)
        return [task for task in found if isinstance(task, Task)]

    def _mark(self) -> None:
        if self._rows and not self._marked:
            self._marked = True
            self._queue.put(ROWS)


class Window:
    """How many rows are taken together: as many as take a second or two, so that nobody waits long for their end.

    Each row has a thread, and each thread that computes has as many `threads` of torch.
    """

    def __init__(self, threads: int = 1) -> None:
        self._most = max(2, MAX_TOGETHER // threads)
        self.rows = min(FIRST_WINDOW, self._most)

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        took = time.perf_counter() - self._began
        if took > LONG_S:
            self.rows = max(2, self.rows // 2)
        elif took < SHORT_S:
            self.rows = min(self._most, self.rows * 2)
