"""Simulation: a table through one model, in the background, kept with its result.

A simulation is a folder under the home: its plan, its state and its rows, one JSON line each. It goes on while the
process lives, whoever looks on; it can be paused, and goes on later without running a row twice, also after a crash.
Who may run a version is decided by the registry, which begins the runs; this room knows no page and no command line.

    simulation = registry.simulate("guard", "texts.csv", mapping={"body": "text"}).wait()
    simulation.save("answers.csv")
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hfreg.errors import SimulationError, StoreError
from hfreg.simulation import export, results
from hfreg.simulation.plan import Plan, digest
from hfreg.simulation.results import Result, State
from hfreg.simulation.tally import Tally
from hfreg.simulation.work import Begin, Ended, Work
from hfreg.store.files import Lock
from hfreg.tables import Row, unchanged
from hfreg.version import Version

__all__ = ["Plan", "Progress", "Result", "Simulation", "Simulations", "digest"]

FINISHED = ("done",)
POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a simulation is: `total` is None until the table was counted, `left_s` until there is a rate."""

    state: str
    rows: int
    failed: int
    total: int | None
    seconds: float
    rate: float | None
    left_s: float | None
    reason: str = ""
    halting: str = ""


class Simulation:
    """One simulation, in work or kept: `plan` says what it does, `state` is one of running, paused, cancelled, done,
    failed and interrupted."""

    def __init__(self, owner: Simulations, folder: Path, plan: Plan) -> None:
        self.plan = plan
        self.folder = folder
        self._owner = owner

    def __repr__(self) -> str:
        now = self.progress
        return f"<Simulation {self.plan.name} through {self.plan.alias} ({now.state}, {now.rows:,} rows)>"

    @property
    def id(self) -> str:
        """What tells it from any other."""
        return self.plan.id

    @property
    def state(self) -> str:
        """Where it stands, in one word."""
        return self.progress.state

    @property
    def running(self) -> bool:
        """Whether it is in work, here or in another process."""
        return self.state == "running"

    @property
    def tally(self) -> Tally:
        """What was counted so far; while it runs as of at most a second ago."""
        return Tally(self._stored.tally)

    @property
    def progress(self) -> Progress:
        """Return where it is now."""
        work, stored = self._owner.work(self.id), self._stored
        by_status = stored.tally.get("by_status", {})
        rows = sum(by_status.values())
        failed = rows - by_status.get("ok", 0)
        if work is None or not work.running:
            name = "interrupted" if stored.name == "running" and self._is_free() else stored.name
            rate = rows / stored.seconds if rows and stored.seconds else None
            return Progress(name, rows, failed, stored.total, stored.seconds, rate, None, stored.reason)
        rows, rate = max(rows, work.done), work.rate
        left = (stored.total - rows) / rate if rate and stored.total is not None else None
        return Progress("running", rows, failed, stored.total, work.seconds, rate, left, "", work.halting)

    @property
    def ended_at(self) -> datetime | None:
        """When it last came to a stop."""
        return datetime.fromisoformat(at) if (at := self._stored.ended_at) else None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the output table: inputs, answers, status, error, warnings, milliseconds."""
        inputs, fields = results.columns(self.plan, self.tally)
        return (*inputs, *fields.values(), *results.FIXED)

    def wait(self, timeout: float | None = None) -> Simulation:
        """Wait until it stands still, at most `timeout` seconds, and return it."""
        end = None if timeout is None else time.monotonic() + timeout
        if work := self._owner.work(self.id):
            work.thread.join(timeout)
        while self.running and (end is None or time.monotonic() < end):
            time.sleep(POLL_S)
        return self

    def pause(self) -> None:
        """Begin no further row, give those under way a moment to end; `resume` goes on behind what is done."""
        self._require_work().halt("paused")

    def cancel(self) -> None:
        """Stop, the row in work too; what is done is kept."""
        if (work := self._owner.work(self.id)) is not None and work.running:
            work.halt("cancelled")
        elif (stored := self._stored).name != "done" and self._is_free():
            results.save_state(self.folder, State(**{**stored.as_json(), "name": "cancelled"}))
        else:
            self._require_work()

    def resume(self) -> Simulation:
        """Go on with the rows that are left; raises SimulationError when the table or the model is another now."""
        self._owner.resume(self)
        return self

    def results(self, only: Callable[[bytes], bool] | None = None) -> Iterator[Result]:
        """Yield what became of each row so far, in the order of the table; `only` sees lines and may pass over them."""
        return results.read(self.folder, self._stored.size, only)

    def rows(self) -> Iterator[Row]:
        """Yield the output table row by row, with the values as they were answered."""
        inputs, fields = results.columns(self.plan, self.tally)
        return (results.flat(result, inputs, fields) for result in self.results())

    def find(self, status: str = "", words: str = "", limit: int = 200, offset: int = 0) -> list[Row]:
        """List rows of the output table with that status, in which the words stand; at most `limit` from `offset`."""
        inputs, fields = results.columns(self.plan, self.tally)
        found: list[Row] = []
        for result in results.read(self.folder, self._stored.size, export.holds(words)):
            if (not status or result.status == status) and (offset := offset - 1) < 0:
                row = results.flat(result, inputs, fields)
                found.append({"row": result.number, **{"input.row" if n == "row" else n: v for n, v in row.items()}})
                if len(found) == limit:
                    break
        return found

    def csv(self) -> Iterator[str]:
        """Yield the output table as CSV in pieces; no cell of it is a formula to a spreadsheet."""
        return export.csv_pieces(self.columns, self.rows())

    def save(self, path: str | Path) -> Path:
        """Write the output table to a file that ends in .csv or .parquet; raises SimulationError for another."""
        return export.save(self, Path(path))

    # Inside

    @property
    def _stored(self) -> State:
        work = self._owner.work(self.id)
        return work.state if work is not None else results.load_state(self.folder)

    def _require_work(self) -> Work:
        work = self._owner.work(self.id)
        if work is None or not work.running:
            if self.running:
                raise SimulationError(f"Simulation {self.id} is in work in another process. Stop it there.")
            raise SimulationError(f"Simulation {self.id} is not running: it is {self.state}.")
        return work

    def _is_free(self) -> bool:
        """Whether no process works on it."""
        try:
            with Lock(self.folder / results.LOCK, timeout_s=0):
                return True
        except StoreError:
            return False


class Simulations:
    """The simulations of one home; `version` finds the version of a plan, `begin` runs rows, `ended` is told."""

    def __init__(self, folder: Path, version: Callable[[str, int], Version], begin: Begin, ended: Ended) -> None:
        self.folder = folder
        self._version = version
        self._begin = begin
        self._ended = ended
        self._works: dict[str, Work] = {}
        self._starting = threading.Lock()

    def start(self, plan: Plan) -> Simulation:
        """Keep a plan and begin to work on it."""
        folder = self.folder / plan.id
        results.save_plan(folder, plan)
        simulation = Simulation(self, folder, plan)
        self._start(simulation)
        return simulation

    def resume(self, simulation: Simulation) -> None:
        """Go on with a simulation that stands still."""
        name = simulation.state
        if name in ("running", *FINISHED):
            raise SimulationError(f"Simulation {simulation.id} is {name} and has nothing to resume.")
        if not unchanged(simulation.plan.table):
            raise SimulationError(
                f"{simulation.plan.table.path} is not what it was when this simulation began, so it cannot go on. "
                "Put the table back, or begin a new simulation."
            )
        self._start(simulation)

    def all(self) -> list[Simulation]:
        """List the simulations, the newest first; a folder that is none is passed over."""
        found: list[Simulation] = []
        for plan in self.folder.glob(f"*/{results.PLAN}"):
            try:
                found.append(Simulation(self, plan.parent, results.load_plan(plan.parent)))
            except (StoreError, TypeError, KeyError):
                continue
        return sorted(found, key=lambda one: one.plan.created_at, reverse=True)

    def get(self, simulation_id: str) -> Simulation:
        """Return one by its id; raises SimulationError when there is none."""
        folder = self.folder / simulation_id
        if not simulation_id.isalnum() or not (folder / results.PLAN).is_file():
            raise SimulationError(f"There is no simulation `{simulation_id[:60]}` in this home.")
        return Simulation(self, folder, results.load_plan(folder))

    def delete(self, simulation_id: str) -> None:
        """Delete a simulation with its result; raises SimulationError while it is in work."""
        simulation = self.get(simulation_id)
        if simulation.running:
            raise SimulationError(f"Simulation {simulation_id} is running. Stop it first.")
        self._works.pop(simulation_id, None)
        shutil.rmtree(simulation.folder)

    def work(self, simulation_id: str) -> Work | None:
        """Return what works, or worked, on a simulation in this process."""
        work = self._works.get(simulation_id)
        if work is not None and not work.running and results.load_state(work.folder).name == work.state.name:
            self._works.pop(simulation_id, None)  # it stands on disk: another process may go on with it
            return None
        return work

    def close(self, seconds: float = 5.0) -> None:
        """Interrupt what is in work, and wait until it is written down."""
        working = [work for work in self._works.values() if work.running]
        for work in working:
            work.halt("interrupted")
        for work in working:
            work.thread.join(seconds)

    def _start(self, simulation: Simulation) -> None:
        plan = simulation.plan
        version = self._version(plan.alias, plan.version)
        if digest(version.definition) != plan.digest:
            raise SimulationError(
                f"{plan.alias} version {plan.version} was edited since this simulation began; its rows would be of two "
                "models. Begin a new simulation."
            )
        with self._starting:
            work = Work(plan, simulation.folder, version, self._begin, self._ended)
            work.start()
            self._works[plan.id] = work


def table(simulation: Simulation) -> dict[str, Any]:
    """Return how a simulation stands as one flat record, as lists and the command line show it."""
    plan, now = simulation.plan, simulation.progress
    return {
        "id": plan.id,
        "state": now.state,
        "alias": plan.alias,
        "version": plan.version,
        "table": plan.name,
        "user": plan.user,
        "begun": plan.created_at.isoformat(timespec="seconds"),
        "rows": now.rows,
        "of": now.total,
        "failed": now.failed,
        "seconds": round(now.seconds, 3),
        "rows_per_second": None if now.rate is None else round(now.rate, 1),
        "reason": now.reason,
    }
