"""Work: one simulation in work, in a thread of its own, whether or not anyone looks on.

Rows are read as the engine takes them, and answers written as they come; at any moment only those under way are in
memory. A row that fails is written like any other. It ends when the rows do, or when it is told to halt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from hfreg.definition import Definition
from hfreg.engine import Outcome, Run
from hfreg.errors import EngineClosed, HfregError, SimulationError, StoreError, TableError
from hfreg.simulation import results
from hfreg.simulation.plan import Plan, reader
from hfreg.simulation.results import State
from hfreg.simulation.tally import ANSWER, Tally
from hfreg.store.files import Lock
from hfreg.tables import Row, open_table
from hfreg.types.containers import Struct
from hfreg.version import Version

WRITE_S, WRITE_BYTES = 1.0, 4 * 2**20
"""How long answers stay in memory at most while rows go on, and how many bytes of them."""
RATE_S = 10.0
PAUSE_S = 2.0
"""How long rows under way may go on when a simulation is to pause; the others are run when it goes on."""

Begin = Callable[[Version, Iterable[Mapping[str, Any]], str], Run]
"""Begins to run rows on behalf of a user: (version, rows, user)."""
Ended = Callable[[Plan, State, Tally, Outcome | None], None]
"""Told when a stretch of work has ended: plan, its state, the counts of the whole simulation, its last answer."""

log = logging.getLogger(__name__)


class Work:
    """The rows of one simulation on their way; `start()` it, and look at it from any thread."""

    def __init__(self, plan: Plan, folder: Path, version: Version, begin: Begin, ended: Ended) -> None:
        self.plan = plan
        self.folder = folder
        self.state = replace(results.load_state(folder), name="running", reason="", ended_at="")
        self.tally = Tally(self.state.tally)
        self.tally.declare(_fields(version.definition))
        self.done = self.tally.rows
        self._version = version
        self._begin = begin
        self._ended = ended
        self._halted = ""
        self._problems: list[HfregError] = []
        self._run: Run | None = None
        self._pending: deque[tuple[int, Row | TableError]] = deque()
        self._unwritten: list[bytes] = []
        self._bytes = 0
        self._written_at = self._begun_at = time.monotonic()
        self._seconds = self.state.seconds
        self._marks: deque[tuple[float, int]] = deque([(self._begun_at, self.done)])
        self._last: Outcome | None = None
        self._lock = Lock(folder / results.LOCK, timeout_s=0.5)
        self._holds = threading.Event()
        self._taken = False
        self.thread = threading.Thread(target=self._work, name=f"hfreg simulation of {plan.alias}", daemon=True)

    def start(self) -> None:
        """Begin; raises SimulationError when another process works on it."""
        self.thread.start()
        self._holds.wait()
        if self._taken:
            raise SimulationError(f"Simulation {self.plan.id} is in work in another process.")

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.thread.is_alive()

    @property
    def halting(self) -> str:
        """What it was told to become, `paused` or `cancelled`, and is not yet."""
        return self._told() if self.running else ""

    def _told(self) -> str:
        return self._halted  # by another thread, at any time

    @property
    def rate(self) -> float | None:
        """Rows a second, over the last seconds; None before there are any."""
        (since, before), now = self._marks[0], time.monotonic()
        done = self.done - before
        return done / (now - since) if done and now > since else None

    @property
    def seconds(self) -> float:
        """How long it has been running, pauses left out."""
        return self._seconds + (time.monotonic() - self._begun_at) if self.running else self.state.seconds

    def halt(self, become: str) -> None:
        """Begin no further row; to be `paused` gives those under way PAUSE_S to end, anything else stops them."""
        self._halted = become
        if self._run is None:
            return
        if become != "paused":
            self._run.cancel()
        else:  # the engine may have taken hundreds of rows already, and one may take a minute
            timer = threading.Timer(PAUSE_S, self._run.cancel)
            timer.daemon = True
            timer.start()

    def _work(self) -> None:
        try:
            with self._lock:
                self._holds.set()
                self._go_on()
        except StoreError as error:
            if not self._holds.is_set():
                self._taken = True
            else:
                log.error("Simulation %s cannot be written: %s", self.plan.id, error)
                self.state = replace(self.state, name="failed", reason=str(error))
        finally:
            self._holds.set()

    def _go_on(self) -> None:
        try:
            self._write(self.state)
            if self.state.total is None:
                count = self._count()
                self.state = replace(self.state, total=None if self._halted else count)
            self._answer()
        except HfregError as error:
            self._problems.append(error)
        except Exception as error:  # a fault of the platform ends this simulation and is told there
            log.exception("Simulation %s ended", self.plan.id)
            self._problems.append(SimulationError(f"The simulation ended with {type(error).__name__}: {error}"))
        reason = str(self._problems[0]) if self._problems else ""
        name = "failed" if reason else self._halted or "done"
        ended = replace(self.state, name=name, reason=reason, ended_at=datetime.now(UTC).isoformat())
        ended = self._write(ended)
        try:
            self._ended(self.plan, ended, self.tally, self._last)
            self._write(replace(ended, logged={**self.tally.as_json(), "seconds": ended.seconds}))
        except HfregError:
            log.exception("Simulation %s could not be logged", self.plan.id)

    def _answer(self) -> None:
        """Run what is left of the rows, and keep what becomes of each."""
        if self._told():
            return
        self._run = self._begin(self._version, self._arguments(), self.plan.user)
        if self._told() not in ("", "paused"):  # told so in the meantime
            self._run.cancel()
        try:
            for outcome in self._run:
                if not self._pending or outcome.status == "cancelled" or isinstance(outcome.error, EngineClosed):
                    break  # this row was not run to its end, and neither is any behind it
                self._keep(*self._pending.popleft(), outcome)
        finally:
            if not self._run.done:
                self._run.cancel()
        if not self._problems and not self._told() and self.done < (self.state.total or 0):
            self._halted = "interrupted"

    def _arguments(self) -> Iterator[Mapping[str, Any]]:
        """Yield the arguments of each row that is left; called from the engine's thread."""
        try:
            read = reader(self._version.definition, self.plan)
            for number, row in self._rows():
                if self._halted:
                    return
                self._pending.append((number, row))
                yield read(row)
        except HfregError as error:
            self._problems.append(error)
        except Exception as error:
            log.exception("The table of simulation %s could not be read", self.plan.id)
            self._problems.append(TableError(f"{self.plan.name} cannot be read: {type(error).__name__}: {error}"))

    def _rows(self) -> Iterator[tuple[int, Row | TableError]]:
        plan = self.plan
        taken = islice(enumerate(open_table(plan.table.path).rows(), 1), 0, None, plan.every)
        return islice(taken, self.done, plan.limit)

    def _count(self) -> int:
        count = 0
        for _ in islice(open_table(self.plan.table.path).rows(), 0, None, self.plan.every):
            count += 1
            if self._halted or count == self.plan.limit:
                break
        return count

    def _keep(self, number: int, row: Row | TableError, outcome: Outcome) -> None:
        self._last = outcome
        self.done += 1
        self.tally.add(number, outcome)
        if isinstance(row, TableError):
            cells: list[Any] = [None] * len(self.plan.inputs)
        else:
            cells = [row[name] for name in self.plan.inputs]
            self.tally.add_kinds(row)
        data = results.line(number, cells, outcome)
        self._unwritten.append(data)
        self._bytes += len(data)
        now = time.monotonic()
        if now - self._written_at >= WRITE_S or self._bytes >= WRITE_BYTES:
            self._write(self.state)

    def _write(self, state: State) -> State:
        """Make what is in memory durable: first the rows, then the state that counts them."""
        size = results.append(self.folder, b"".join(self._unwritten), state.size)
        self._unwritten, self._bytes, self._written_at = [], 0, time.monotonic()
        seconds = self._seconds + self._written_at - self._begun_at
        self.state = replace(state, size=size, seconds=seconds, tally=self.tally.as_json())
        results.save_state(self.folder, self.state)
        self._marks.append((self._written_at, self.done))
        while len(self._marks) > 1 and self._written_at - self._marks[0][0] > RATE_S:
            self._marks.popleft()
        return self.state


def _fields(definition: Definition) -> tuple[str, ...]:
    """Return the columns that answers of this type have before there is one."""
    of = definition.parsed_output_type
    if isinstance(of, Struct):
        return tuple(name for name, _ in of.fields)
    return () if of.kind in ("Map", "Any") else (ANSWER,)
