"""Simulating: the part of a Registry that runs whole tables through a model, and keeps what came of them.

It makes plans, admits and begins their runs, and writes each stretch of work into the invocation log as one record;
how a simulation works is `hfreg.simulation`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from uuid import uuid4

from hfreg.definition import Definition
from hfreg.engine import Event, Outcome, Run
from hfreg.errors import ArgumentError
from hfreg.recording import calling_for
from hfreg.running import Running
from hfreg.version import Version

if TYPE_CHECKING:
    from hfreg.simulation import Plan, Simulation, Simulations
    from hfreg.simulation.results import State
    from hfreg.simulation.tally import Tally
    from hfreg.tables import Table

FOLDER = "simulations"
LOOKED_AT = 50
"""Rows that are looked at to guess which column an argument is in."""
STATUSES = {"done": "ok", "paused": "ok", "failed": "error"}
"""How a stretch of work ended, as the log says it; whatever else it is, it was cancelled."""


class Simulating(Running):
    """Runs tables through versions that somebody else found."""

    def simulate(
        self,
        alias: str,
        table: str | Path,
        version: int | None = None,
        mapping: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        *,
        limit: int | None = None,
        every: int = 1,
        dry: bool = False,
        user: str | None = None,
        guess: bool = True,
    ) -> Simulation:
        """Begin to run a table through a model and return at once; `wait()` for it, or look at its `progress`.

        `mapping` is column → argument; where it names none, columns are guessed by their names unless `guess` is
        off. `constants` are given to every row; text is read by the argument's type. `limit` is how many rows to
        run, `every` takes each so manieth. Raises TableError for what is no table, ArgumentError when an argument has
        neither, NotApproved.
        """
        found = self._find(alias, version)
        self._admit(found)
        plan = self.plan(found, table, mapping, constants, limit, every, dry, user, guess)
        return self._simulations.start(plan)

    def plan(
        self,
        version: Version,
        table: str | Path,
        mapping: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        limit: int | None = None,
        every: int = 1,
        dry: bool = False,
        user: str | None = None,
        guess: bool = True,
    ) -> Plan:
        """Return what `simulate` would do, checked; it reads the table through once, to know it again."""
        from hfreg.simulation import plan as plans
        from hfreg.tables import identify, open_table

        definition, opened, fixed = version.definition, open_table(table), dict(constants or {})
        if every < 1 or (limit is not None and limit < 1):
            raise ArgumentError("`limit` and `every` are numbers from 1.")
        columns = guessed(definition, opened, mapping or {}, fixed) if guess else _by_argument(mapping or {})
        if bad := next((c for c in columns.values() if c in opened.unusable), None):
            raise ArgumentError(f"The column `{bad}` is of the type {opened.unusable[bad]}, which no argument takes.")
        plans.require(definition, opened.columns, columns, fixed)
        known = {a.alias: a for a in definition.arguments}
        for name, value in fixed.items():
            plans.constant(known[name], value)
        return plans.Plan(
            id=f"{datetime.now(UTC):%Y%m%dT%H%M%S}{uuid4().hex[:8]}",
            alias=version.alias,
            version=version.number,
            digest=plans.digest(definition),
            state=version.state,
            output_type=definition.output_type,
            table=identify(Path(table).resolve()),
            inputs=opened.columns,
            columns=columns,
            constants={n: v.isoformat() if isinstance(v, datetime) else v for n, v in fixed.items()},
            limit=limit,
            every=every,
            dry=dry,
            user=user or self.user,
        )

    def simulations(self, dry: bool = False) -> list[Simulation]:
        """List the simulations of this home, the newest first; without those that were only tried."""
        return [one for one in self._simulations.all() if dry or not one.plan.dry]

    def simulation(self, simulation_id: str) -> Simulation:
        """Return one simulation by its id; raises SimulationError when there is none."""
        return self._simulations.get(simulation_id)

    def delete_simulation(self, simulation_id: str) -> None:
        """Delete a simulation with its result; raises SimulationError while it is in work."""
        from hfreg.simulation import uploads

        plan = self.simulation(simulation_id).plan
        self._simulations.delete(simulation_id)
        if not plan.dry:  # a table that was only tried is about to be run
            uploads.forget(self.settings.home / FOLDER, plan.table.path, self._tables_in_use())

    def keep_table(self, name: str, stream: IO[bytes]) -> Path:
        """Keep a table that was uploaded, and return the path to simulate; it goes with its last simulation.

        One that no simulation ran is deleted after a day. Raises TableError when its name is that of no table.
        """
        from hfreg.simulation import uploads

        folder = self.settings.home / FOLDER
        kept = uploads.keep(folder, name, stream)
        uploads.tidy(folder, self._tables_in_use())
        return kept

    def _tables_in_use(self) -> list[str]:
        return [one.plan.table.path for one in self._simulations.all()]

    # Inside

    @cached_property
    def _simulations(self) -> Simulations:
        from hfreg.simulation import Simulations

        with self._making:
            made: Simulations = self.__dict__.setdefault(
                "_simulations",
                Simulations(self.settings.home / FOLDER, self.definitions.get, self._begin_rows, self._log_rows),
            )
            return made

    def _find(self, alias: str, version: int | None) -> Version:
        return self.definitions.get(alias, version)

    def _begin_rows(self, version: Version, rows: Iterable[Mapping[str, Any]], user: str) -> Run:
        self._admit(version)

        def follow(event: Event) -> None:
            if event.kind == "running":
                calling_for(user)

        limit = version.definition.limits.time_s or self.settings.timeout_s
        return self._engine_of(version).submit(version, rows, limit, follow)

    def _log_rows(self, plan: Plan, state: State, tally: Tally, last: Outcome | None) -> None:
        """Write what was done since the last time as one record."""
        from hfreg.simulation.tally import Tally
        from hfreg.store.calls import Call, new_call_id, utc_now

        before = Tally(state.logged)
        if (rows := tally.rows - before.rows) <= 0:
            return
        status = STATUSES.get(state.name, "cancelled")
        version = self.definitions.get(plan.alias, plan.version)
        self.events.record(
            Call(
                id=new_call_id(),
                at=utc_now(),
                alias=plan.alias,
                version=plan.version,
                state=last.state if last else plan.state,
                source=plan.source,
                user=plan.user,
                status=status,
                error_kind="SimulationError" if status == "error" else "",
                cold=last.cold if last and rows == 1 else False,
                run_ms=tally.run_ms - before.run_ms,
                total_ms=(state.seconds - state.logged.get("seconds", 0.0)) * 1e3,
                warnings=tally.warned - before.warned,
                tier=last.tier if last else "inline",
                network=version.definition.network,
                token=version.definition.token,
                rows=rows,
                failed=tally.failed - before.failed,
                sketch=json.dumps(tally.sketch.since(before.sketch.as_json()).as_json()),
                **tally.used_since(before),
            )
        )


def guessed(
    definition: Definition, table: Table, mapping: Mapping[str, str], fixed: Mapping[str, Any]
) -> dict[str, str]:
    """Return argument → column: what was named, and guesses for the others."""
    from hfreg.simulation.plan import guess

    columns = _by_argument(mapping)
    sample = [row for row in islice(table.rows(), LOOKED_AT) if isinstance(row, dict)]
    for name, column in guess(definition, table.columns, sample).items():
        if name not in columns and name not in fixed and column not in columns.values():
            columns[name] = column
    return columns


def _by_argument(mapping: Mapping[str, str]) -> dict[str, str]:
    """Turn column → argument round; raises ArgumentError when two columns go to one argument."""
    found: dict[str, str] = {}
    for column, argument in mapping.items():
        if argument in found:
            raise ArgumentError(f"`{argument}` is given twice: by the columns `{found[argument]}` and `{column}`.")
        found[argument] = column
    return found
