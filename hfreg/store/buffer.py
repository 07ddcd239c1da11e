"""Buffer: lets a caller hand over a record in about a microsecond and has it written within a second.

One daemon thread, started by the first record, writes what has gathered; with nothing to write it sleeps without
waking. A write that fails keeps its records and is tried again; the caller never sees it. Memory is bounded: beyond
`limit` records, or `heaviest` of what they weigh, the oldest are dropped and counted. It does not know what a record
is nor where it goes.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

LIMIT = 100_000
HEAVIEST = 64 * 1024 * 1024
GATHER_S = 0.3  # leaves the write itself most of the promised second
LONGEST_PAUSE_S = 5.0
BATCH = 2_000  # rows in one transaction: bounds how long others wait for the lock


class Buffer(Generic[T]):
    """Holds records until `write` has stored them; `write` raises when it cannot.

    It may change the list it is given: what is in there after a failure is what is tried again.
    """

    def __init__(
        self,
        write: Callable[[list[T]], None],
        limit: int = LIMIT,
        weigh: Callable[[T], int] = lambda _: 0,
        heaviest: int = HEAVIEST,
    ) -> None:
        self._write = write
        self._limit = limit
        self._weigh = weigh
        self._heaviest = heaviest
        self._weight = 0
        self._waiting: deque[T] = deque()
        self._lock = threading.RLock()  # re-entrant: a signal handler may record while its thread is recording
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._under_way = 0
        self.failing = False
        self.dropped = 0

    def __len__(self) -> int:
        with self._lock:
            return len(self._waiting) + self._under_way

    def add(self, record: T) -> None:
        """Take a record and return at once; never raises for a reason of the store."""
        with self._lock:
            self._waiting.append(record)
            self._weight += self._weigh(record)
            self._bound()
            if self._thread is None:
                self._start()
        if not self._wake.is_set():
            self._wake.set()

    def count_dropped(self, count: int) -> None:
        """Add records that the writer itself had to give up."""
        with self._lock:
            self.dropped += count

    def flush(self, timeout: float = 10.0) -> bool:
        """Write everything now and return whether all of it is stored; waits `timeout` seconds for its turn."""
        if not self._writing.acquire(timeout=timeout):
            return False
        try:
            return self._drain()
        finally:
            self._writing.release()

    def close(self) -> bool:
        """Flush, end the thread and return whether all is stored; a later record starts it again."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stop.set()
            self._wake.set()
            self._stop, self._wake = threading.Event(), threading.Event()
            atexit.unregister(self._at_exit)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=10.0)
        return not len(self) or self.flush()

    def between_writes(self, action: Callable[[], None], timeout: float = 2.0) -> None:
        """Do something while nothing is being written; waits `timeout` seconds for that, then leaves it."""
        if self._writing.acquire(timeout=timeout):
            try:
                action()
            finally:
                self._writing.release()

    def abandon(self) -> None:
        """Forget what waits without a lock: in a forked child it is the parent's to write, as is the thread."""
        atexit.unregister(self._at_exit)
        self._waiting = deque()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, args=(self._wake, self._stop), name="hfreg-calls", daemon=True)
        atexit.register(self._at_exit)
        try:
            thread.start()
        except RuntimeError:  # no new threads while the interpreter ends: the exit handler writes it
            return
        self._thread = thread

    def _run(self, wake: threading.Event, stop: threading.Event) -> None:
        pause = 0.0  # the first write opens the database, which takes a while: begin at once
        while True:
            wake.wait()
            if stop.wait(pause):
                return
            wake.clear()
            if stop.is_set():  # told between the two lines above, and its wake is cleared
                return
            if self.flush():
                pause = GATHER_S
            else:
                pause = min(2 * max(pause, GATHER_S), LONGEST_PAUSE_S)
                wake.set()

    def _drain(self) -> bool:
        while batch := self._take():
            try:
                self._write(batch)
            except Exception as error:  # whatever it is, the call it belongs to has long been answered
                self._put_back(batch)
                self._warn(error)
                return False
        if self.failing:
            logger.info("The call log is written again; %d records were dropped in between.", self.dropped)
            self.failing = False
        return True

    def _take(self) -> list[T]:
        with self._lock:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            self._weight -= sum(map(self._weigh, batch))
            self._under_way = len(batch)
            return batch

    def _put_back(self, batch: list[T]) -> None:
        with self._lock:
            self._under_way = 0
            self._waiting.extendleft(reversed(batch))
            self._weight += sum(map(self._weigh, batch))
            self._bound()

    def _bound(self) -> None:
        while len(self._waiting) > self._limit or (self._weight > self._heaviest and self._waiting):
            self._weight -= self._weigh(self._waiting.popleft())
            self.dropped += 1

    def _warn(self, error: Exception) -> None:
        if not self.failing:
            self.failing = True
            logger.warning("%s Calls go on; their records wait in memory and are tried again.", error)

    def _at_exit(self) -> None:
        if not self.close():
            logger.warning("%d records of calls could not be stored before the process ended.", len(self))
